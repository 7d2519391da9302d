#!/bin/sh
# overlays.sh BASELINES PACKAGES ARTEFACTS: makes root/<system>.cpio for every system with an
# overlay.sh: the guest root, followed by the tree that script lays out. The kernel unpacks both
# archives over each other. Reproducible like the guest root itself.
set -eu
export LC_ALL=C
umask 022
baselines=$1
packages=$2
artefacts=$3
for script in "$baselines"/*/overlay.sh; do
	[ -e "$script" ] || continue
	system=$(basename "$(dirname "$script")")
	tree=$(mktemp -d)
	"$script" "$tree" "$packages" "$artefacts"
	chmod 755 "$tree"
	find "$tree" -exec touch -h -d @0 {} +
	(cd "$tree" && find . -mindepth 1 -printf '%P\n' | sort |
		cpio --quiet --reproducible -o -H newc -R 0:0) >"$tree.cpio"
	cat "$artefacts/root/guest.cpio" "$tree.cpio" >"$artefacts/root/$system.cpio"
	rm -rf "$tree" "$tree.cpio"
done
