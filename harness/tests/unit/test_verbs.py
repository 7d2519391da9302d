"""What the verbs say of measured cells: plan, list, verify, diff, console, export, doctor."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.paths import Paths
from harness.store import Store, read_reference, write_reference
from harness.tests.world import CELL, PANIC, WorldEngine, cell_name, console_of, unwrapped

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_verify_equal(engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture) -> None:
    rexen("run", *CELL)
    assert rexen("verify", *CELL) == ExitCode.OK
    assert capsys.readouterr().out == "1 of 1 cells are bit-identical\n"
    assert [record.purpose for record in store.all_records()] == ["measure", "verify"]


def test_verify_measures_first_what_is_missing(engine: WorldEngine, rexen: Rexen) -> None:
    assert rexen("verify", *CELL) == ExitCode.OK
    assert engine.names == ["controls@native"] * 2


def test_verify_different(engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture) -> None:
    rexen("run", *CELL)
    good = console_of(engine.workloads["controls"])
    engine.scripts["controls@native"] = [
        ["print", good.replace("mem_read run 1 1000 3000 0", "mem_read run 1 1000 3001 0")],
        ["sleep", 5],
    ]
    capsys.readouterr()
    assert rexen("verify", *CELL) == ExitCode.DIFFERENT
    shown = capsys.readouterr().out
    assert (
        "controls on native differs from its first run: mem_read run 1: total_ns 3000 / 3001"
        in shown
    )
    assert "'@rexen sample mem_read run 1 1000 3000 0'" in shown
    assert "'@rexen sample mem_read run 1 1000 3001 0'" in shown
    assert "0 of 1 cells are bit-identical" in shown
    (cell_id,) = {record.cell_id for record in store.all_records()}
    counts = store.measured(cell_id)
    assert counts is not None and counts.attempt == 1, "the first run still counts"


def test_verify_that_fails(engine: WorldEngine, rexen: Rexen, capsys: Capture) -> None:
    rexen("run", *CELL)
    engine.scripts["controls@native"] = PANIC
    assert rexen("verify", *CELL) == ExitCode.DIFFERENT
    assert (
        "controls on native differs from its first run: status: ok / panic"
        in capsys.readouterr().out
    )


def test_verify_of_a_cell_that_never_ran_well(engine: WorldEngine, rexen: Rexen) -> None:
    engine.scripts["controls@native"] = PANIC
    assert rexen("verify", *CELL) == ExitCode.CELL_FAILED


def test_diff(
    engine: WorldEngine, rexen: Rexen, store: Store, tmp_path: Path, capsys: Capture
) -> None:
    rexen("run", *CELL)
    other = tmp_path / "other"
    shutil.copytree(store.results, other)
    assert rexen("diff", str(store.results), str(other)) == ExitCode.OK
    assert re.fullmatch(r"0 of \d+ values differ\n", capsys.readouterr().out)
    (path,) = other.glob("records/*/*.json")
    record = json.loads(path.read_text())
    for sample in record["outcome"]["samples"]:
        if sample["metric"] == "cpu_loop" and sample["phase"] == "run":
            sample["total_ns"] += 1
    path.write_text(json.dumps(record))
    assert rexen("diff", str(store.results), str(other)) == ExitCode.DIFFERENT
    shown = capsys.readouterr().out
    assert re.search(r"controls/cpu_loop +native", shown)
    assert "1 of" in shown
    assert rexen("diff", str(store.results), str(other), "--json") == ExitCode.DIFFERENT
    document = json.loads(capsys.readouterr().out)
    (change,) = document["changes"]
    assert (change["metric"], change["at"]) == ("cpu_loop", "controls on native")
    assert (change["judged"], change["inputs"], document["inputs"]) == ("worse", [], [])
    assert document["summary"]["differ"] == document["summary"]["worse"] == 1


def test_diff_tells_missing_from_different(
    engine: WorldEngine, rexen: Rexen, store: Store, tmp_path: Path, capsys: Capture
) -> None:
    rexen("run", *CELL)
    other = tmp_path / "other"
    shutil.copytree(store.results, other)
    rexen("run", "--system", "native", "--workload", "lmbench-context")
    assert rexen("diff", str(store.results), str(other)) == ExitCode.INCOMPLETE
    assert re.search(r"0 of \d+ values differ; \d+ only in A", capsys.readouterr().out)


def test_diff_of_no_results(rexen: Rexen, tmp_path: Path, capsys: Capture) -> None:
    assert rexen("diff", str(tmp_path), str(tmp_path)) == ExitCode.USAGE
    assert "is no results directory" in capsys.readouterr().err


def test_export(engine: WorldEngine, rexen: Rexen, tmp_path: Path, capsys: Capture) -> None:
    rexen("run", *CELL)
    capsys.readouterr()
    assert rexen("export", "--to", str(tmp_path / "out")) == ExitCode.OK
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert {file.suffix for file in files} >= {".csv", ".json", ".parquet"}
    assert all(file.stat().st_size for file in files)


def test_list(engine: WorldEngine, rexen: Rexen, capsys: Capture) -> None:
    assert rexen("list") == ExitCode.OK
    shown = capsys.readouterr().out
    for name in (*engine.systems, *engine.workloads, "table4", "profiles: quick, full"):
        assert name in shown
    assert rexen("list", "--json") == ExitCode.OK
    listed = json.loads(capsys.readouterr().out)
    assert [system["id"] for system in listed["systems"]] == list(engine.systems)
    assert listed["profiles"] == ["quick", "full"]


def test_plan(engine: WorldEngine, rexen: Rexen, capsys: Capture) -> None:
    rexen("run", *CELL)
    capsys.readouterr()
    assert rexen("plan", "--json") == ExitCode.OK
    planned = json.loads(capsys.readouterr().out)
    states = {
        (cell["workload"], cell["system"], cell["point"]): cell["state"]
        for cell in planned["cells"]
    }
    assert len(states) == len(engine.planned())
    measured = [key for key, state in states.items() if state == "measured"]
    assert measured == [("controls", "native", "")]
    assert planned["wall_s"] > 0 and planned["bytes"] > 0
    assert rexen("plan", "--system", "native") == ExitCode.OK
    shown = capsys.readouterr().out
    count = len(engine.planned("native"))
    assert f"{count - 1} of {count} cells to run" in shown


def test_an_experiment_chooses_its_cells(
    engine: WorldEngine, rexen: Rexen, capsys: Capture
) -> None:
    assert rexen("run", "--experiment", "table4", "--system", "native") == ExitCode.OK
    assert set(engine.names) == {"lmbench-context@native"}
    assert rexen("run", "--experiment", "tabel4") == ExitCode.USAGE
    assert "unknown experiment 'tabel4'; did you mean 'table4'?" in capsys.readouterr().err


def test_perturbations_and_the_line_that_repeats_one(
    engine: WorldEngine, rexen: Rexen, store: Store
) -> None:
    name = "lmbench-context@native"
    chosen = ("--system", "native", "--workload", "lmbench-context")
    assert rexen("run", *chosen, "--perturb", "2") == ExitCode.OK
    assert sorted(engine.names) == [name, f"{name}:perturb=1", f"{name}:perturb=2"]
    (second,) = [it for it in store.all_records() if it.at.point.perturb == 2]
    verb, *words = second.rerun.split()[1:]
    assert "--point" in words
    engine.names.clear()
    assert rexen(verb, *words) == ExitCode.OK
    assert engine.names == [f"{name}:perturb=2"]


@pytest.mark.parametrize("point", ["block", "block=x", "block=1,block=2", "=3"])
def test_a_point_that_cannot_be_read(rexen: Rexen, capsys: Capture, point: str) -> None:
    with pytest.raises(SystemExit) as left:
        rexen("run", "--point", point)
    assert left.value.code == ExitCode.USAGE
    assert "--point" in capsys.readouterr().err


def test_a_point_where_nothing_lies(engine: WorldEngine, rexen: Rexen, capsys: Capture) -> None:
    assert rexen("run", "--point", "nowhere=7") == ExitCode.USAGE
    assert "no chosen cell lies at point 'nowhere=7'" in capsys.readouterr().err
    assert engine.names == []


def test_the_console_of_a_cell(
    engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture
) -> None:
    rexen("run", *CELL)
    (record,) = store.all_records()
    capsys.readouterr()
    assert rexen("console", record.cell_id[:12]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "controls on native, profile quick, attempt 1" in shown
    assert re.search(r"fact kernel +6\.12", shown) and record.rerun in shown
    assert shown.endswith(store.console(record).decode())
    assert rexen("console", record.cell_id, "--facts") == ExitCode.OK
    assert "@rexen begin" not in capsys.readouterr().out
    assert rexen("console", record.cell_id, "--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["cell_id"] == record.cell_id


@pytest.mark.parametrize(
    ("cell", "words"),
    [("ab", "too short"), ("zzzz", "names no single cell"), ("0123abcd", "names no single cell")],
)
def test_the_console_of_no_cell(rexen: Rexen, capsys: Capture, cell: str, words: str) -> None:
    assert rexen("console", cell) == ExitCode.USAGE
    assert words in capsys.readouterr().err


def test_an_attempt_that_is_not_there(
    engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture
) -> None:
    rexen("run", *CELL)
    (record,) = store.all_records()
    assert rexen("console", record.cell_id, "--attempt", "7") == ExitCode.USAGE
    assert "has no attempt 7; it has 1" in unwrapped(capsys.readouterr().err)


def with_reference(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reference made of what the store holds, in place of the repository's own."""
    file = tmp_path / "reference.json"
    write_reference(file, store.all_records())
    monkeypatch.setattr(Paths, "reference", lambda self, profile: file)
    return file


