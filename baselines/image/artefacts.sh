#!/bin/sh
# artefacts.sh PACKAGES OUT: lays out kernels, Xen and UML as the catalogue names them.
#
#   kernel/cloud/vmlinux  kernel/full/vmlinux   uncompressed, entered directly by QEMU (PVH)
#   xen/xen.elf                                 multiboot ELF
#   uml/linux                                   Debian's User-Mode Linux
set -eu
root=$1/root
out=$2
here=$(dirname "$0")

the_one() { # the only match of a pattern
	[ $# -eq 1 ] && [ -e "$1" ] || { echo "artefacts.sh: expected one file: $*" >&2; exit 1; }
	echo "$1"
}

mkdir -p "$out/kernel/cloud" "$out/kernel/full" "$out/xen" "$out/uml"
for image in "$root"/boot/vmlinuz-*; do
	case $image in
	*-cloud-amd64) flavour=cloud ;;
	*) flavour=full ;;
	esac
	python3 "$here/unpack_kernel.py" "$image" "$out/kernel/$flavour/vmlinux"
	echo "${image##*/vmlinuz-}" >"$out/kernel/$flavour/release"
done
zcat "$(the_one "$root"/boot/xen-*-amd64.gz)" >"$out/xen/xen.elf"
cp "$(the_one "$root"/usr/bin/linux.uml)" "$out/uml/linux"
