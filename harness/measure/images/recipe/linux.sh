#!/bin/sh
# linux.sh PACKAGE LISTS OUT: unpacks in OUT those files of PACKAGE's kernel sources that a pattern of
# LISTS/linux.list keeps, and does all that comes before compiling: tinyconfig for x86_64, `make
# prepare`. A guest that finds them at OUT compiles at once; it must be there, for kbuild notes names.
# Then it builds vmlinux, which is everything, takes it away, and leaves beside OUT:
#   OUT.sums    the digests of LISTS/linux.objects, in that order, and of vmlinux
#   OUT.files   the files that building reads, each after the number of the first of these that needs
#               it; 0: all do
#   OUT.make    a script that is kbuild below its top Makefile, with the variables as that had set
#               them: some objects, or vmlinux
set -eu
export LC_ALL=C KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=rexen KBUILD_BUILD_HOST=rexen
package=$1 lists=$2 out=$3
work=$(mktemp -d)

unpack() {
	dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work" --strip-components=3 --wildcards \
		'./usr/src/linux-source-*.tar.xz'
	grep -v '^#' "$lists/linux.list" >"$work/patterns"
	tar -tf "$work"/linux-source-*.tar.xz | grep -v '/$' | sed 's,^[^/]*/,& ,' |
		awk 'NR == FNR { pattern[NR] = $0; next }
			{ for (n in pattern) if ($2 ~ pattern[n]) { print $1 $2; next } }' \
			"$work/patterns" - >"$work/names"
	mkdir -p "$out"
	tar -xf "$work"/linux-source-*.tar.xz -C "$out" --strip-components=1 --no-same-owner \
		-T "$work/names"
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
		echo '#!/bin/sh -e'
		grep '^export [A-Za-z_]*=' "$work/variables" |
			grep -v -e '^export MAKE[A-Z]*=' -e '^export MFLAGS=' -e '^export [A-Z]*PWD=' \
				-e '^export HOME=' -e '^export HOSTNAME=' -e '^export quiet='
		# That one it tells the linking only.
		make -s ARCH=x86_64 --eval='say: ; @echo $(LDFLAGS_vmlinux)' say |
			sed "s/.*/export LDFLAGS_vmlinux='&'/"
		cat <<-'end'
			export quiet=silent_ MAKE=make
			kbuild() {
				part=$1
				shift
				make -rRs --no-print-directory -f "scripts/Makefile.$part" "$@"
			}
			if [ "$*" != vmlinux ]; then
				kbuild build obj=. need-builtin=1 need-modorder=1 "$@"
				exit
			fi
			kbuild build obj=. need-builtin=1 need-modorder=1 ${JOBS:+-j"$JOBS"}
			rm -f vmlinux.a
			ar cDPrST vmlinux.a ./built-in.a $KBUILD_VMLINUX_LIBS
			heads=$(ar t vmlinux.a | grep -F -f scripts/head-object-list.txt || :)
			ar mPiT "$(ar t vmlinux.a | sed -n 1p)" vmlinux.a $heads
			kbuild vmlinux_o
			kbuild vmlinux vmlinux
		end
	} >"$out.make"
}

# "THING FILE" for what each was made from, as fixdep noted it, but for what it leaves out.
dependencies() {
	while read -r object; do
		needs "$object" "${object%/*}/.${object##*/}.cmd"
	done <"$work/objects"
	find . -name '.*.cmd' -newer "$out.make" | sed 's,^\./,,' >"$work/commands"
	while read -r command; do
		needs vmlinux "$command"
	done <"$work/commands"
	{
		find scripts -maxdepth 1 -type f
		find . -type f -perm /111 -o -name 'Makefile.*' -o -name '*.sh' -o -name '*.awk' \
			-o -name '*.tbl' -o -name '*-map.txt' | sed 's,^\./,,'
	} | sed 's/^/vmlinux /'
}

needs() { # thing, what fixdep noted
	# A file's neighbour may be included by the Makefile that it is compiled for.
	awk -v thing="$1" 'function need(file) {
			while (sub(/[^\/.]+\/\.\.\//, "", file)) {}
			print thing, file
			if (sub(/\/[^\/]*$/, "/Makefile", file)) print thing, file
		}
		/^source_/ { need($3) }
		/^  [^ $]/ && $1 !~ /^\// { need($1) }' "$2"
	place=$2
	while [ "$place" != "${place%/*}" ]; do
		place=${place%/*}
		echo "$1 $place/Makefile"
		echo "$1 $place/Kbuild"
	done
}

note_files() {
	{
		sed 's/^/thing /' "$work/objects"
		echo thing vmlinux
		dependencies
		find . -type f -o -type l | sed 's,^\./,there ,' | sort
	} | awk '
		$1 == "thing" { number[$2] = ++things; next }
		$1 != "there" { if (!($2 in first)) first[$2] = number[$1]; next }
		{ name = $2 }
		name ~ /^scripts\/(Makefile|Kbuild)/ || name ~ /^(Makefile|Kbuild)$/ ||
		name == "include/config/auto.conf" || name == "include/generated/autoconf.h" ||
		name == "scripts/basic/fixdep" || name == "tools/objtool/objtool" { print 0, name; next }
		name in first { print first[name], name }' | sort -n >"$work/files"
	# What building makes is no source.
	(cd "$work/ready" && while read -r number name; do
		[ ! -e "$name" ] || echo "$number $name"
	done) <"$work/files" >"$out.files"
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
(cd "$out" && JOBS=$(nproc) sh -e "$out.make" vmlinux)
cd "$out"
# shellcheck disable=SC2046 # one word each
sha256sum $(cat "$work/objects") vmlinux >"$out.sums"
note_files
cd /
rm -rf "$out"
mv "$work/ready" "$out"
rm -rf "$work"
