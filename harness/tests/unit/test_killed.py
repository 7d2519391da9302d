"""`rexen run` as a process of its own, killed in mid-campaign: nothing lost, nothing run twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.host.deadline import Deadline
from harness.paths import checkout_root
from harness.store import Store
from harness.tests.world import WorldEngine, cell_name

SYSTEMS = ("--system", "native", "--system", "xen")
CELLS = len(WorldEngine().planned("native", "xen"))


def start(tmp_path: Path, *, pause_s: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "harness.tests.world", str(tmp_path / "starts"), str(pause_s)),
            *("run", "--results", str(tmp_path / "results"), "--jobs", "2", *SYSTEMS),
        ],
        cwd=checkout_root(),
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_records(store: Store, count: int) -> None:
    deadline = Deadline.after(30)
    while len(list(store.records_dir.glob("*/*.json"))) < count:
        assert not deadline.passed, "no records came"
        time.sleep(0.02)


def starts(tmp_path: Path) -> Counter[str]:
    return Counter((tmp_path / "starts").read_text().split())


def test_kill_9_in_mid_campaign_then_resume(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    first = start(tmp_path, pause_s=0.4)
    wait_for_records(store, 2)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    kept = {cell_name(record.at): record for record in store.all_records()}
    begun = starts(tmp_path)
    assert len(kept) >= 2 and all(record.ok for record in kept.values())

    second = start(tmp_path, pause_s=0)
    assert second.wait(60) == ExitCode.OK
    assert second.stderr is not None
    assert f"{len(kept)} of {CELLS} cells are measured already" in second.stderr.read()
    after = {cell_name(record.at): record for record in store.all_records()}
    assert len(after) == CELLS, "every cell has its record"
    assert [record.attempt for record in store.all_records()] == [1] * CELLS
    assert {name: after[name] for name in kept} == kept, "what was measured is untouched"
    again = starts(tmp_path) - begun
    assert set(again) == set(after) - set(kept), "only what was missing ran"
    assert max(again.values()) == 1
    assert not (store.results / ".running").exists()
    assert not list(store.results.rglob("*.new"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_end_keeps_what_was_measured(tmp_path: Path, number: signal.Signals) -> None:
    store = Store(tmp_path / "results")
    process = start(tmp_path, pause_s=0.4)
    wait_for_records(store, 1)
    os.kill(process.pid, number)
    assert process.wait(20) == ExitCode.INTERRUPTED
    assert process.stderr is not None
    said = process.stderr.read()
    assert "rexen: interrupted; what was measured is kept" in said
    assert "Traceback" not in said
    assert all(record.ok for record in store.all_records())
    assert not (store.results / ".running").exists(), "no machine's folder is left"
