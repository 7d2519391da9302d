# shellcheck shell=sh
# Sourced by host.sh where the guest needs devices: what xl is told of them, and whether they came.
#
# The disks' back end is xen-blkback straight on the first domain's block device, the cards' is
# xen-netback with its interface in a bridge with the card. As it was seen in the store and in the
# first domain's log while the halves connected:
#   vbd   one queue, a ring of one page (up to 16 offered), persistent grants, up to 256 segments in a
#         request offered
#   vif   offered: one queue, an event channel for each direction, rx-copy and no rx-flip,
#         scatter-gather, TCP segments larger than a packet (gso), checksums left out for IPv6
# Which of the vif's offers the guest takes was not looked at.

deadline_s=7
states=/host/states

devices=
! has root || devices="vbd/51712"
! has data || devices="$devices vbd/51728"
! has net || devices="$devices vif/0 vif/1"
if has net; then
	bridge br0 net0
	bridge br1 net1
fi

domain_devices() {
	echo "disk = ["
	! has root || echo '"vdev=xvda,access=ro,target=/dev/rexen/root",'
	! has data || echo '"vdev=xvdb,access=rw,target=/dev/rexen/data",'
	echo "]"
	! has net || echo 'vif = [ "mac=52:54:00:00:01:00", "mac=52:54:00:00:01:01" ]'
}

state() { # a directory of the store: what the half of a device says of itself there
	case $(xenstore read "$1/state" 2>/dev/null) in
	1) echo initialising ;;
	2) echo waiting ;;
	3) echo initialised ;;
	4) echo connected ;;
	5) echo closing ;;
	6) echo closed ;;
	*) echo absent ;;
	esac
}

# A line for each device of the domain, which is the first that xl makes and so has number 1.
states() {
	for device in $devices; do
		back=$(state "/local/domain/0/backend/${device%/*}/1/${device#*/}")
		echo "$device: back end $back, front end $(state "/local/domain/1/device/$device");"
	done
}

uptime_s() {
	cut -d. -f1 /proc/uptime
}

# Until all halves are connected, or process $1, xl, is over, which then says why. A guest's driver
# would wait five minutes for a half that never comes.
await_backends() {
	end=$(($(uptime_s) + deadline_s))
	while kill -0 "$1" 2>/dev/null; do
		states >"$states"
		grep -qv 'back end connected, front end connected;' "$states" || return 0
		[ "$(uptime_s)" -lt "$end" ] ||
			fail "not connected in $deadline_s s: $(tr '\n' ' ' <"$states")"
		usleep 100000
	done
}
