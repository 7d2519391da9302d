#!/bin/sh
# linux.sh ARCHIVE LIST OUT: unpacks in OUT those files of a kernel's sources that a pattern of LIST
# keeps, and does all that comes before compiling: tinyconfig for x86_64, `make prepare`. A guest that
# finds OUT at /usr/src/linux compiles at once; it must be made there, because kbuild notes names.
set -eu
export LC_ALL=C
archive=$1 list=$2 out=$3
names=$(mktemp)

grep -v '^#' "$list" >"$names.patterns"
tar -tf "$archive" | grep -v '/$' | sed 's,^[^/]*/,& ,' |
	awk 'NR == FNR { pattern[NR] = $0; next }
		{ for (n in pattern) if ($2 ~ pattern[n]) { print $1 $2; next } }' "$names.patterns" - >"$names"
mkdir -p "$out"
tar -xf "$archive" -C "$out" --strip-components=1 --no-same-owner -T "$names"
rm "$names" "$names.patterns"
make -s -C "$out" ARCH=x86_64 tinyconfig
make -s -C "$out" ARCH=x86_64 prepare