def test_verify_against_the_reference(
    engine: WorldEngine,
    rexen: Rexen,
    store: Store,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = ("--workload", "controls", "--system", "native", "--system", "xen")
    rexen("run", *chosen)
    file = with_reference(store, tmp_path, monkeypatch)
    assert rexen("verify", "--reference", *chosen) == ExitCode.OK
    assert capsys.readouterr().out == "2 of 2 identical\n"
    file.write_text(file.read_text().replace('"total_ns":4000', '"total_ns":4001'))
    assert rexen("verify", "--reference", *chosen) == ExitCode.DIFFERENT
    shown = capsys.readouterr().out
    assert "differs from the reference: " in shown and "total_ns 4001 / 4000" in shown


def test_verify_against_a_reference_of_other_inputs(
    engine: WorldEngine,
    rexen: Rexen,
    store: Store,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The inputs that differ are named, the ratios are compared, nothing is passed over."""
    chosen = ("--workload", "controls", "--system", "native", "--system", "xen")
    rexen("run", *chosen)
    file = with_reference(store, tmp_path, monkeypatch)
    old = {it.cell_id: it.cell_id[::-1] for it in store.all_records()}
    text = file.read_text().replace("QEMU 10 world", "QEMU 9 world")
    for cell_id, other in old.items():
        text = text.replace(cell_id, other)
    file.write_text(text)
    assert rexen("verify", "--reference", *chosen) == ExitCode.OTHER_INPUTS
    shown = capsys.readouterr().out
    assert "other input: emulator: QEMU 9 world -> QEMU 10 world" in shown
    assert "0 of 2 identical; 2 with other inputs" in shown
    engine.scripts["controls@xen"] = [
        ["print", console_of(engine.workloads["controls"], factor=9)],
        ["sleep", 5],
    ]
    assert rexen("verify", "--reference", *chosen) == ExitCode.DIFFERENT
    assert "controls/cpu_loop on xen" in capsys.readouterr().out


def test_a_reference_has_what_the_experiments_plan(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "made" / "quick.json"
    monkeypatch.setattr(Paths, "reference", lambda self, profile: file)
    assert rexen("run", "--system", "native", "--perturb", "5") == ExitCode.OK
    assert rexen("reference") == ExitCode.OK
    assert sorted(cell_name(it.at) for it in read_reference(file)) == engine.planned("native")


def test_no_reference_with_a_failed_cell(
    engine: WorldEngine, rexen: Rexen, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.scripts["controls@native"] = PANIC
    rexen("run", *CELL)
    monkeypatch.setattr(Paths, "reference", lambda self, profile: Path("/nowhere/quick.json"))
    assert rexen("reference") == ExitCode.STORE
    assert "no reference with a failed cell in it: controls on native" in capsys.readouterr().err


def test_a_missing_reference(engine: WorldEngine, rexen: Rexen, capsys: Capture) -> None:
    assert rexen("verify", "--reference", "--profile", "full", *CELL) == ExitCode.STORE
    assert "results/reference/full.json" in unwrapped(capsys.readouterr().err)


def test_doctor(rexen: Rexen, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nobody.sock")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert rexen("doctor", "--json") == ExitCode.ENGINE
    findings = {finding["check"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert not findings["container engine"]["ok"]
    assert "/nobody.sock" in findings["container engine"]["what"]
    assert findings["catalogue"]["ok"]
