#!/bin/sh
# First level of hwvirt where a workload needs devices: what brings them up in the inner guest.
. "$(dirname "$0")/../nested/overlay.sh"

put_devices "$artefacts/kernel/cloud/modules.cpio"
