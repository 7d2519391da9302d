#!/bin/sh
# disk.sh LIST OUT: makes OUT, the read-only root image that every system mounts on /mnt/root: the
# Debian packages that LIST names for the stage `disk`, and what they depend on, unpacked. No package's
# own scripts run. erofs, not compressed, or unpacking would be timed with every first read.
# Reproducible: dates, owners and the file system's name are fixed, files are laid out in order.
set -eu
export LC_ALL=C
umask 022
list=$1 out=$2
size_mib=64 # as harness/measure/machines/devices.py has it
tree=$(mktemp -d)
: >"$tree.status"

# shellcheck disable=SC2046 # one word each
apt-get -q -y --print-uris --no-install-recommends -o Dir::State::status="$tree.status" install \
	$(sed 's/#.*//' "$list" | awk '$1 == "disk" { print $2 }' | sort -u) >"$tree.uris"
# Merged /usr comes with base-files: the links must be there before anything is put through them.
sed -n "s/^'[^']*' \([^ ]*\.deb\) .*/\1/p" "$tree.uris" | sort | sed 's/^base-files_/0&/' | sort |
	sed 's/^0//' | while read -r deb; do
	dpkg-deb --extract "/pool/$deb" "$tree"
done
rm -rf "$tree/usr/share/doc" "$tree/usr/share/man" "$tree/usr/share/locale" "$tree/usr/share/info" \
	"$tree/var/cache"
ldconfig -i -X -r "$tree" || /sbin/ldconfig -r "$tree"
mkdir -p "$(dirname "$out")"
mkfs.erofs --quiet -T0 -U 72657865-6e00-4000-8000-726f6f740000 --all-root -Eforce-inode-extended \
	"$out" "$tree"
used=$(stat -c %s "$out")
[ "$used" -le $((size_mib << 20)) ] || {
	echo "disk.sh: the image has $used bytes, more than $size_mib MiB" >&2
	exit 1
}
truncate -s "${size_mib}M" "$out"
rm -rf "$tree" "$tree.status" "$tree.uris"
