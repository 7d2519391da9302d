#!/bin/sh
# Boots the inner guest under QEMU TCG and ends when it does.
#
# microvm with qboot and an uncompressed kernel: the shortest way to the kernel's first
# instruction. ACPI is there for the power-off only. The inner local APIC timer ticks: with ACPI,
# the inner PIT reaches no interrupt line. rtc=on: without, the kernel waits a second for it.
. /host/lib.sh

! has net || bridge_taps
machine=microvm,acpi=on,pit=off,pic=off,rtc=on,isa-serial=on,x-option-roms=off
# shellcheck disable=SC2046 # one word each
/usr/bin/qemu-system-x86_64 \
	-accel tcg,thread=single,tb-size=256 -cpu qemu64 -m "$(guest_memory)" \
	-M "$machine,auto-kernel-cmdline=off" \
	-nodefaults -no-user-config -display none -no-reboot -L /host -bios /host/qboot.rom \
	-chardev stdio,id=console,signal=off -serial chardev:console \
	$(qemu_devices) \
	-kernel /host/vmlinux -initrd "$(guest_root)" -append "$(inner_words)" ||
	fail "QEMU ended with status $?"
