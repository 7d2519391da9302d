"""Cells on real workers, each a process of its own, with fake machines: the bytes of a run in one
process, whatever dies when."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster

from harness.cli import main as cli
from harness.errors import ExitCode
from harness.host.deadline import Deadline
from harness.measure.executors import cluster, errand
from harness.measure.executors.worker import MEMORY
from harness.model.record import Status
from harness.paths import checkout_root
from harness.store import Store, write_reference
from harness.tests.world import CELL, WorldEngine, cell_name, enter

pytestmark = pytest.mark.cluster

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]
NATIVE = ("--system", "native")
SYSTEMS = (*NATIVE, "--system", "xen")
VICTIM = "controls@native"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WorldEngine:
    made = WorldEngine(starts=tmp_path / "starts")
    enter(made, monkeypatch.setattr)
    return made


@pytest.fixture
def rexen(tmp_path: Path) -> Rexen:
    """Calls a verb on a store below the test's own folder."""

    def call(store: str, verb: str, *arguments: str) -> int:
        return cli.main([verb, "--results", str(tmp_path / store), *arguments])

    return call


@pytest.fixture
def scheduler() -> Iterator[LocalCluster]:
    """A scheduler with an address, and no worker yet."""
    with LocalCluster(
        n_workers=0, threads_per_worker=1, dashboard_address=None, memory_limit=None
    ) as made:
        yield made


def bits(store: Store, to: Path) -> tuple[bytes, dict[str, bytes]]:
    """All of a store that must be the same however it was measured: the records without their
    host's side, as one file, and every console."""
    records = list(store.all_records())
    write_reference(to, records)
    return to.read_bytes(), {cell_name(record.at): store.console(record) for record in records}


def wait_for_end(group: int) -> None:
    """Of all processes of a group, machines too."""
    deadline = Deadline.after(4)  # a machine left running would stay for five seconds
    try:
        while True:
            os.killpg(group, 0)
            assert not deadline.passed, "a process is left"
            time.sleep(0.05)
    except ProcessLookupError:
        pass


def has_machine(group: int) -> bool:
    def is_one(cmdline: Path) -> bool:
        try:
            return (
                os.getpgid(int(cmdline.parent.name)) == group
                and b"fake_qemu" in cmdline.read_bytes()
            )
        except OSError:
            return False  # gone meanwhile

    return any(map(is_one, Path("/proc").glob("[0-9]*/cmdline")))


