#!/bin/sh
# host_programs.sh BASELINES OUT: makes OUT/SYSTEM/NAME of every baselines/SYSTEM/NAME.c: programs that a
# system's overlay puts into its first level. Static: that root has no libraries of its own.
set -eu
baselines=$1
out=$2

for source in "$baselines"/*/*.c; do
	program=${source#"$baselines"/}
	program=$out/${program%.c}
	mkdir -p "$(dirname "$program")"
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fno-pie -no-pie -static -s -Wl,--build-id=none \
		"-ffile-prefix-map=$baselines=baselines" -o "$program" "$source"
done
