"""unpack_kernel.py BZIMAGE VMLINUX: the ELF inside a bzImage, so that no guest unpacks it at boot.

The setup header (Linux, Documentation/arch/x86/boot.rst) gives the number of setup sectors at
0x1f1 and offset and length of the payload at 0x248 and 0x24c, counted from the protected-mode
part. The payload is one zstd frame and four bytes with its unpacked size.
"""

import struct
import subprocess
import sys
from pathlib import Path

SECTOR = 512
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def main(bzimage: Path, vmlinux: Path) -> None:
    data = bzimage.read_bytes()
    if data[0x202:0x206] != b"HdrS":
        sys.exit(f"{bzimage}: no bzImage")
    start = (data[0x1F1] + 1) * SECTOR
    offset, length = struct.unpack_from("<II", data, 0x248)
    payload = data[start + offset : start + offset + length]
    if not payload.startswith(ZSTD_MAGIC):
        sys.exit(f"{bzimage}: payload is not zstd")
    (size,) = struct.unpack("<I", payload[-4:])
    unpacked = subprocess.run(
        ["zstd", "-dc"], input=payload[:-4], stdout=subprocess.PIPE, check=True
    ).stdout
    if len(unpacked) != size or not unpacked.startswith(b"\x7fELF"):
        sys.exit(f"{bzimage}: payload unpacks to {len(unpacked)} bytes that are no kernel")
    vmlinux.write_bytes(unpacked)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
