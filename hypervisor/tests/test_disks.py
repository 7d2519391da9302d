# SPDX-License-Identifier: MIT
"""Block devices on the emulated machine: the stock front end, rights, and what survives a domain.

The module of the stock front end comes out of the kernel's package, REXEN_TEST_POOL says where that
lies. What is missing is a failure, never a skip.
"""

import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from test_guests import CLEAN, GUEST_FAILED, KERNEL, TESTS, built, guest, lines_of, run

__all__ = ["built"]  # the fixture that builds hypervisor and guests
pytestmark = pytest.mark.guest
POOL = Path(os.environ.get("REXEN_TEST_POOL", "/pool"))
MODULE = "usr/lib/modules/*/kernel/drivers/block/xen-blkfront.ko.xz"
CMDLINE = "console=hvc0 quiet panic=-1 noreplace-smp cryptomgr.notests mitigations=off"


def ramdisk(tmp_path: Path) -> str:
    """An archive of tests/stock/disk.c as /init and the stock block front end."""
    package = next(POOL.glob("linux-image-*-cloud-amd64_*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "package"], check=True)
    packed = next((tmp_path / "package").glob(MODULE))
    unpacked = subprocess.run(["xz", "-dc", packed], capture_output=True, check=True)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "xen-blkfront.ko").write_bytes(unpacked.stdout)
    argv = ["gcc", "-O1", "-Wall", "-Werror", "-static", "-o", tree / "init"]
    subprocess.run([*argv, TESTS / "stock/disk.c"], check=True)
    names = b"init\nxen-blkfront.ko\n"
    done = subprocess.run(
        ["cpio", "-o", "-H", "newc"], input=names, cwd=tree, capture_output=True, check=True
    )
    (tmp_path / "ramdisk").write_bytes(done.stdout)
    return str(tmp_path / "ramdisk")


def root_image(tmp_path: Path) -> tuple[str, ...]:
    """Arguments for an nvdimm of 4 MB that begins with a word we know."""
    image = tmp_path / "root.img"
    image.write_bytes(b"rexenroot".ljust(4 << 20, b"\0"))
    backend = f"memory-backend-file,id=root,share=off,mem-path={image},size=4M"
    return (
        *("-machine", "nvdimm=on", "-m", "384M,slots=2,maxmem=4G"),
        *("-object", backend, "-device", "nvdimm,memdev=root"),
    )


def test_stock_front_end(tmp_path: Path) -> None:
    """Data and root disk of a stock guest, with an attacker on a part of the same disk.

    A request takes the disk's 100 us of virtual time, and at most 21 more.
    """
    modules = [f"{KERNEL} {CMDLINE} rexen.root", ramdisk(tmp_path), guest("disk-front")]
    options = "loglvl=info disk.mb=16 disk.ns=100000 disk.mbps=500 root=0x100000000,0x400000"
    options += " dom2.mem=16"
    done = run(tmp_path, modules, options=options, memory_mb=384, extra=root_image(tmp_path))
    lines = lines_of(done.console, "(d1) ")
    assert "RESULT SUCCESS" in lines, done.console
    assert "data disk of 8388608 bytes" in lines
    assert "root disk of 4194304 bytes begins rexenroot" in lines
    assert "RESULT SUCCESS" in lines_of(done.console, "(d2) ")
    assert done.status == CLEAN
    took = re.search(r"^\(d1\) read (\d+) ns$", done.console, re.M)
    assert took and 100_000 < int(took[1]) < 121_000


@pytest.mark.parametrize("seed", range(4))
def test_acknowledged_records_survive(tmp_path: Path, seed: int) -> None:
    """A domain ends at a seeded time amid writes; the next one finds all that was promised."""
    kill = random.Random(seed).randrange(300_000, 20_000_000)
    modules = [f"{guest('disk-records')} kill={kill}", f"{guest('disk-records')} read=40000000"]
    options = "loglvl=info disk.mb=8 disk.ns=100000 disk.parts=1"
    done = run(tmp_path, modules, options=options)
    assert done.status == GUEST_FAILED, done.console
    assert "d1: ended by crash" in done.console
    acknowledged = re.findall(r"^\(d1\) acknowledged (\d+)$", done.console, re.M)
    found = re.search(r"^\(d2\) found (\d+)$", done.console, re.M)
    assert "RESULT SUCCESS" in lines_of(done.console, "(d2) "), done.console
    assert acknowledged and found and int(found[1]) >= int(acknowledged[-1])


def test_parts_are_apart(tmp_path: Path) -> None:
    """One domain writes records to its part, the other reads its own; which stays empty."""
    modules = [f"{guest('disk-records')} kill=9000000", f"{guest('disk-records')} read=30000000"]
    done = run(tmp_path, modules)
    assert re.search(r"^\(d1\) acknowledged 20$", done.console, re.M), done.console
    assert re.search(r"^\(d2\) found 0$", done.console, re.M), done.console
