#!/bin/sh
# The first domain of xen: the toolstack with its libraries, the kernel's Xen devices, the guest's
# kernel and its root.
. "$(dirname "$0")/../nested/overlay.sh"

need "$artefacts/xen/xl" xen-utils-4.20
# Loaded by name as a thread ends: without it xl aborts after the guest's end.
need /lib/x86_64-linux-gnu/libgcc_s.so.1 libgcc-s1

put_host
for program in xl xenstored xenconsoled xen-init-dom0; do
	put_program "$artefacts/xen/$program" "host/$program"
done
put /lib/x86_64-linux-gnu/libgcc_s.so.1 lib/x86_64-linux-gnu/libgcc_s.so.1
put "$artefacts/kernel/cloud/vmlinux" host/vmlinux
for module in xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs; do
	put "$artefacts/kernel/full/$module.ko" "host/$module.ko"
done
