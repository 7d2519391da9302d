"""Shards: parts of the cells that cover them exactly, alike on every host, and merged again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli import main as cli
from harness.errors import ExitCode
from harness.measure.plan import plan, shard_of, weight_s
from harness.model.cell import Cell
from harness.model.counts import COUNTS_VERSION, NAMES, Counts, Work
from harness.model.record import Status
from harness.model.shard import Shard
from harness.paths import checkout_root
from harness.store import Store, write_reference
from harness.tests.builders import a_record, an_experiment
from harness.tests.world import WorldEngine, cell_name, world_image

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]
A, B = "a" * 64, "b" * 64


def cells() -> list[Cell]:
    """Of all systems and workloads."""
    engine = WorldEngine()
    experiments = [an_experiment(name) for name in engine.workloads]
    return list(
        plan(
            experiments=experiments,
            systems=engine.systems.values(),
            workloads=engine.workloads.values(),
            profile="quick",
            image=world_image(engine.paths),
        ).cells
    )


CELLS = cells()


@given(of=st.integers(1, 12), seed=st.randoms())
def test_shards_cover_exactly_in_whatever_order_the_cells_come(of: int, seed: object) -> None:
    shuffled = CELLS.copy()
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    parts = [shard_of(CELLS, Shard(part, of)) for part in range(1, of + 1)]
    again = [shard_of(shuffled, Shard(part, of)) for part in range(1, of + 1)]
    ids = [cell.id for part in parts for cell in part]
    assert len(ids) == len(CELLS) and set(ids) == {cell.id for cell in CELLS}
    assert [{it.id for it in part} for part in parts] == [{it.id for it in part} for part in again]


def test_a_shard_keeps_the_order_of_the_plan() -> None:
    places = {cell.id: at for at, cell in enumerate(CELLS)}
    part = [places[cell.id] for cell in shard_of(CELLS, Shard(2, 3))]
    assert part == sorted(part)


@pytest.mark.parametrize("of", [2, 3, 8])
def test_shards_take_about_the_same_time(of: int) -> None:
    loads = [sum(map(weight_s, shard_of(CELLS, Shard(part, of)))) for part in range(1, of + 1)]
    assert max(loads) - min(loads) <= max(map(weight_s, CELLS))


def test_more_shards_than_cells_leaves_some_empty() -> None:
    sizes = [len(shard_of(CELLS[:2], Shard(part, 4))) for part in range(1, 5)]
    assert sorted(sizes) == [0, 0, 1, 1]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", "1/"])
def test_a_wrong_shard_is_refused(rexen: Rexen, capsys: Capture, text: str) -> None:
    with pytest.raises(SystemExit) as left:
        rexen("run", f"--shard={text}")
    assert left.value.code == ExitCode.USAGE
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith(f"{text!r} is no shard: I/N with I from 1 to N, as in 2/4")


def call(*arguments: object) -> int:
    return cli.main([str(it) for it in arguments])


def test_shards_measured_apart_and_merged_are_the_whole(
    engine: WorldEngine, tmp_path: Path, capsys: Capture
) -> None:
    chosen = ("--experiment", "controls", "--system", "native", "--system", "xen")
    shards = [tmp_path / f"shard{part}" for part in (1, 2, 3)]
    for part, store in enumerate(shards, start=1):
        assert call("run", *chosen, "--shard", f"{part}/3", "--results", store) == ExitCode.OK
    ran = sorted(engine.names)
    engine.names.clear()
    merged, whole = Store(tmp_path / "merged"), Store(tmp_path / "whole")
    assert call("merge", merged.results, *shards) == ExitCode.OK
    assert call("run", *chosen, "--results", whole.results) == ExitCode.OK
    assert sorted(engine.names) == ran, "each ran once, in one shard"
    files = []
    for one in (merged, whole):
        file = one.results.with_suffix(".json")
        write_reference(file, one.all_records())
        files.append(file.read_bytes())
    assert files[0] == files[1]
    for record in merged.all_records():
        assert b"@rexen end" in merged.console(record), cell_name(record.at)
    capsys.readouterr()
    assert call("merge", "--json", merged.results, *shards) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["different"]) == (0, []), "merging again adds nothing"


def test_a_shard_is_verified_against_its_part_of_the_reference(
    engine: WorldEngine, tmp_path: Path, capsys: Capture
) -> None:
    """The rest of the reference is no missing value."""
    arguments = (
        "--experiment",
        "controls",
        "--system",
        "native",
        "--shard",
        "1/2",
        "--results",
        tmp_path,
        "--json",
    )
    call("verify", "--reference", *arguments)
    told = json.loads(capsys.readouterr().out)
    assert told["missing"] == []


def add(store: Store, **fields: object) -> None:
    record = a_record(**fields)  # type: ignore[arg-type]
    with store.writing():
        store.add(record, f"console of {record.outcome}".encode())


def test_other_results_of_a_cell_are_both_kept(tmp_path: Path, capsys: Capture) -> None:
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    add(here, cell_id=A)
    add(there, cell_id=A, total_ns=1)
    add(there, cell_id=B)
    assert call("merge", here.results, there.results) == ExitCode.DIFFERENT
    told = capsys.readouterr().out
    assert "demo on native (aaaaaaaaaaaa) differs between attempts 1 and 2: " in told
    assert [one.outcome.samples[0].total_ns for one in here.attempts(A)] == [334070, 1]
    assert len(here.attempts(B)) == 1
    assert [one.attempt for one in there.all_records()] == [1, 1], "FROM is left as it is"
    assert call("merge", here.results, there.results) == ExitCode.DIFFERENT, "it stays said"
    assert len(here.attempts(A)) == 2


def test_a_failed_attempt_beside_a_good_one_is_no_difference(tmp_path: Path) -> None:
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    add(here, cell_id=A, status=Status.HANG)
    add(there, cell_id=A)
    assert call("merge", here.results, there.results) == ExitCode.OK
    assert [one.ok for one in here.attempts(A)] == [False, True]


def test_counts_are_merged_and_never_replaced(tmp_path: Path, capsys: Capture) -> None:
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    add(there, cell_id=A)
    counts = Counts(
        version=COUNTS_VERSION,
        cell_id=A,
        system="native",
        workload="demo",
        profile="quick",
        point={},
        clock=Work(0, dict.fromkeys(NAMES, 0)),
        samples=(),
    )
    with there.writing():
        there.keep_counts(counts)
    assert call("merge", here.results, there.results) == ExitCode.OK
    assert here.counts(A) == counts
    with there.writing():
        there.keep_counts(replace(counts, workload="other"))
    assert call("merge", here.results, there.results) == ExitCode.DIFFERENT
    assert here.counts(A) == counts
    assert "aaaaaaaaaaaa: other counts" in capsys.readouterr().out


def test_what_is_no_store_is_refused(tmp_path: Path, capsys: Capture) -> None:
    there = Store(tmp_path / "there")
    add(there, cell_id=A)
    assert call("merge", tmp_path / "new", tmp_path / "none") == ExitCode.STORE
    assert "none is no store: it has no records/" in capsys.readouterr().err
    assert call("merge", there.results, there.results) == ExitCode.USAGE
    assert not (tmp_path / "new").exists()


def test_a_damaged_store_changes_nothing(tmp_path: Path, capsys: Capture) -> None:
    good, bad = Store(tmp_path / "good"), Store(tmp_path / "bad")
    add(good, cell_id=A)
    add(bad, cell_id=B)
    torn = bad.record_path(B, 1)
    torn.write_bytes(torn.read_bytes()[:40])
    assert call("merge", tmp_path / "into", good.results, bad.results) == ExitCode.STORE
    assert f"{torn}: record is cut short" in capsys.readouterr().err
    assert not list(Store(tmp_path / "into").all_records())


def test_no_other_command_waits_for_dask() -> None:
    """Half a second of imports for those who run no cluster."""
    words = "import sys; import harness.cli.main, harness.cli.session; "
    words += "sys.exit('distributed' in sys.modules or 'dask' in sys.modules)"
    subprocess.run([sys.executable, "-c", words], cwd=checkout_root(), check=True)
