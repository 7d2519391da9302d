#!/bin/sh
# bench.sh ROOT ARTEFACTS BOOTED POOL: lays out the image that cells run in, and no more.
#
# ROOT gets QEMU with its libraries and the firmware that the emulated PC loads, a shell for `boot`,
# and below /opt/rexen those ARTEFACTS that a line of BOOTED, a pattern, names. Where cards with a ROM
# of their own join the PC, their ROMs must join the firmware. Its manifest is what identities and
# provenance come from:
#
#   file <sha256> <path>                      every artefact, path relative to /opt/rexen
#   emulator <sha256> <version>               QEMU: program, libraries and firmware as one
#   differs <name> locked <v> built <v>       what is not as inputs.lock has it
booted=$3 pool=$4
here=$(dirname "$0")
set -- "$1" "$2"
. "$here/../baselines/nested/overlay.sh"

firmware="bios-256k.bin kvmvapic.bin linuxboot_dma.bin multiboot_dma.bin pvh.bin"

put_program /usr/bin/qemu-system-x86_64 usr/bin/qemu-system-x86_64
for name in $firmware; do
	place=$(find /usr/share/qemu /usr/share/seabios -name "$name" | head -n 1)
	need "${place:-$name}" qemu-system-data
	put "$place" "usr/share/qemu/$name"
done
emulator=$(cd "$root" && find . -type f -printf '%P\n' | sort | xargs sha256sum | sha256sum |
	cut -d' ' -f1)
put /bin/busybox bin/busybox 755
ln -s busybox "$root/bin/sh"
ln -s busybox "$root/bin/cat"
mkdir -p "$root/tmp"
chmod 1777 "$root/tmp"

home=$root/opt/rexen
while read -r pattern; do
	for file in "$artefacts"/$pattern; do
		need "$file" "nothing, its system boots it"
		put "$file" "${home#"$root"/}/${file#"$artefacts"/}"
	done
done <"$booted"
put "$here/boot" "${home#"$root"/}/bin/boot" 755
# No cell depends on it: it is loaded only where executed instructions are counted.
put "$artefacts/count/count.so" "${home#"$root"/}/count/count.so"
put "$pool/inputs" "${home#"$root"/}/inputs"
{
	(cd "$home" && find . -type f -printf '%P\n' | sort | xargs sha256sum) |
		sed 's/^\([0-9a-f]*\)  /file \1 /'
	echo "emulator $emulator $(dpkg-query --show --showformat '${Version}' qemu-system-x86)"
	sed 's/^/differs /' "$pool/differs"
} >"$home.manifest"
mv "$home.manifest" "$home/manifest"
