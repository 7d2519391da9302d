#!/bin/sh
# First level of uml where a workload needs devices: what brings them up in the inner guest, and the
# two modules of that kernel it takes.
. "$(dirname "$0")/../nested/overlay.sh"

tree=$(mktemp -d)
for module in netfs erofs; do
	install -D -m 644 "$artefacts/uml/$module.ko" "$tree/modules/$module.ko"
done
find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find modules | sort |
	cpio --quiet --reproducible -o -H newc -R 0:0) >"$tree/modules.cpio"
put_devices "$tree/modules.cpio"
rm -rf "$tree"
