#!/bin/sh
# overlays.sh BASELINES PACKAGES ARTEFACTS: makes root/<system>.cpio for every system with an
# overlay.sh: the guest root, followed by the tree that script lays out. The kernel unpacks both
# archives over each other. Reproducible like the guest root itself.
#
# Debian packages and kernel modules come from the lists `packages` and `modules` of system.toml,
# each on one line.
set -eu
export LC_ALL=C
umask 022
baselines=$1
packages=$2
artefacts=$3

list() { # key: the strings of this list in every system.toml
	sed -n "s/^$1 *= *\[\([^]]*\)\].*/\1/p" "$baselines"/*/system.toml | tr -d '"' | tr ',' '\n' |
		sed 's/ //g' | sort -u
}

apt-get -q update
# shellcheck disable=SC2046 # one word each
apt-get -q install -y --no-install-recommends $(list packages)

modules=$artefacts/kernel/cloud/modules
release=$(cat "$artefacts/kernel/cloud/release")
mkdir -p "$modules"
for module in $(list modules); do
	found=$(find "$packages/root/usr/lib/modules/$release" "$packages/root/lib/modules/$release" \
		-name "$module.ko.xz" 2>/dev/null | head -n 1)
	[ -n "$found" ] || { echo "overlays.sh: no module $module in $release" >&2; exit 1; }
	xz -dc "$found" >"$modules/$module.ko"
done

for script in "$baselines"/*/overlay.sh; do
	[ -e "$(dirname "$script")/system.toml" ] || continue # lib/ is sourced, not run
	system=$(basename "$(dirname "$script")")
	tree=$(mktemp -d)
	"$script" "$tree" "$artefacts"
	chmod 755 "$tree"
	find "$tree" -exec touch -h -d @0 {} +
	(cd "$tree" && find . -mindepth 1 -printf '%P\n' | sort |
		cpio --quiet --reproducible -o -H newc -R 0:0) >"$tree.cpio"
	cat "$artefacts/root/guest.cpio" "$tree.cpio" >"$artefacts/root/$system.cpio"
	rm -rf "$tree" "$tree.cpio"
done
