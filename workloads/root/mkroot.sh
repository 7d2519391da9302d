#!/bin/sh
# mkroot.sh BUILD NAME...: packs the guest root of these workloads as reproducible newc archives.
#
#   BUILD/root/base.cpio          init, busybox, dash, the C library, report.sh: no workload
#   BUILD/root/work/NAME.cpio     one workload, /workloads/NAME; laid over base
#   BUILD/root/prepare.cpio       /prepare, for boots of workloads that need devices
#   BUILD/root/nested/NAME.cpio   that archive as the file /host/work.cpio, for the first level of a
#                                 nested system, which lays it over base for the inner guest
#   BUILD/guest.cpio              base and every workload in one
# A kernel takes archives one after the other from one file, so to lay over is to append. The parts
# are what a cell depends on: a change of one workload leaves the bytes of all others alone.
#
# BUILD is what `make -C workloads` made: init and workloads/. Everything else is copied from the
# Debian packages installed here: busybox-static, dash, libc6. Same inputs, same bytes, whatever
# the directory, user, umask and clock: entries are sorted, owned by 0:0, dated 0, inodes renumbered.
set -eu
export LC_ALL=C
umask 022

[ $# -ge 1 ] || { echo "usage: mkroot.sh BUILD NAME..." >&2; exit 2; }
build=$(cd "$1" && pwd)
shift
trees=$(mktemp -d)
trap 'rm -rf "$trees"' EXIT
root=$trees/base

# What our shell workloads and the host programs of nested systems use, and a person looks for.
applets="[ awk base64 basename blkid cat chmod chroot clear cmp cp cut date dd df diff dirname dmesg
du echo egrep env expr false fgrep find free grep gunzip gzip halt head hexdump hostname id ifconfig
insmod ip kill killall ln ls lsmod lsof md5sum mkdir mkfifo mknod mktemp modprobe more mount mv nc
netstat nice nproc od pgrep ping pkill poweroff printf ps pwd readlink reboot rm rmdir rmmod route
sed seq setsid sha256sum sleep sort stat strings stty sync sysctl tail tar taskset tee test time
timeout top touch tr true truncate tty umount uname uniq uptime usleep vi watch wc wget which xargs
xxd yes zcat"

need() {
	[ -e "$1" ] || { echo "mkroot.sh: $1 is missing: install $2" >&2; exit 1; }
}

pack() { # tree, archive
	chmod -R u=rwX,go=rX "$1"
	[ ! -d "$1/tmp" ] || chmod 1777 "$1/tmp"
	find "$1" -exec touch -h -d @0 {} +
	(cd "$1" && find . -mindepth 1 -printf '%P\n' | sort |
		cpio --quiet --reproducible -o -H newc -R 0:0) >"$2"
}

copy() { # source, place in the root, mode
	mkdir -p "$root/$(dirname "$2")"
	cp -L "$1" "$root/$2"
	chmod "$3" "$root/$2"
}

need /bin/busybox busybox-static
need /bin/dash dash
need /lib/x86_64-linux-gnu/libc.so.6 libc6
need /lib64/ld-linux-x86-64.so.2 libc6
need "$build/init" "nothing, run make -C workloads first"
need "$build/prepare" "nothing, run make -C workloads first"

for dir in bin dev etc lib/x86_64-linux-gnu lib64 proc root sbin sys tmp \
	workloads/lib; do
	mkdir -p "$root/$dir"
done
copy /bin/busybox bin/busybox 755
for applet in $applets; do
	ln -s busybox "$root/bin/$applet"
done
copy /bin/dash bin/dash 755
ln -s dash "$root/bin/sh"
copy /lib64/ld-linux-x86-64.so.2 lib64/ld-linux-x86-64.so.2 755
copy /lib/x86_64-linux-gnu/libc.so.6 lib/x86_64-linux-gnu/libc.so.6 755
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
echo '127.0.0.1 localhost' >"$root/etc/hosts"

# Without a cache the loader looks for libc in directories named after features of the CPU, so that
# exec would cost more on some systems than on others.
echo '/lib/x86_64-linux-gnu' >"$root/etc/ld.so.conf"
/sbin/ldconfig -i -X -r "$root"
rm -rf "$root/var"

copy "$build/init" init 755
cp -R "$build/workloads/lib/." "$root/workloads/lib/"

out=$build/root
rm -rf "$out" "$build/guest.cpio"
mkdir -p "$out/work" "$out/nested"
pack "$root" "$out/base.cpio"
mkdir "$trees/prepare"
cp "$build/prepare" "$trees/prepare/prepare"
chmod 755 "$trees/prepare/prepare"
pack "$trees/prepare" "$out/prepare.cpio"
for name in "$@"; do
	mkdir -p "$trees/work/$name/workloads" "$trees/nested/$name/host"
	cp -R "$build/workloads/$name" "$trees/work/$name/workloads/"
	pack "$trees/work/$name" "$out/work/$name.cpio"
	cp "$out/work/$name.cpio" "$trees/nested/$name/host/work.cpio"
	pack "$trees/nested/$name" "$out/nested/$name.cpio"
done
for archive in "$out/base.cpio" "$out"/work/*.cpio; do
	cat "$archive"
done >"$build/guest.cpio"
