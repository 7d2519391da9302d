#!/bin/sh
# First domain of xen where a workload needs devices: what brings them up in the guest, and the
# first domain's half of each: the kernel's back ends, and what joins them to its own devices.
. "$(dirname "$0")/../nested/overlay.sh"

put_devices "$artefacts/kernel/cloud/modules.cpio"
for module in xen-blkback xen-netback; do
	put "$artefacts/kernel/full/$module.ko" "modules/$module.ko"
done
put_program "$artefacts/xen/xenstore" bin/xenstore
put "$(dirname "$0")/backends.sh" host/backends.sh
for name in block vif-bridge; do # where xl looks for them
	put "$(dirname "$0")/hotplug.sh" "etc/xen/scripts/$name" 755
done