def test_a_worker_killed_in_mid_run_changes_no_byte(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    assert rexen("alone", "run", *NATIVE, "--jobs", "1") == ExitCode.OK
    (tmp_path / "starts").unlink()
    engine.deadly[VICTIM] = 1
    assert rexen("beside", "run", *NATIVE, "--cluster", "local", "--jobs", "3") == ExitCode.OK
    alone, beside = (
        bits(Store(tmp_path / name), tmp_path / f"{name}.json") for name in ("alone", "beside")
    )
    assert alone == beside
    assert set(alone[1]) == set(engine.planned("native"))
    begun = Counter((tmp_path / "starts").read_text().split())
    assert begun[VICTIM] == 2, "the killed worker's cell ran again"
    told = capsys.readouterr().err
    assert "cluster: 3 workers, 3 cells at a time; dashboard at http://127.0.0.1:" in told
    assert "lost worker" in told
    assert not (tmp_path / "beside" / ".running").exists()


def test_a_cell_that_kills_workers_is_set_aside(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    engine.deadly[VICTIM] = 99
    system = ("--system", "native")
    code = rexen("store", "run", *system, "--cluster", "local", "--jobs", "2")
    assert code == ExitCode.CELL_FAILED
    records = {cell_name(it.at): it for it in Store(tmp_path / "store").all_records()}
    assert set(records) == set(engine.planned("native")), "the others went on"
    aside = records.pop(VICTIM)
    assert all(record.ok for record in records.values())
    assert aside.outcome.status is Status.ENGINE
    assert aside.outcome.reason.startswith("3 workers died while they ran it, the last at tcp://")
    assert "controls on native: engine: 3 workers died" in capsys.readouterr().err
    assert rexen("store", "run", *CELL) == ExitCode.OK, "it is run again when asked for again"


def test_an_engine_that_dies_on_a_worker_stops_the_run(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    engine.wishes["die_at_start"] = 3
    code = rexen("store", "run", *SYSTEMS, "--cluster", "local", "--jobs", "2")
    assert code == ExitCode.ENGINE
    assert "the container engine does not answer" in capsys.readouterr().err
    kept = list(Store(tmp_path / "store").all_records())
    assert kept and all(record.ok for record in kept)


def test_a_cluster_by_its_address(engine: WorldEngine, rexen: Rexen, tmp_path: Path) -> None:
    """As on other hosts: a scheduler that knows nothing of us, and workers by `rexen worker`."""
    file, nowhere = tmp_path / "scheduler.json", tmp_path / "nowhere"
    nowhere.mkdir()
    scheduler = subprocess.Popen(
        [
            *(sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0"),
            *("--no-dashboard", "--scheduler-file", str(file)),
        ],
        cwd=nowhere,
        env={name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
        stderr=subprocess.DEVNULL,
    )
    deadline = Deadline.after(30)
    while not file.exists() or not file.read_text():
        assert not deadline.passed
        time.sleep(0.05)
    address = json.loads(file.read_text())["address"]
    argv = [sys.executable, "-m", "harness.tests.world", str(tmp_path / "unused"), "0"]
    worker = subprocess.Popen(
        [*argv, "worker", address, "--jobs", "2", "--results", str(tmp_path)],
        cwd=checkout_root(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert rexen("there", "run", *CELL, "--cluster", address) == ExitCode.OK
    assert rexen("here", "run", *CELL) == ExitCode.OK
    there, here = (bits(Store(tmp_path / it), tmp_path / f"{it}.json") for it in ("there", "here"))
    assert there == here
    scheduler.terminate()
    scheduler.wait(30)
    assert worker.wait(30) == ExitCode.OK, "the workers end with their scheduler"
    assert worker.stderr is not None
    assert "2 cells at a time" in worker.stderr.read()


def test_a_worker_that_is_ended_gives_its_cells_back(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, scheduler: LocalCluster, capsys: Capture
) -> None:
    """Its machines end with it, their cells run elsewhere, and nothing counts as failed."""
    engine.pause_s = 5
    address = scheduler.scheduler_address
    argv = [sys.executable, "-m", "harness.tests.world", str(tmp_path / "unused"), "0"]
    workers = [
        subprocess.Popen(
            [*argv, "worker", address, "--jobs", "1", "--results", str(tmp_path)],
            cwd=checkout_root(),
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for _ in range(2)
    ]
    scheduler.wait_for_workers(2, timeout=30)
    begun = tmp_path / "starts"

    def end() -> None:
        deadline = Deadline.after(60)
        while not begun.exists() or VICTIM not in begun.read_text():
            assert not deadline.passed
            time.sleep(0.05)
        busy = next(it for it in workers if has_machine(it.pid))
        busy.terminate()
        assert busy.wait(40) == ExitCode.INTERRUPTED
        wait_for_end(busy.pid)

    with ThreadPoolExecutor() as beside:
        ended = beside.submit(end)
        assert rexen("store", "run", *CELL, "--cluster", address) == ExitCode.OK
        ended.result()
    assert "lost worker" in capsys.readouterr().err


def with_workers(scheduler: LocalCluster, *, memory_mib: int) -> str:
    """Two of them; the scheduler's address."""
    for spec in (scheduler.new_spec,):
        spec["options"]["resources"] = {MEMORY: memory_mib}
    scheduler.scale(2)
    scheduler.wait_for_workers(2, timeout=30)
    return scheduler.scheduler_address


def test_a_worker_with_another_image_is_refused(
    engine: WorldEngine, rexen: Rexen, scheduler: LocalCluster, capsys: Capture
) -> None:
    address = with_workers(scheduler, memory_mib=8192)
    engine.wishes["manifest"] = b"another"
    assert rexen("store", "run", *CELL, "--cluster", address) == ExitCode.OTHER_INPUTS
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("rexen: worker tcp://")
    assert "has another image rexen:world: save the one here, load it there" in last


def test_a_worker_of_another_commit_is_refused(
    engine: WorldEngine,
    rexen: Rexen,
    scheduler: LocalCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    address = with_workers(scheduler, memory_mib=8192)
    monkeypatch.setattr(errand, "sources_digest", lambda root: "0" * 64)
    assert rexen("store", "run", *CELL, "--cluster", address) == ExitCode.OTHER_INPUTS
    assert "check out the same commit there" in capsys.readouterr().err.splitlines()[-1]


def test_a_worker_too_small_for_a_cell(
    engine: WorldEngine, rexen: Rexen, scheduler: LocalCluster, capsys: Capture
) -> None:
    address = with_workers(scheduler, memory_mib=700)
    assert rexen("store", "run", *CELL, "--cluster", address) == ExitCode.USAGE
    last = capsys.readouterr().err.splitlines()[-1]
    assert "controls on native takes 2048 MiB, which no worker has (the largest has 700)" in last


def test_no_scheduler_there(
    engine: WorldEngine, rexen: Rexen, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    for address in ("tcp://127.0.0.1:9", "nowhere", "gopher://x:1", "tcp://127.0.0.1:x"):
        assert rexen("store", "run", *CELL, "--cluster", address) == ExitCode.ENGINE, address
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith(f"rexen: no scheduler answers at {address}: ")


def test_no_worker_comes(
    engine: WorldEngine,
    rexen: Rexen,
    scheduler: LocalCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.setattr(cluster, "NOBODY_S", 1.0)
    address = scheduler.scheduler_address
    assert rexen("store", "run", *CELL, "--cluster", address) == ExitCode.ENGINE
    assert "the cluster has had no worker for 1 s" in capsys.readouterr().err.splitlines()[-1]


def wait_for_records(store: Store, count: int) -> None:
    deadline = Deadline.after(60)
    while len(list(store.records_dir.glob("*/*.json"))) < count:
        assert not deadline.passed, "no records came"
        time.sleep(0.05)


def test_no_worker_is_lost_that_is_there(
    engine: WorldEngine,
    rexen: Rexen,
    scheduler: LocalCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    """The client's own updates, which leave workers out, were taken for what is known of them."""
    monkeypatch.setattr(cluster, "LOOK_S", 0.002)
    engine.pause_s = 2
    address = with_workers(scheduler, memory_mib=8192)
    with dask.config.set({"distributed.client.scheduler-info-interval": "2ms"}):
        assert rexen("store", "run", *CELL, "--cluster", address) == ExitCode.OK
    assert "lost worker" not in capsys.readouterr().err


def test_a_scheduler_that_goes_away_loses_no_record(
    engine: WorldEngine,
    rexen: Rexen,
    tmp_path: Path,
    scheduler: LocalCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.setattr(cluster, "NOBODY_S", 5.0)
    address = with_workers(scheduler, memory_mib=8192)
    engine.pause_s = 0.3

    def end() -> None:
        wait_for_records(Store(tmp_path / "store"), 2)
        scheduler.close()

    with ThreadPoolExecutor() as beside:
        ended = beside.submit(end)
        assert rexen("store", "run", *SYSTEMS, "--cluster", address) == ExitCode.ENGINE
        ended.result()
    last = capsys.readouterr().err.splitlines()[-1]
    # It takes its workers with it, which may be noticed first.
    gone = ("rexen: the cluster's scheduler went away", "rexen: no worker is left")
    assert last.startswith(gone), last
    assert all(record.ok for record in Store(tmp_path / "store").all_records())


def test_ctrl_c_stops_the_workers_machines(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    # What was started in a shell's background ignores the signal, and so would all it starts.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    argv = [sys.executable, "-c", f"{heed}; from harness.tests import world; world.program()"]
    process = subprocess.Popen(
        [
            *(*argv, str(tmp_path / "starts"), "0.4"),
            *("run", "--results", str(store.results), "--cluster", "local", "--jobs", "2"),
            *SYSTEMS,
        ],
        cwd=checkout_root(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for_records(store, 1)
    # As a terminal does: to all processes of the group.
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(40) == ExitCode.INTERRUPTED
    assert process.stderr is not None
    told = process.stderr.read()
    assert "rexen: interrupted; what was measured is kept" in told
    assert "Traceback" not in told, told
    assert not (store.results / ".running").exists()
    wait_for_end(process.pid)
