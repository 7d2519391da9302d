#!/bin/sh
# First level of fullvirt: QEMU with all its libraries, qboot, the inner kernel and its root.
. "$(dirname "$0")/../nested/overlay.sh"

need /usr/bin/qemu-system-x86_64 qemu-system-x86
need /usr/share/qemu/qboot.rom qemu-system-data

put_host
put_program /usr/bin/qemu-system-x86_64 usr/bin/qemu-system-x86_64
put /usr/share/qemu/qboot.rom host/qboot.rom
put "$artefacts/kernel/cloud/vmlinux" host/vmlinux
