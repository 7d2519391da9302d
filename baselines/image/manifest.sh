#!/bin/sh
# manifest.sh ARTEFACTS: writes ARTEFACTS/manifest, which every record's provenance comes from.
#
#   file <sha256> <path>          every artefact, path relative to ARTEFACTS
#   emulator <sha256> <version>   the QEMU binary
#   package <name> <version>      what is unpacked or installed here
set -eu
export LC_ALL=C
cd "$1"
{
	find . -type f ! -name manifest ! -name versions -printf '%P\n' | sort |
		while read -r file; do
			echo "file $(sha256sum "$file" | cut -d' ' -f1) $file"
		done
	qemu=$(command -v qemu-system-x86_64)
	echo "emulator $(sha256sum "$qemu" | cut -d' ' -f1) $(
		dpkg-query --show --showformat '${Version}' qemu-system-x86)"
	sed 's/^/package /' versions
	dpkg-query --show --showformat 'package ${Package} ${Version}\n'
} >manifest
rm versions
