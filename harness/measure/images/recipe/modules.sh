#!/bin/sh
# modules.sh DIRECTORY LIST OUT: packs the modules of LIST, found below one kernel's DIRECTORY, as
# modules/NAME.ko of the newc archive OUT. Reproducible like the guest root.
set -eu
export LC_ALL=C
umask 022
tree=$(mktemp -d)
mkdir "$tree/modules"
sed 's/#.*//' "$2" | grep . | while read -r name; do
	file=$(find "$1" -name "$name.ko.xz")
	[ -f "$file" ] || { echo "modules.sh: no module $name in $1" >&2; exit 1; }
	xz -dc "$file" >"$tree/modules/$name.ko"
done
find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find modules | sort | cpio --quiet --reproducible -o -H newc -R 0:0) >"$3"
rm -rf "$tree"
