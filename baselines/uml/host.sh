#!/bin/sh
# Boots the inner guest as a User-Mode Linux process and ends when it does. Its memory is a file on
# a tmpfs of ours, its console our console.
#
# Its disks are files to it: writes are synchronous (flag s), or they would stay in our page cache.
# It opens them without O_DIRECT, so what was read or written before is read from our page cache.
. /host/lib.sh

mkdir -p /dev/shm
mount -t tmpfs -o size=100% memory /dev/shm || fail "no tmpfs for the inner guest's memory"
export TMPDIR=/dev/shm HOME=/tmp

# Half a virtual second of speed trials for RAID and xor code nobody uses here, and a jitter test.
skip=raid6_select_algo,calibrate_xor_blocks,jent_mod_init,load_system_certificate_list

! has net || bridge_taps
devices() {
	! has root || echo "ubdar=/dev/rexen/root"
	! has data || echo "ubdbs=/dev/rexen/data"
	! has net || echo "eth0=tuntap,tap0,52:54:00:00:01:00 eth1=tuntap,tap1,52:54:00:00:01:01"
}

# shellcheck disable=SC2046 # one word each
/host/linux "mem=$(guest_memory)M" "initrd=$(guest_root)" root=/dev/ram0 con=null con0=fd:0,fd:1 $(devices) \
	norandmaps cryptomgr.notests quiet panic=-1 lpj=5000000 "initcall_blacklist=$skip" $(rexen_words) ||
	fail "linux.uml ended with status $?"
