#!/bin/sh
# Boots the guest in an unprivileged domain of Xen's and ends when it does.
#
# tsc_mode=native: the guest reads the counter itself, as a paravirtual guest of ours does; by
# default Xen emulates every read (null call 2.3 instead of 1.0 us). The guest's clock source is
# Xen's own from its first moment: nothing switches later.
. /host/lib.sh

log=/var/log/xen/console
guest=guest

# Where the guest needs devices, another file has these.
domain_devices() { :; } # prints what xl is told of them
await_backends() { :; } # after xl was started as process $1
[ ! -e /host/backends.sh ] || . /host/backends.sh

for module in xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs; do
	insmod "/host/$module.ko" || fail "module $module cannot be loaded"
done
mkdir -p /run/xen /run/xenstored /run/lock /var/lib/xen /var/lock "$log" /dev/pts
ln -s /run /var/run
mount -t xenfs xenfs /proc/xen || fail "Xen's files cannot be mounted: is this its first domain?"
mount -t devpts devpts /dev/pts || fail "no devpts for the guest's console"

/host/xenstored --pid-file /run/xenstored.pid || fail "xenstored ended with status $?"
/host/xen-init-dom0 >/dev/null || fail "xen-init-dom0 ended with status $?"
# The guest's console is a log, and the log is our console.
ln -s /dev/console "$log/guest-$guest.log"
/host/xenconsoled --log=guest --pid-file=/run/xenconsoled.pid || fail "xenconsoled ended with status $?"

mkdir -p /etc/xen
: >/etc/xen/xl.conf
cat >/host/guest.cfg <<-END
	name = "$guest"
	type = "pv"
	kernel = "/host/vmlinux"
	ramdisk = "$(guest_root)"
	extra = "$(inner_words)"
	memory = $(guest_memory)
	vcpus = 1
	tsc_mode = "native"
	on_poweroff = "destroy"
	on_reboot = "destroy"
	on_crash = "destroy"
	$(domain_devices)
END
/host/xl create -F -q /host/guest.cfg &
await_backends $!
wait $! || fail "xl ended with status $?$(sed 's/^/: /' /host/why 2>/dev/null | tr '\n' ' ')"
