# shellcheck shell=sh
# Sourced by each nested system's overlay.sh: what they have in common.
#
# overlay.sh TREE PACKAGES ARTEFACTS fills the empty directory TREE with what the first level of a
# nested system needs beside the guest root. PACKAGES holds Debian packages unpacked under root/,
# ARTEFACTS is laid out as in the image. It runs where QEMU is installed.
set -eu
export LC_ALL=C
umask 022

[ $# -eq 3 ] || { echo "usage: $0 TREE PACKAGES ARTEFACTS" >&2; exit 2; }
tree=$1
packages=$2
artefacts=$3

need() {
	[ -e "$1" ] || { echo "$0: $1 is missing: install $2" >&2; exit 1; }
}

# put SOURCE PLACE [MODE]
put() {
	install -D -m "${3:-644}" "$1" "$tree/$2"
}

# put_program SOURCE PLACE: with the shared libraries it names, and theirs, where the loader looks.
put_program() {
	put "$1" "$2" 755
	ldd "$1" >"$tree/.ldd" || : >"$tree/.ldd" # a static program has none
	awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' "$tree/.ldd" | while read -r file; do
		put "$(readlink -f "$file")" "${file#/}" 755
	done
	rm "$tree/.ldd"
}

# put_module NAME: a module of the cloud kernel, decompressed, as host/NAME.ko.
put_module() {
	file=$(find "$packages/root" -name "$1.ko.xz" -path "*-cloud-*")
	[ -n "$file" ] || { echo "$0: no $1.ko.xz of the cloud kernel in $packages" >&2; exit 1; }
	mkdir -p "$tree/host"
	busybox xzcat "$file" >"$tree/host/$1.ko"
}

# What every first level has: its program, and the guest root the inner guest boots.
put_host() {
	put "$(dirname "$0")/../lib/words.sh" host/lib.sh
	put "$(dirname "$0")/host.sh" host/run 755
	put "$artefacts/root/guest.cpio" host/guest.cpio
}
