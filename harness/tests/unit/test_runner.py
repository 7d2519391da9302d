"""Cells to records with fake machines: alike however many at a time, and nothing lost."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from harness.errors import EngineError
from harness.measure.campaign import Campaign, Measured, run_cell, set_aside
from harness.measure.executors import Task, threads
from harness.measure.executors.threads import Threads
from harness.measure.plan import plan
from harness.model.cell import Cell
from harness.model.record import Purpose, Status
from harness.tests.builders import FakeEngine, an_experiment
from harness.tests.world import WorldEngine, world_image


@pytest.fixture
def engine() -> Iterator[WorldEngine]:
    made = WorldEngine()
    yield made
    for running in made.started:
        running.process.kill()
        running.process.wait()


def a_campaign(engine: WorldEngine, scratch: Path) -> Campaign:
    scratch.mkdir(exist_ok=True)
    return Campaign(
        engine=engine,
        image="rexen:world",
        inputs="as locked",
        purpose=Purpose.MEASURE,
        scratch=scratch,
        owner="tests",
        interrupt=threading.Event(),
    )


def cells_of(engine: WorldEngine, *systems: str) -> list[Cell]:
    """Both workloads on each system, in the order of the systems' names and their own."""
    planned = plan(
        experiments=[an_experiment("controls"), an_experiment("lmbench-context")],
        systems=[engine.systems[name] for name in systems],
        workloads=engine.workloads.values(),
        profile="quick",
        image=world_image(engine.paths),
    )
    return sorted(planned.cells, key=lambda cell: (cell.at.system, cell.at.workload))


def run_all(
    campaign: Campaign,
    cells: Sequence[Cell],
    jobs: int,
    run: Callable[[Campaign, Cell], Measured],
) -> Iterator[Measured]:
    return Threads(jobs).each(campaign, cells, Task(run, set_aside))


def alive(engine: FakeEngine) -> int:
    return sum(running.process.poll() is None for running in engine.started)


def test_side_by_side_changes_no_outcome(tmp_path: Path, engine: WorldEngine) -> None:
    cells = cells_of(engine, "native", "xen")
    alone, beside = (
        {
            measured.cell.id: measured.record.outcome
            for measured in run_all(a_campaign(engine, tmp_path / str(jobs)), cells, jobs, run_cell)
        }
        for jobs in (1, 2)
    )
    assert alone == beside
    assert len(alone) == 4
    assert all(outcome.status is Status.OK for outcome in alone.values())
    assert not list(tmp_path.glob("*/*")), "every cell removes its folder"


@pytest.mark.parametrize("jobs", [1, 2])
def test_never_more_at_a_time_than_asked(tmp_path: Path, engine: WorldEngine, jobs: int) -> None:
    running: list[Cell] = []
    most: list[int] = []

    def slow(campaign: Campaign, cell: Cell) -> Measured:
        running.append(cell)
        most.append(len(running))
        time.sleep(0.05)
        running.remove(cell)
        return Measured(cell, None, b"")  # type: ignore[arg-type]

    cells = cells_of(engine, "native", "xen")
    done = [measured.cell for measured in run_all(a_campaign(engine, tmp_path), cells, jobs, slow)]
    assert {cell.id for cell in done} == {cell.id for cell in cells}
    assert max(most) == jobs


def test_nothing_is_started_after_a_failure(tmp_path: Path, engine: WorldEngine) -> None:
    tried: list[Cell] = []

    def fail(campaign: Campaign, cell: Cell) -> Measured:
        tried.append(cell)
        raise EngineError("gone")

    with pytest.raises(EngineError):
        list(run_all(a_campaign(engine, tmp_path), cells_of(engine, "native"), 1, fail))
    assert len(tried) == 1


def test_a_failed_cell_is_a_record(tmp_path: Path, engine: WorldEngine) -> None:
    engine.scripts["controls@native"] = [
        ["print", "[ 1.0] Kernel panic - not syncing: No init\n"],
        ["event", "guest-reset"],
    ]
    done = list(run_all(a_campaign(engine, tmp_path), cells_of(engine, "native"), 1, run_cell))
    failed, good = (measured.record for measured in done)
    assert failed.outcome.status is Status.PANIC
    assert "No init" in failed.outcome.reason
    assert b"Kernel panic" in done[0].console
    assert failed.rerun == (
        "./rexen run --profile quick --system native --workload controls --again"
    )
    assert good.ok, "the other cells run all the same"
    assert good.inputs["workload"] == "lmbench-context"


def test_an_engine_that_dies_stops_the_run(tmp_path: Path, engine: WorldEngine) -> None:
    engine.die_at_start = 3
    done: list[Measured] = []
    with pytest.raises(EngineError, match="does not answer"):
        for measured in run_all(
            a_campaign(engine, tmp_path), cells_of(engine, "native", "xen"), 1, run_cell
        ):
            done.append(measured)
    assert len(done) == 2
    assert all(measured.record.ok for measured in done)
    assert alive(engine) == 0


def test_a_cell_that_ends_as_the_engine_dies_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two done at once: the failure of one hid the result of the other."""
    engine = WorldEngine()
    cells = cells_of(engine, "native", "xen")
    both = threading.Barrier(2)

    def one_fails(campaign: Campaign, cell: Cell) -> Measured:
        both.wait(5)
        if cell.at.system == "xen":
            raise EngineError("gone")
        return Measured(cell, None, b"")  # type: ignore[arg-type]

    def all_done(futures: set[Future[Measured]], return_when: str) -> object:
        return concurrent.futures.wait(futures)

    monkeypatch.setattr(threads, "wait", all_done)
    for pair in ([cells[0], cells[2]], [cells[2], cells[0]]):
        done = []
        with pytest.raises(EngineError):
            for measured in run_all(a_campaign(engine, tmp_path), pair, 2, one_fails):
                done.append(measured.cell.at.system)
        assert done == ["native"]


def test_ctrl_c_stops_the_machines(tmp_path: Path, engine: WorldEngine) -> None:
    for cell in ("controls@native", "lmbench-context@native"):
        engine.scripts[cell] = [["forever"]]
    threading.Timer(0.8, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        list(run_all(a_campaign(engine, tmp_path), cells_of(engine, "native"), 2, run_cell))
    assert len(engine.started) == 2
    assert alive(engine) == 0
    assert not list(tmp_path.iterdir())


def test_leaving_early_stops_the_machines(tmp_path: Path, engine: WorldEngine) -> None:
    engine.scripts["lmbench-context@native"] = [["forever"]]
    cells = run_all(a_campaign(engine, tmp_path), cells_of(engine, "native"), 2, run_cell)
    next(cells)
    cells.close()  # type: ignore[attr-defined]
    assert alive(engine) == 0


def test_a_deep_directory_is_not_too_long_for_a_socket(tmp_path: Path, engine: WorldEngine) -> None:
    """A Unix socket's path holds 107 bytes; a store may lie deeper than that."""
    deep = tmp_path / ("d" * 100)
    (measured, _) = run_all(a_campaign(engine, deep), cells_of(engine, "native"), 2, run_cell)
    assert measured.record.ok, measured.record.outcome.reason
