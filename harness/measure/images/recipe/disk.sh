#!/bin/sh
# disk.sh LISTS MIB LINUX OUT: makes OUT, the read-only root image that every system mounts on /mnt/root,
# MIB large: the Debian packages that LISTS/debian.list names for the stage `disk`, and what they
# depend on, unpacked, without what left-out.list has. No package's own scripts run. What linux.sh has
# made at LINUX and beside it goes to /usr/src; where PostgreSQL is, cluster.sh makes a database
# cluster. OUT.sha256 has the image's digest.
# erofs, not compressed, or unpacking would be timed with every first read. Reproducible: dates,
# owners and the file system's name are fixed, files are laid out in order.
set -eu
export LC_ALL=C
umask 022
lists=$1 size_mib=$2 linux=$3 out=$4
here=$(dirname "$0")
work=$(mktemp -d)
tree=$work/tree
chmod 755 "$work"
mkdir "$tree"
: >"$work/status"

# shellcheck disable=SC2046 # one word each
apt-get -q -y --print-uris --no-install-recommends -o Dir::State::status="$work/status" install \
	$(sed 's/#.*//' "$lists/debian.list" | awk '$1 == "disk" { print $2 }' | sort -u) >"$work/uris"
# Merged /usr comes with base-files: the links must be there before anything is put through them.
sed -n "s/^'[^']*' \([^ ]*\.deb\) .*/\1/p" "$work/uris" | sort | sed 's/^base-files_/0&/' | sort |
	sed 's/^0//' | while read -r deb; do
	dpkg-deb --extract "/pool/$deb" "$tree"
done
mkdir -p "$tree/usr/src"
cp -a "$linux" "$linux".* "$tree/usr/src/"
grep -v '^#' "$lists/left-out.list" | while read -r pattern; do
	# shellcheck disable=SC2086 # a pattern
	(cd "$tree" && rm -rf $pattern)
done

# What scripts of packages would have done.
ldconfig -i -X -r "$tree" || /sbin/ldconfig -r "$tree"
[ ! -e "$tree/usr/bin/mawk" ] || ln -sf mawk "$tree/usr/bin/awk"
cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
echo 'postgres:x:100:65534::/tmp:/bin/sh' >>"$tree/etc/passwd"
[ ! -e "$tree/usr/lib/postgresql" ] || "$here/cluster/cluster.sh" "$tree"

# Where a guest mounts its own (workloads/lib/io/app.c).
(cd "$tree" && mkdir -p dev proc sys tmp workloads mnt/data)

mkdir -p "$(dirname "$out")"
mkfs.erofs --quiet -T0 -U 72657865-6e00-4000-8000-726f6f740000 --all-root -Eforce-inode-extended \
	"$out" "$tree"
used=$(stat -c %s "$out")
echo "disk.sh: $((used >> 20)) of $size_mib MiB used"
[ "$used" -le $((size_mib << 20)) ] || {
	echo "disk.sh: the image has $used bytes, more than $size_mib MiB" >&2
	exit 1
}
truncate -s "${size_mib}M" "$out"
sha256sum "$out" | cut -d' ' -f1 >"$out.sha256"
rm -rf "$work"
