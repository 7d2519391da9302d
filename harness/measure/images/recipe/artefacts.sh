#!/bin/sh
# artefacts.sh LIST ROOT OUT: takes artefacts out of unpacked packages.
#
# LIST has lines HOW PATTERN NAME, from the [artefacts] of every system: one file below ROOT matches
# PATTERN, and becomes OUT/NAME.
#
#   copy      as it is
#   gzip xz   unpacked
#   modules   a kernel's directory of modules: those of modules.list, as an archive
#   bzimage   the uncompressed kernel inside, entered directly by QEMU (PVH)
set -eu
list=$1 root=$2 out=$3
here=$(dirname "$0")

the_one() { # the only match of a pattern
	[ $# -eq 1 ] && [ -e "$1" ] || { echo "artefacts.sh: expected one file: $*" >&2; exit 1; }
	echo "$1"
}

while read -r how pattern name; do
	# shellcheck disable=SC2086 # a pattern
	file=$(the_one "$root"/$pattern)
	mkdir -p "$(dirname "$out/$name")"
	case $how in
	copy) cp "$file" "$out/$name" ;;
	gzip) gzip -dc "$file" >"$out/$name" ;;
	xz) xz -dc "$file" >"$out/$name" ;;
	modules) "$here/modules.sh" "$file" "$here/modules.list" "$out/$name" ;;
	bzimage) python3 "$here/unpack_kernel.py" "$file" "$out/$name" ;;
	*) echo "artefacts.sh: no way '$how' to make $name" >&2; exit 1 ;;
	esac
done <"$list"
