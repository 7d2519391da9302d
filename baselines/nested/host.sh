# shellcheck shell=sh
# Sourced by each nested system's host.sh, in the first level: what they have in common.
# Whatever is started here writes to the console; the harness ignores what is not a @rexen line.
export PATH=/bin
exec 2>&1

fail() {
	echo "@rexen host fail $*"
	exit 1
}

# Makes the inner guest's root out of its parts, and prints its name. The workload's part is absent
# when a person wants the console, the devices' where none is needed. Appended to, not copied: memory
# is scarce here.
guest_root() {
	for part in prepare modules work; do
		if [ -e "/host/$part.cpio" ]; then
			cat "/host/$part.cpio" >>/host/base.cpio && rm "/host/$part.cpio"
		fi
	done
	echo /host/base.cpio
}

# has root|data|net: does the guest need it? /prepare has made it ready under these names.
has() {
	[ -e "/dev/rexen/$1" ] || [ -e "/sys/class/net/${1}0" ]
}

# bridge NAME PORT...: a switch of the kernel's between interfaces, all of them up. It learns and
# forwards and does nothing of its own accord: no spanning tree, no groups, no address.
bridge() {
	bridge=$1
	shift
	for scope in all default; do
		echo 1 >"/proc/sys/net/ipv6/conf/$scope/disable_ipv6"
	done
	busybox brctl addbr "$bridge" || fail "no bridge $bridge can be made"
	echo 0 >"/sys/class/net/$bridge/bridge/forward_delay"
	echo 0 >"/sys/class/net/$bridge/bridge/multicast_snooping"
	for port in "$@"; do
		busybox brctl addif "$bridge" "$port" || fail "$port cannot join bridge $bridge"
		ip link set "$port" up || fail "interface $port does not come up"
	done
	ip link set "$bridge" up || fail "bridge $bridge does not come up"
}

# A bridge for each card, with a tap0 or tap1 that an inner machine's card is joined to.
bridge_taps() {
	for card in 0 1; do
		busybox tunctl -t "tap$card" >/dev/null || fail "no interface tap$card can be made"
		bridge "br$card" "net$card" "tap$card"
	done
}

# QEMU's options for the devices the guest needs: its emulated disks and cards, on ours. cache.direct:
# this kernel's page cache must not answer for the disk. Both disks or none: the guest numbers them
# as they come.
qemu_devices() {
	if has root || has data; then
		qemu_disk 0 data read-only=off
		qemu_disk 1 root read-only=on
	fi
	if has net; then
		for card in 0 1; do
			echo "-netdev tap,id=net$card,ifname=tap$card,script=no,downscript=no"
			qemu_device $((card + 2)) "virtio-net-device,netdev=net$card,mac=52:54:00:00:01:0$card"
		done
	fi
}

qemu_disk() { # slot, role, options of the back end
	if has "$2"; then
		echo "-blockdev driver=host_device,node-name=$2,filename=/dev/rexen/$2,cache.direct=on,$3"
	else
		echo "-blockdev driver=null-co,node-name=$2,size=1048576"
	fi
	qemu_device "$1" "virtio-blk-device,drive=$2"
}

qemu_device() { # slot, device
	echo "-device $2,bus=virtio-mmio-bus.$1"
}

# The inner guest's memory in MiB, as the catalogue has it.
guest_memory() {
	sed -n 's/.*rexen\.memory=\([0-9]*\).*/\1/p' /proc/cmdline
}

# The words of our own command line, without those that only concern the first level.
inner_words() {
	for word in $(cat /proc/cmdline); do
		case $word in
		rexen.host* | rexen.memory=* | nolapic_timer) ;;
		*) printf '%s ' "$word" ;;
		esac
	done
}

# The rexen.* words and what they start: all that an inner kernel which is not of our kind can use.
rexen_words() {
	for word in $(cat /proc/cmdline); do
		case $word in
		rexen.host* | rexen.memory=*) ;;
		rexen.* | rdinit=*) printf '%s ' "$word" ;;
		esac
	done
}
