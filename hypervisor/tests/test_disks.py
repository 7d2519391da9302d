# SPDX-License-Identifier: MIT
"""Stock front ends on the emulated machine: block devices, rights, what survives a domain, and
what a guest at work notices of hostile ones.

The modules of the stock kernel come out of its package, REXEN_TEST_POOL says where that lies. What
is missing is a failure, never a skip.
"""

import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from test_guests import (
    CARDS,
    CLEAN,
    GUEST_FAILED,
    KERNEL,
    built,
    guest,
    lines_of,
    ramdisk_of,
    run,
)

__all__ = ["built"]  # the fixture that builds hypervisor and guests
pytestmark = pytest.mark.guest
POOL = Path(os.environ.get("REXEN_TEST_POOL", "/pool"))
DRIVERS = "usr/lib/modules/*/kernel/drivers"
BLOCK, NET = "block/xen-blkfront", "net/xen-netfront"
CMDLINE = "console=hvc0 quiet panic=-1 noreplace-smp cryptomgr.notests mitigations=off"


def ramdisk(tmp_path: Path, program: str, *modules: str) -> str:
    """An archive of tests/stock/PROGRAM.c as /init and the stock front ends."""
    package = next(POOL.glob("linux-image-*-cloud-amd64_*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "package"], check=True)
    files = {}
    for module in modules:
        packed = next((tmp_path / "package").glob(f"{DRIVERS}/{module}.ko.xz"))
        unpacked = subprocess.run(["xz", "-dc", packed], capture_output=True, check=True)
        files[packed.stem] = unpacked.stdout
    return ramdisk_of(tmp_path, f"stock/{program}.c", files)


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
    modules = [
        f"{KERNEL} {CMDLINE} rexen.root",
        ramdisk(tmp_path, "disk", BLOCK),
        guest("disk-front"),
    ]
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


SLICE_US, GRACE_US = 5000, 1000


def at_work(tmp_path: Path, attackers: list[str]) -> dict[str, int]:
    """What the stock guest at work says of its times, in us, and how often it sent again."""
    modules = [f"{KERNEL} {CMDLINE}", ramdisk(tmp_path, "io", BLOCK, NET), *attackers]
    options = "loglvl=info disk.mb=24 disk.ns=100000 disk.mbps=500 dom1.mem=256 disk.parts=3"
    options += " dom2.mem=16" if attackers else ""
    done = run(tmp_path, modules, options=options, memory_mb=384, extra=() if attackers else CARDS)
    lines = lines_of(done.console, "(d1) " if attackers else "")
    assert "RESULT SUCCESS" in lines, done.console
    assert done.status == CLEAN
    assert "references left" not in done.console
    ends = [done.console.index(f"d{n}: ended by") for n in range(1, 2 + len(attackers))]
    assert ends[0] == min(ends)  # they were there all the time
    times = " ".join(line for line in lines if line.startswith(("all ", "longest ")))
    return {word: int(n) for word, n in re.findall(r"(\w+) (\d+)", times)}


def test_stock_guest_beside_two_hostile_ones(tmp_path: Path) -> None:
    """Disk, network and processor of a stock guest, with rings full of everything beside it."""
    for name in ("alone", "beside"):
        (tmp_path / name).mkdir()
    alone = at_work(tmp_path / "alone", [])
    beside = at_work(
        tmp_path / "beside",
        [f"{guest('fuzz')} seed={seed} from=1500 until=9000" for seed in (1, 2)],
    )
    turns_of_others = 2 * (SLICE_US + GRACE_US)
    assert beside["computing"] <= 1.05 * 3 * alone["computing"]
    assert SLICE_US < beside["gap"] <= turns_of_others
    assert beside["disk"] <= alone["disk"] + turns_of_others
    assert beside["packet"] <= alone["packet"] + turns_of_others
    assert beside["again"] <= alone["again"] + 3


def test_stock_guests_share_pages(tmp_path: Path) -> None:
    """One lends by gntalloc, the other maps by gntdev and answers in what it mapped."""
    kernel = f"{KERNEL} {CMDLINE}"
    archive = ramdisk(tmp_path, "grants", "xen/xen-gntalloc", "xen/xen-gntdev")
    modules = [f"{kernel} grants.lend=2", archive, f"{kernel} grants.map=1", archive]
    done = run(tmp_path, modules, memory_mb=512)
    for number in (1, 2):
        assert "RESULT SUCCESS" in lines_of(done.console, f"(d{number}) "), done.console
    assert done.status == CLEAN
    assert "references left" not in done.console


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
