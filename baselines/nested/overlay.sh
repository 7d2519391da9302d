# shellcheck shell=sh
# Sourced by each nested system's overlay.sh: what they have in common.
#
# overlay.sh ROOT ARTEFACTS fills the empty directory ROOT with what the first level of a nested
# system needs beside the guest root. ARTEFACTS is laid out like /opt/rexen of the image; it runs
# where the packages that system.toml has under `install` are installed. The image build packs ROOT
# into root/<system>.cpio.
set -eu
export LC_ALL=C
umask 022

[ $# -eq 2 ] || { echo "usage: $0 ROOT ARTEFACTS" >&2; exit 2; }
root=$1
artefacts=$2

need() {
	[ -e "$1" ] || { echo "$0: $1 is missing: install $2" >&2; exit 1; }
}

# put SOURCE PLACE [MODE]
put() {
	install -D -m "${3:-644}" "$1" "$root/$2"
}

# A program with the shared libraries it names, and theirs, where the loader will look for them.
put_program() {
	put "$1" "$2" 755
	ldd "$1" >"$root/.ldd" || : >"$root/.ldd" # a static program has none
	awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' "$root/.ldd" | while read -r file; do
		put "$(readlink -f "$file")" "${file#/}" 755
	done
	rm "$root/.ldd"
}

# What every first level has: its program, and the guest root the inner guest boots (the
# workload's part comes in an archive of its own, as host/work.cpio).
put_host() {
	put "$(dirname "$0")/../nested/host.sh" host/lib.sh
	put "$(dirname "$0")/host.sh" host/run 755
	put "$artefacts/root/base.cpio" host/base.cpio
}

# put_devices MODULES: what it has beside where a workload needs devices. What brings them up in the
# inner guest, and that kernel's modules, an archive.
put_devices() {
	put "$artefacts/root/prepare.cpio" host/prepare.cpio
	put "$1" host/modules.cpio
}
