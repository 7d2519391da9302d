#!/bin/sh
# overlays.sh BASELINES ARTEFACTS: makes root/<system>.cpio for every system with an overlay.sh, and
# root/<system>-devices.cpio for one with a devices.sh: the tree that script lays out. The kernel
# unpacks it over the guest root. Reproducible like that one.
set -eu
export LC_ALL=C
umask 022
baselines=$1
artefacts=$2

for script in "$baselines"/*/overlay.sh "$baselines"/*/devices.sh; do
	[ -x "$script" ] || continue # nested/ is sourced, not run
	system=$(basename "$(dirname "$script")")
	[ "$(basename "$script")" = overlay.sh ] || system=$system-devices
	tree=$(mktemp -d)
	"$script" "$tree" "$artefacts"
	chmod 755 "$tree"
	find "$tree" -exec touch -h -d @0 {} +
	(cd "$tree" && find . -mindepth 1 -printf '%P\n' | sort |
		cpio --quiet --reproducible -o -H newc -R 0:0) >"$artefacts/root/$system.cpio"
	rm -rf "$tree"
done
