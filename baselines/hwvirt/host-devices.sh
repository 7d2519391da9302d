#!/bin/sh
# host.sh for a guest with devices: the same inner machine, its interrupts, disks and cards beside.
# Two files, so that what runs without devices does not depend on them.
. /host/lib.sh

grep -qw svm /proc/cpuinfo || fail "the machine's CPU has no SVM"
for module in irqbypass kvm kvm-amd; do
	insmod "/host/$module.ko" || fail "module $module cannot be loaded"
done
[ -e /dev/kvm ] || fail "KVM made no /dev/kvm"
[ "$(/host/once &)" = ready ] || fail "KVM's interrupts cannot be watched"

! has net || bridge_taps
machine=microvm,acpi=on,pit=off,pic=off,rtc=on,isa-serial=on,x-option-roms=off
# shellcheck disable=SC2046 # one word each
/usr/bin/qemu-system-x86_64-microvm \
	-accel kvm -cpu host -m "$(guest_memory)" \
	-M "$machine,auto-kernel-cmdline=off" \
	-nodefaults -no-user-config -display none -no-reboot -L /host -bios /host/qboot.rom \
	-chardev stdio,id=console,signal=off -serial chardev:console \
	$(qemu_devices) \
	-kernel /host/vmlinux -initrd "$(guest_root)" -append "$(inner_words)" ||
	fail "QEMU ended with status $?"
