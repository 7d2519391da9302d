#!/bin/sh
# linux.sh PACKAGE LISTS OUT: unpacks in OUT those files of PACKAGE's kernel sources that a pattern of
# LISTS/linux.list keeps, and does all that comes before compiling: tinyconfig for x86_64, `make
# prepare`. A guest that finds them at OUT compiles at once; it must be there, for kbuild notes names.
# Then it builds the objects of LISTS/linux.objects, takes them away, and leaves beside OUT:
#   OUT.sums    their digests, in that order
#   OUT.files   the files that building reads, each after the number of the first object that needs
#               it; 0: all do
#   OUT.make    a script that is kbuild below its top Makefile, with the variables as that had set them
set -eu
export LC_ALL=C KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=rexen KBUILD_BUILD_HOST=rexen
package=$1 lists=$2 out=$3
work=$(mktemp -d)

unpack() {
	dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work" --strip-components=3 --wildcards \
		'./usr/src/linux-source-*.tar.xz'
	xz -dc -T0 "$work"/linux-source-*.tar.xz >"$work/sources.tar"
	grep -v '^#' "$lists/linux.list" >"$work/patterns"
	tar -tf "$work/sources.tar" | grep -v '/$' | sed 's,^[^/]*/,& ,' |
		awk 'NR == FNR { pattern[NR] = $0; next }
			{ for (n in pattern) if ($2 ~ pattern[n]) { print $1 $2; next } }' \
			"$work/patterns" - >"$work/names"
	mkdir -p "$out"
	tar -xf "$work/sources.tar" -C "$out" --strip-components=1 --no-same-owner -T "$work/names"
}

# Before it compiles, the top Makefile asks for minutes what the compiler can do. What it has found is
# in variables; the make that it starts to descend into the sources says them.
note_make() {
	mv scripts/Makefile.build "$work/Makefile.build"
	{
		echo 'ifeq ($(obj),.)'
		echo "\$(shell export -p >$work/variables)"
		echo endif
		cat "$work/Makefile.build"
	} >scripts/Makefile.build
	PATH=/usr/sbin:/usr/bin make -s ARCH=x86_64 "$1"
	mv "$work/Makefile.build" scripts/Makefile.build
	{
		echo '#!/bin/sh'
		grep '^export [A-Za-z_]*=' "$work/variables" |
			grep -v -e '^export MAKE[A-Z]*=' -e '^export MFLAGS=' -e '^export [A-Z]*PWD=' \
				-e '^export HOME=' -e '^export HOSTNAME=' -e '^export quiet='
		echo 'export quiet=silent_'
		echo 'exec make -rRs --no-print-directory -f scripts/Makefile.build obj=. need-builtin=1 \'
		echo '	need-modorder=1 "$@"'
	} >"$out.make"
}

# "OBJECT FILE" for what each object was made from, as fixdep noted it, but for what it leaves out.
dependencies() {
	while read -r object; do
		awk -v object="$object" '/^source_/ { print object, $3 }
			/^  [^ $]/ && $1 !~ /^\// { print object, $1 }' "${object%/*}/.${object##*/}.cmd"
		place=$object
		while [ "$place" != "${place%/*}" ]; do
			place=${place%/*}
			echo "$object $place/Makefile"
			echo "$object $place/Kbuild"
		done
	done <"$work/objects"
}

note_files() {
	{
		sed 's/^/object /' "$work/objects"
		dependencies
		find . -type f -o -type l | sed 's,^\./,there ,' | sort
	} | awk '
		$1 == "object" { number[$2] = ++objects; next }
		$1 != "there" { if (!($2 in first)) first[$2] = number[$1]; next }
		{ name = $2 }
		name ~ /^scripts\/(Makefile|Kbuild)/ || name ~ /^(Makefile|Kbuild)$/ ||
		name == "include/config/auto.conf" || name == "include/generated/autoconf.h" ||
		name == "scripts/basic/fixdep" || name == "tools/objtool/objtool" { print 0, name; next }
		name in first { print first[name], name }' | sort -n >"$out.files"
}

unpack
grep -v '^#' "$lists/linux.objects" >"$work/objects"
cd "$out"
make -s ARCH=x86_64 tinyconfig
make -s ARCH=x86_64 prepare
cp -a "$out" "$work/ready"
note_make "$(head -n 1 "$work/objects")"
rm -rf "$out"
cp -a "$work/ready" "$out"
# shellcheck disable=SC2046 # one word each
(cd "$out" && sh "$out.make" -j"$(nproc)" $(cat "$work/objects"))
cd "$out"
xargs sha256sum <"$work/objects" >"$out.sums"
note_files
cd /
rm -rf "$out"
mv "$work/ready" "$out"
rm -rf "$work"
