#!/bin/sh
# fetch.sh DIR PACKAGE...: downloads Debian packages and unpacks them below DIR/root, without
# installing them. A metapackage of a kernel is followed to the kernel it stands for. Each name
# and version goes into DIR/versions.
set -eu
[ $# -ge 2 ] || { echo "usage: fetch.sh DIR PACKAGE..." >&2; exit 2; }
dir=$1
shift
mkdir -p "$dir/root" "$dir/deb"
cd "$dir/deb"
apt-get -q update
for name in "$@"; do
	real=$(apt-cache depends --important "$name" |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)
	apt-get -q -o APT::Sandbox::User=root download "${real:-$name}"
done
for deb in *.deb; do
	dpkg-deb --extract "$deb" "$dir/root"
	dpkg-deb --show --showformat '${Package} ${Version}\n' "$deb"
done | sort >"$dir/versions"
cd /
rm -rf "$dir/deb" /var/lib/apt/lists/*
