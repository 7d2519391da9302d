"""The plugin, built and loaded into QEMU, and a guest that executes what is known (ring 2)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.measure.counting.output import counts_of
from harness.measure.machines.testbed import EMULATED_PC, load_argv, machine_argv
from harness.model.cell import Cell, CellInputs, Coordinates, Run
from harness.model.counts import Counts
from harness.model.limits import Limits
from harness.paths import checkout_root
from harness.protocol import parse

pytestmark = pytest.mark.guest
ROOT = checkout_root()
PLUGIN = ROOT / "harness/measure/counting/plugin"
KERNEL = Path(os.environ.get("REXEN_TEST_KERNEL", "/opt/rexen/kernel/cloud/vmlinux"))
GUEST = Path(os.environ.get("REXEN_TEST_ROOT", "/opt/rexen/root/guest.cpio"))
LINUX = (
    "console=ttyS0 nokaslr norandmaps mitigations=off panic=-1 quiet cryptomgr.notests "
    "tsc_early_khz=1000000 tsc=reliable no_timer_check lpj=4000000 nolapic_timer"
)
LOOPS, CALLS, PAGES, WRITES = 100_000, 50, 16, 7
# In a loop of C around what is counted, and the marks themselves.
AROUND = 12


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plugin")
    subprocess.run(["make", "-s", "-C", PLUGIN, f"OUT={out}"], check=True)
    return out / "count.so"


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guest's root with the program as its workload."""
    folder = tmp_path_factory.mktemp("guest")
    program = folder / "workloads/counted/run"
    program.parent.mkdir(parents=True)
    source = Path(__file__).with_name("program.c")
    flags = ["-O1", "-static", "-nostdlib", "-ffreestanding", "-fno-pie", "-no-pie", "-Wall"]
    include = f"-I{ROOT}/workloads/lib"
    subprocess.run(["gcc", *flags, "-Werror", include, "-o", program, source], check=True)
    archive = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"],
        cwd=folder,
        input=b"workloads\nworkloads/counted\nworkloads/counted/run",
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    (folder / "root.cpio").write_bytes(GUEST.read_bytes() + archive)
    return folder / "root.cpio"


def boot(folder: Path, root: Path, *options: str) -> bytes:
    """The console of the guest, run with these options of QEMU more."""
    folder.mkdir(exist_ok=True)
    machine = machine_argv(EMULATED_PC, serial=f"file:{folder}/console")
    load = load_argv(kernel=str(KERNEL), append=f"{LINUX} rexen.run=counted", initrd=str(root))
    subprocess.run([*machine, *load, *options], timeout=300, check=True)
    return (folder / "console").read_bytes()


@pytest.fixture(scope="module")
def run(
    plugin: Path, guest: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, Counts]:
    folder = tmp_path_factory.mktemp("counted")
    console = boot(folder, guest, "-plugin", f"{plugin},out={folder}/counts")
    limits = Limits(virtual_s=1, wall_s=1)
    cell = Cell.of(
        at=Coordinates("native", "counted", "quick"),
        run=Run(memory_mib=512, boot=limits, total=limits, metrics=()),
        inputs=CellInputs(1, "pc", "QEMU", (), {}, "counted", {}),
    )
    text = (folder / "counts").read_text()
    return console, counts_of(cell, text, parse(console).samples)


@pytest.fixture(scope="module")
def counted(run: tuple[bytes, Counts]) -> Mapping[str, Mapping[str, int]]:
    return {it.metric: {**it.work.counted, "sections": it.work.sections} for it in run[1].samples}


def test_the_guest_does_not_notice(run: tuple[bytes, Counts], guest: Path, tmp_path: Path) -> None:
    """Every byte of the console, the times of its boot among them."""
    assert boot(tmp_path / "plain", guest) == run[0]


def test_sections_add_up_and_what_is_between_them_does_not(
    counted: Mapping[str, Mapping[str, int]],
) -> None:
    assert counted["loop"]["sections"] == 3
    assert 0 <= counted["loop"]["user"] - 3 * (2 * LOOPS + 1) <= AROUND
    assert counted["loop"]["syscalls"] == 0


def test_an_empty_section_is_its_mark(run: tuple[bytes, Counts]) -> None:
    assert run[1].clock.sections == 1
    assert 1 <= run[1].clock.counted["user"] <= 2


def test_system_calls(counted: Mapping[str, Mapping[str, int]]) -> None:
    calls = counted["calls"]
    assert calls["syscalls"] == CALLS
    assert CALLS <= calls["user"] <= CALLS * AROUND
    assert calls["kernel"] > CALLS * 20
    assert calls["hypercalls"] == calls["hypervisor"] == calls["beside"] == 0


def test_page_faults(counted: Mapping[str, Mapping[str, int]]) -> None:
    assert counted["pages"]["page_faults"] == PAGES
    assert counted["pages"]["irets"] >= PAGES
    assert counted["loop"]["page_faults"] == 0


def test_port_accesses_of_a_program(counted: Mapping[str, Mapping[str, int]]) -> None:
    assert counted["ports"]["port_io"] == WRITES
    assert counted["ports"]["syscalls"] == 0


def test_sections_that_overlap_are_told_apart(counted: Mapping[str, Mapping[str, int]]) -> None:
    assert 0 <= counted["inner"]["user"] - (2 * LOOPS + 1) <= AROUND
    assert 0 <= counted["both"]["user"] - 2 * (2 * LOOPS + 1) <= AROUND


def test_a_sample_that_was_never_timed_is_left_out(run: tuple[bytes, Counts]) -> None:
    """And shifts no other's."""
    printed = [it.metric for it in parse(run[0]).samples]
    assert "untimed" in printed
    assert [it.metric for it in run[1].samples] == [it for it in printed if it != "untimed"]


def test_sections_that_become_no_sample_are_forgotten(
    counted: Mapping[str, Mapping[str, int]],
) -> None:
    """lmbench-memory times what it takes off: its sections filled the plugin's table."""
    for name in ("empty", "stale"):
        assert counted[name]["sections"] == 1
        assert counted[name]["user"] <= AROUND


@pytest.mark.parametrize(
    ("options", "words"),
    [("", "want out=FILE"), (",nonesuch=1", "cannot do nonesuch=1")],
)
def test_options_it_does_not_know(plugin: Path, options: str, words: str) -> None:
    argv = ["qemu-system-x86_64", "-display", "none", "-plugin", f"{plugin}{options}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and words in done.stderr
