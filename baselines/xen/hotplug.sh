#!/bin/sh
# Run by xl when a back end has come (add, online) or has gone: joins it to the first domain's own
# device, and says so in the store, for which the back end waits.
#
#   $XENBUS_PATH   the back end's directory in the store
#   $vif           the back end's interface, vifDOMAIN.NUMBER, which joins the bridge brNUMBER
why=${WHY:-/host/why}

refuse() { # the reason, for the line that host.sh ends with; on standard error for xl's log
	echo "$XENBUS_PATH: $*" | tee -a "$why" >&2
	exit 1
}

case $1 in
add)
	disk=$(xenstore read "$XENBUS_PATH/params") || refuse "the store names no disk"
	[ -b "$disk" ] || refuse "$disk is no block device"
	# Major and minor number, hexadecimal.
	xenstore write "$XENBUS_PATH/physical-device" "$(stat -L -c %t:%T "$disk")" ||
		refuse "the store takes no physical-device"
	;;
online)
	bridge=br${vif##*.}
	busybox brctl addif "$bridge" "$vif" || refuse "$vif cannot join $bridge"
	ip link set "$vif" up || refuse "$vif does not come up"
	;;
*) exit 0 ;; # gone: what it was joined to forgets it
esac
xenstore write "$XENBUS_PATH/hotplug-status" connected || refuse "the store takes no hotplug-status"
