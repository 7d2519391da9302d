#!/bin/sh
# First level of hwvirt: KVM's modules, Debian's small KVM-only QEMU, qboot, the inner kernel and
# its root.
. "$(dirname "$0")/../nested/overlay.sh"

need /usr/bin/qemu-system-x86_64-microvm qemu-system-x86
need /usr/share/qemu/qboot.rom qemu-system-data

put_host
put_program /usr/bin/qemu-system-x86_64-microvm usr/bin/qemu-system-x86_64-microvm
put /usr/share/qemu/qboot.rom host/qboot.rom
put "$artefacts/kernel/cloud/vmlinux" host/vmlinux
for module in irqbypass kvm kvm-amd; do
	put "$artefacts/kernel/cloud/$module.ko" "host/$module.ko"
done
