"""Every way a machine can stop, played by a fake QEMU, told apart."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DiskFullError, EngineError
from harness.measure.machines import qemu
from harness.measure.machines.qemu import Interrupted, MachineOrder, run_machine
from harness.measure.machines.verdict import judge
from harness.model.limits import Limits
from harness.model.record import Status
from harness.tests.builders import GOOD_CONSOLE, FakeEngine

BEGUN = GOOD_CONSOLE.partition("@rexen boot")[0]
AFTER_BOOT = GOOD_CONSOLE[GOOD_CONSOLE.index("@rexen fact") :]


def an_order(wall_s: float = 5.0) -> MachineOrder:
    limits = Limits(virtual_s=60, wall_s=wall_s)
    return MachineOrder("image", ["qemu"], 512, limits, limits, "tests", "cell")


def play(
    tmp_path: Path, script: list[list[Any]], *, wall_s: float = 5.0, out_of_memory: bool = False
) -> tuple[Status, str]:
    order = an_order(wall_s=wall_s)
    engine = FakeEngine(script, out_of_memory=out_of_memory)
    run = run_machine(engine, order, tmp_path, threading.Event())
    status, reason, _ = judge(run.stopped, ["null_call"])
    return status, reason


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ([["print", GOOD_CONSOLE], ["forever"]], Status.OK, ""),
        # QEMU may be gone before the end line was looked at.
        ([["print", GOOD_CONSOLE], ["event", "guest-shutdown"]], Status.OK, ""),
        (
            [["print", "[ 1.0] Kernel panic - not syncing: No init\n"], ["event", "guest-reset"]],
            Status.PANIC,
            "No init",
        ),
        (
            [["print", BEGUN + "Panic on CPU 0:\n"], ["event", "guest-reset"]],
            Status.PANIC,
            "after the workload began",
        ),
        ([["print", "hi\n"], ["event", "guest-reset"]], Status.BOOT, "last console line: 'hi'"),
        ([["event", "guest-shutdown"]], Status.BOOT, "nothing at all"),
        ([["print", BEGUN], ["clock", 61], ["forever"]], Status.HANG, "60 virtual s"),
        ([["clock", 100], ["forever"]], Status.BOOT, "60 virtual s (while booting)"),
        ([["exit", 1, "qemu: no such kernel"]], Status.ENGINE, "no such kernel"),
        ([["print", BEGUN + "@rexen sample x\n@rexen end 0 1\n"]], Status.GARBAGE, "line 3"),
        ([["flood", 10 << 20], ["forever"]], Status.GARBAGE, "flooded"),
        (
            [["print", BEGUN + "@rexen fail - no socket\n@rexen end 3 0\n"]],
            Status.WORKLOAD,
            "status 3: - no socket",
        ),
        ([["print", BEGUN + "@rexen end 0 0\n"]], Status.WORKLOAD, "no sample of null_call"),
        # What a full disk made of a console: its first lines were gone.
        (
            [["print", GOOD_CONSOLE.partition("@rexen begin")[0]], ["print", AFTER_BOOT]],
            Status.GARBAGE,
            "begin and boot lines are lost",
        ),
        (
            [["print", "@rexen host fail no /dev/kvm\n"], ["event", "guest-shutdown"]],
            Status.BOOT,
            "no /dev/kvm",
        ),
        (
            [
                ["print", BEGUN + "Out of memory: Killed process 7 (run) total-vm\n"],
                ["print", "@rexen end 137 0\n"],
            ],
            Status.OUT_OF_MEMORY,
            "killed run",
        ),
    ],
)
def test_stop_reasons(tmp_path: Path, script: list[list[Any]], status: Status, words: str) -> None:
    found, reason = play(tmp_path, script)
    assert (found, words in reason) == (status, True), reason


def test_wall_deadline(tmp_path: Path) -> None:
    status, reason = play(tmp_path, [["print", BEGUN], ["forever"]], wall_s=0.4)
    assert status is Status.HANG
    assert "0.4 wall s" in reason


def test_a_panic_that_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Xen took four minutes of wall time to reboot after its panic; it says why a line later."""
    monkeypatch.setattr(qemu, "PANIC_WALL_S", 0.3)
    script: list[list[Any]] = [
        ["print", "(XEN) Panic on CPU 0:\n"],
        ["sleep", 0.1],
        ["print", "(XEN) no domain 0\n(XEN) ****\n"],
        ["forever"],
    ]
    order, engine = an_order(wall_s=60), FakeEngine(script)
    started = time.monotonic()
    run = run_machine(engine, order, tmp_path, threading.Event())
    status, reason, _ = judge(run.stopped, ["null_call"])
    assert (status, reason) == (Status.PANIC, "Panic on CPU 0: no domain 0 (while booting)")
    assert time.monotonic() - started < 10


def test_container_out_of_memory(tmp_path: Path) -> None:
    script: list[list[Any]] = [["print", BEGUN], ["exit", 137, ""]]
    status, reason = play(tmp_path, script, out_of_memory=True)
    assert status is Status.OUT_OF_MEMORY
    assert "container ran out of memory" in reason


def test_engine_that_dies_in_mid_run_is_no_result(tmp_path: Path) -> None:
    order = an_order()
    engine = FakeEngine([["print", BEGUN], ["exit", 137, ""]])
    engine.dead = True
    with pytest.raises(EngineError):
        run_machine(engine, order, tmp_path, threading.Event())
    assert engine.started[0].process.poll() is not None


def test_a_disk_that_fills_up_in_mid_run_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QEMU tries a console byte again in the host's time, and drops it: 20 ns and two lines."""
    monkeypatch.setattr(qemu, "SPARE_BYTES", 1 << 80)
    engine = FakeEngine([["print", BEGUN], ["forever"]])
    with pytest.raises(DiskFullError, match="MiB are free where"):
        run_machine(engine, an_order(), tmp_path, threading.Event())
    assert engine.started[0].process.poll() is not None


def test_interrupt_stops_the_machine(tmp_path: Path) -> None:
    order = an_order()
    engine = FakeEngine([["forever"]])
    interrupt = threading.Event()
    interrupt.set()
    with pytest.raises(Interrupted):
        run_machine(engine, order, tmp_path, interrupt)
    assert engine.started[0].process.poll() is not None
