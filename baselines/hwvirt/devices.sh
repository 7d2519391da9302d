#!/bin/sh
# First level of hwvirt where a workload needs devices: what brings them up in the inner guest, and
# another host program, which has them and what they need.
. "$(dirname "$0")/../nested/overlay.sh"

put_devices "$artefacts/kernel/cloud/modules.cpio"
put "$(dirname "$0")/host-devices.sh" host/run 755
put "$artefacts/host/hwvirt/once" host/once 755
