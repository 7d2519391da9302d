#!/bin/sh
# First level of uml where a workload needs devices: what brings them up in the inner guest, and the
# one module of that kernel it takes.
. "$(dirname "$0")/../nested/overlay.sh"

tree=$(mktemp -d)
install -D -m 644 "$artefacts/uml/erofs.ko" "$tree/modules/erofs.ko"
find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find modules | sort |
	cpio --quiet --reproducible -o -H newc -R 0:0) >"$tree/modules.cpio"
put_devices "$tree/modules.cpio"
rm -rf "$tree"
