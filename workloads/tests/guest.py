"""A guest for tests: a kernel and an archive, booted by QEMU, and what its console said (ring 2).

Runs in the checks image, where QEMU and a kernel are.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness import protocol
from harness.measure.machines.testbed import EMULATED_PC, load_argv, machine_argv
from harness.protocol import Transcript

KERNEL = Path(os.environ.get("REXEN_TEST_KERNEL", "/opt/rexen/kernel/cloud/vmlinux"))
ROOT = Path(os.environ.get("REXEN_TEST_ROOT", "/opt/rexen/root/guest.cpio"))
LINUX = (
    "console=ttyS0 nokaslr norandmaps mitigations=off panic=-1 quiet cryptomgr.notests "
    "tsc_early_khz=1000000 tsc=reliable no_timer_check lpj=4000000 nolapic_timer"
)


def boot(tmp: Path, word: str, root: bytes) -> tuple[Transcript, bytes]:
    """Boot `root` with `word` on the command line; `tmp` takes the archive and the console."""
    (tmp / "root.cpio").write_bytes(root)
    machine = machine_argv(EMULATED_PC, serial=f"file:{tmp}/console")
    load = load_argv(kernel=str(KERNEL), append=f"{LINUX} {word}", initrd=f"{tmp}/root.cpio")
    subprocess.run([*machine, *load], timeout=120, check=True)
    console = (tmp / "console").read_bytes()
    return protocol.parse(console), console
