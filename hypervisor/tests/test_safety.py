# SPDX-License-Identifier: MIT
"""What a guest was told is on its disk is there after the guest: a stock kernel's ext4.

Promised: a write that the back end has answered is in the disk's memory, which outlives every
domain. If it were not, or if writes overtook one another, the journal that a crashed kernel leaves
could not be replayed, or a file that was synced would lack records. Tried: a kernel that is made to
panic at a time drawn by lot, amid records that are synced one by one; then another kernel that
mounts the same disk. The control is the kernel alone on the machine, whose file system is shut
down at such times without writing what it still has in memory. Each is also shown to find the
losses of a writer that does not sync. A back end made to keep its last eight writes to itself fails
at each seed here; one that keeps a single write passes, as the next one follows too soon.
"""

import os
import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_disks import CMDLINE, POOL
from test_guests import DEADLINE_S, GUEST_FAILED, KERNEL, TESTS, built, lines_of, run

from harness.measure.machines.testbed import EMULATED_PC, load_argv, machine_argv

__all__ = ["built"]  # the fixture that builds hypervisor and guests
pytestmark = pytest.mark.guest
MODULES = Path(os.environ.get("REXEN_TEST_MODULES", "/opt/rexen/kernel/cloud/modules.cpio"))
PACKAGES = ("e2fsprogs", "libext2fs2t64", "libcom-err2", "libblkid1", "libuuid1", "libc6")
PROGRAMS = ("usr/sbin/mkfs.ext4", "usr/sbin/e2fsck")
SEEDS = range(3)
NS = 1_000_000_000
# preempt=full: the end comes anywhere in the kernel, not only where it yields.
WORDS = f"{CMDLINE} preempt=full"


@dataclass(frozen=True, slots=True)
class Found:
    """What a writer was told, and what a reader found."""

    acknowledged: int
    renamed: int
    found: int
    state: int

    @classmethod
    def of(cls, writer: list[str], reader: list[str]) -> "Found":
        """From their lines. The journal was replayed, no file is torn, e2fsck is content."""

        def last(lines: list[str], word: str) -> int:
            numbers = [line.split()[1] for line in lines if re.fullmatch(rf"{word} \d+", line)]
            return int(numbers[-1]) if numbers else 0

        assert "replayed 1" in reader and "e2fsck 0" in reader, reader
        assert not [line for line in reader if line.startswith("torn")], reader
        return cls(
            acknowledged=last(writer, "acknowledged"),
            renamed=last(writer, "renamed"),
            found=last(reader, "found"),
            state=last(reader, "state"),
        )

    @property
    def whole(self) -> bool:
        return self.found >= self.acknowledged and self.state >= self.renamed


def kill_ns(seed: int) -> int:
    return random.Random(seed).randrange(2_000_000, 300_000_000)


@pytest.fixture(scope="session")
def ramdisk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of tests/stock/safety.c as /init, the programs of e2fsprogs, and modules."""
    top = tmp_path_factory.mktemp("safety")
    packed, tree = top / "packed", top / "tree"
    for name in PACKAGES:
        package = next(POOL.glob(f"{name}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, packed], check=True)
    libraries = tree / "lib/x86_64-linux-gnu"
    for folder in (libraries, tree / "lib64", tree / "sbin"):
        folder.mkdir(parents=True)
    for program in PROGRAMS:
        subprocess.run(["cp", "-L", packed / program, tree / "sbin"], check=True)
    where = packed / "usr/lib/x86_64-linux-gnu"
    for library in where.glob("lib*.so.*"):
        subprocess.run(["cp", "-L", library, libraries], check=True)
    subprocess.run(["cp", "-L", where / "ld-linux-x86-64.so.2", tree / "lib64"], check=True)
    argv = ["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-o", tree / "init"]
    subprocess.run([*argv, TESTS / "stock/safety.c"], check=True)
    # Its bytes decide how long the kernel takes to read it, and so where the end falls.
    for path in tree.rglob("*"):
        os.utime(path, (0, 0))
    names = "\n".join(str(it.relative_to(tree)) for it in sorted(tree.rglob("*")))
    argv = ["cpio", "--quiet", "--reproducible", "-R", "0:0", "-o", "-H", "newc"]
    made = subprocess.run(argv, input=names.encode(), cwd=tree, capture_output=True, check=True)
    (top / "ramdisk").write_bytes(made.stdout + MODULES.read_bytes())
    return top / "ramdisk"


def crash(tmp_path: Path, ramdisk: Path, ns: int, *words: str) -> Found:
    """A writer that crashes after so long, and a reader of the same disk."""
    write = " ".join([f"safety.write={ns}", *words])
    modules = [f"{KERNEL} {WORDS} {write}", str(ramdisk)]
    modules += [f"{KERNEL} {WORDS} safety.read={30 * NS}", str(ramdisk)]
    options = "loglvl=info disk.mb=64 disk.ns=100000 disk.parts=1"
    done = run(tmp_path, modules, options=options, memory_mb=512)
    writer, reader = (lines_of(done.console, f"(d{number}) ") for number in (1, 2))
    assert "RESULT SUCCESS" in reader, done.console
    assert done.status == GUEST_FAILED, "one of them crashed"
    end, start = done.console.find("d1: ended by crash"), done.console.find("(d2) replayed")
    assert 0 < end < start, done.console
    return Found.of(writer, reader)


def lose(tmp_path: Path, ramdisk: Path, times: list[int], *words: str) -> list[Found]:
    """The same natively, one time after the other."""
    console = tmp_path / "console"
    kills = ",".join(str(ns) for ns in times)
    append = " ".join([WORDS.replace("hvc0", "ttyS0"), f"safety.both={kills}", *words])
    argv = machine_argv(EMULATED_PC, serial=f"file:{console}")
    argv += load_argv(kernel=str(KERNEL), append=append, initrd=str(ramdisk))
    subprocess.run(argv, timeout=DEADLINE_S, check=True, stdin=subprocess.DEVNULL)
    text = console.read_text(errors="replace").replace("\r", "")
    assert "RESULT SUCCESS" in text.splitlines(), text
    runs = [part.splitlines() for part in re.split(r"^kill ", text, flags=re.M)[1:]]
    assert [int(lines[0]) for lines in runs] == times
    return [Found.of(lines, lines) for lines in runs]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_synced_survives_the_guest(tmp_path: Path, ramdisk: Path, seed: int) -> None:
    found = crash(tmp_path, ramdisk, kill_ns(seed))
    print(found)
    assert found.whole and found.acknowledged > 0, found


def test_what_was_not_synced_is_missed(tmp_path: Path, ramdisk: Path) -> None:
    """Or the test above could not fail."""
    found = crash(tmp_path, ramdisk, kill_ns(0), "safety.nosync")
    assert found.acknowledged > 0 and not found.whole, found


def test_what_was_synced_survives_natively(tmp_path: Path, ramdisk: Path) -> None:
    for found in lose(tmp_path, ramdisk, [kill_ns(seed) for seed in SEEDS]):
        print(found)
        assert found.whole and found.acknowledged > 0, found


def test_what_was_not_synced_is_missed_natively(tmp_path: Path, ramdisk: Path) -> None:
    (found,) = lose(tmp_path, ramdisk, [kill_ns(0)], "safety.nosync")
    assert found.acknowledged > 0 and not found.whole, found
