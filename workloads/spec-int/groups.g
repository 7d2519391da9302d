# SPDX-License-Identifier: MIT
# Orders of permutation groups by Schreier and Sims, in GAP's own language on its kernel alone: what
# reads its library takes seconds, and would be all that is timed. The kernel finds this file as
# lib/init.g below the directory it is told is its root.

# The orbit of a point: its members, and for each an element that leads there.
Orbit := function(generators, point)
	local members, leads, at, g, image;
	members := [point];
	leads := [];
	leads[point] := ();
	for at in members do
		for g in generators do
			image := at ^ g;
			if not IsBound(leads[image]) then
				leads[image] := leads[at] * g;
				ADD_LIST(members, image);
			fi;
		od;
	od;
	return [members, leads];
end;

# What is left of an element when it went through the levels of the chain.
Sift := function(chain, element)
	local level, image;
	for level in chain do
		image := level.point ^ element;
		if not IsBound(level.leads[image]) then
			return element;
		fi;
		element := element * level.leads[image] ^ -1;
	od;
	return element;
end;

MovedPoint := function(element, degree)
	local point;
	for point in [1 .. degree] do
		if point ^ element <> point then
			return point;
		fi;
	od;
	return 0;
end;

Extend := function(chain, depth, element, degree)
	local level, orbit, at, g, product, rest;
	if depth > LEN_LIST(chain) then
		ADD_LIST(chain, rec(point := MovedPoint(element, degree), generators := []));
	fi;
	level := chain[depth];
	ADD_LIST(level.generators, element);
	orbit := Orbit(level.generators, level.point);
	level.members := orbit[1];
	level.leads := orbit[2];
	for at in level.members do
		for g in level.generators do
			product := level.leads[at] * g;
			product := product * level.leads[level.point ^ product] ^ -1;
			rest := Sift(chain{[depth + 1 .. LEN_LIST(chain)]}, product);
			if rest <> () then
				Extend(chain, depth + 1, rest, degree);
			fi;
		od;
	od;
end;

Order := function(generators, degree)
	local chain, g, order, level;
	chain := [];
	for g in generators do
		if Sift(chain, g) <> () then
			Extend(chain, 1, g, degree);
		fi;
	od;
	order := 1;
	for level in chain do
		order := order * LEN_LIST(level.members);
	od;
	return order;
end;

# The symmetric groups, the group of Mathieu on eleven points, a wreath product.
for degree in [4 .. 24] do
	turn := [2 .. degree];
	turn[degree] := 1;
	Print("S", degree, " ", Order([PermList(turn), (1, 2)], degree), "\n");
od;
Print("M11 ", Order([(1,2,3,4,5,6,7,8,9,10,11), (3,7,11,8)(4,10,5,6)], 11), "\n");
Print("wreath ", Order([(1,2,3,4), (1,2), (1,5)(2,6)(3,7)(4,8), (1,5,9)(2,6,10)(3,7,11)(4,8,12)], 12), "\n");
ForceQuitGap(0);
