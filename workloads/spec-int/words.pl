# SPDX-License-Identifier: MIT
# Counts the words of a text, turns some round, and prints what is found, in order.
use strict;
use warnings;

my (%count, %follows, $lines);
my $before = '';
while (my $line = <STDIN>) {
	$lines++;
	for my $word (split /[^a-z]+/, lc $line) {
		next unless length $word;
		$count{$word}++;
		$follows{"$before $word"}++;
		$before = $word;
	}
}
my $vowels = 0;
for my $word (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count) {
	(my $turned = reverse $word) =~ s/([aeiou])/<$1>/g;
	$vowels += () = $turned =~ /<.>/g;
	printf "%-12s %6d %s\n", $word, $count{$word}, $turned;
}
for my $pair ((sort { $follows{$b} <=> $follows{$a} || $a cmp $b } keys %follows)[0 .. 99]) {
	print "$follows{$pair} $pair\n" if defined $pair;
}
print "$lines lines, $vowels vowels\n";
