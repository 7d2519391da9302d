"""The command line from options to exit code: measuring, resuming, and every way to fail."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main as cli
from harness.cli import session
from harness.cli.progress import time_spent
from harness.errors import BuildError, EngineError, ExitCode
from harness.model.record import Record
from harness.paths import checkout_root
from harness.store import Store
from harness.tests.builders import a_record
from harness.tests.world import CELL, PANIC, WorldEngine, unwrapped

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_run_then_resume(engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture) -> None:
    assert rexen("run", "--system", "native") == ExitCode.OK
    names = sorted(engine.names)
    assert names == engine.planned("native")
    assert rexen("run", "--system", "native") == ExitCode.OK
    assert sorted(engine.names) == names, "the second run started a machine"
    assert f"{len(names)} of {len(names)} cells are measured already" in capsys.readouterr().err
    assert [record.attempt for record in store.all_records()] == [1] * len(names)
    assert not (store.results / ".running").exists()


def test_again_runs_once_more_and_keeps_both(
    engine: WorldEngine, rexen: Rexen, store: Store
) -> None:
    assert [rexen("run", *CELL), rexen("run", *CELL, "--again")] == [0, 0]
    assert engine.names == ["controls@native"] * 2
    assert [record.attempt for record in store.all_records()] == [1, 2]


def test_what_a_killed_run_left_is_swept(engine: WorldEngine, rexen: Rexen) -> None:
    rexen("run", *CELL)
    rexen("run", *CELL, "--again")
    first, second = engine.swept
    assert first == second, "a store's leftovers are found again by the next run"


def test_progress_is_plain_lines_without_a_terminal(
    engine: WorldEngine, rexen: Rexen, capsys: Capture
) -> None:
    rexen("run", "--system", "native", "--jobs", "1")
    shown = capsys.readouterr()
    assert re.search(r"^\[1/\d+\] .* on native: \d+ samples in [0-9.]+ s", shown.err, re.M)
    assert "machine time by system: native" in shown.err
    assert "\x1b" not in shown.err
    assert shown.out == ""


def test_what_dominates_a_run_is_named_longest_first() -> None:
    def record(system: str, workload: str, wall_s: float) -> Record:
        host = replace(a_record().host, total_wall_s=wall_s, machine_wall_s=wall_s - 1)
        return replace(a_record(), system=system, workload=workload, host=host)

    said = time_spent([record("native", "a", 4), record("xen", "a", 10), record("xen", "b", 6)])
    assert said.splitlines() == [
        "machine time by system: xen 16.0 s, native 4.0 s",
        "machine time by workload: a 14.0 s, b 6.0 s",
        "longest cells: a on xen 10.0 s, b on xen 6.0 s, a on native 4.0 s",
        "harness and engine: 15.0 % of machine time",
    ]


def test_a_failed_cell(engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture) -> None:
    engine.scripts["controls@native"] = PANIC
    assert rexen("run", "--system", "native") == ExitCode.CELL_FAILED
    shown = capsys.readouterr().err
    assert "controls on native: panic: Kernel panic - not syncing: No init" in shown
    again = "./rexen run --profile quick --system native --workload controls --again"
    assert f"again: {again}" in shown
    (failed,) = [record for record in store.all_records() if not record.ok]
    assert b"Kernel panic" in store.console(failed)
    before = len(engine.names)
    del engine.scripts["controls@native"]
    assert rexen("run", "--system", "native") == ExitCode.OK, "a failed cell is tried again"
    assert engine.names[before:] == ["controls@native"]


def test_run_as_json(engine: WorldEngine, rexen: Rexen, capsys: Capture) -> None:
    engine.scripts["controls@native"] = PANIC
    assert rexen("run", *CELL, "--json") == ExitCode.CELL_FAILED
    shown = capsys.readouterr()
    (cell,) = json.loads(shown.out)
    assert (cell["status"], cell["system"]) == ("panic", "native")
    assert cell["rerun"].endswith("--again")
    assert shown.err == ""


@pytest.mark.parametrize("verb", ["report", "export"])
def test_nothing_to_show(engine: WorldEngine, rexen: Rexen, capsys: Capture, verb: str) -> None:
    assert rexen(verb) == ExitCode.STORE
    assert "nothing is measured for profile 'quick'" in capsys.readouterr().err
    assert engine.names == [], "a report starts no machine"


def test_two_runs_on_one_store(
    engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture
) -> None:
    with store.writing():
        assert rexen("run", *CELL) == ExitCode.STORE
    shown = capsys.readouterr().err
    assert f"is in use by process {os.getpid()}" in unwrapped(shown)
    assert engine.names == []
    with (store.results / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert rexen("run", *CELL) == ExitCode.OK


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--system", "natvie"), "unknown system 'natvie'; did you mean 'native'?"),
        (("--workload", "control"), "unknown workload 'control'; did you mean 'controls'?"),
        (("--profile", "quik"), "unknown profile 'quik'; did you mean 'quick'?"),
        (("--system", "@@@"), "unknown system '@@@'; known: native,"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "plan", "report", "verify"])
def test_unknown_names(
    engine: WorldEngine,
    rexen: Rexen,
    capsys: Capture,
    verb: str,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert rexen(verb, *arguments) == ExitCode.USAGE
    assert words in capsys.readouterr().err
    assert engine.names == []


@pytest.mark.parametrize(
    "arguments", [["fly"], [], ["run", "--jobs", "0"], ["run", "--jobs", "x"], ["diff", "one"]]
)
def test_usage_errors(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == ExitCode.USAGE
    assert "usage: rexen" in capsys.readouterr().err


def test_a_broken_catalogue(
    tmp_path: Path, rexen: Rexen, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "checkout"
    for name in ("baselines", "workloads", "harness/experiments", "harness/paper"):
        shutil.copytree(checkout_root() / name, copy / name)
    broken = copy / "baselines" / "xen" / "system.toml"
    broken.write_text(broken.read_text().replace("[deadline]", "[deadlin]"))
    monkeypatch.setattr(cli, "checkout_root", lambda: copy)
    for verb in ("run", "list", "plan", "report", "verify", "build"):
        assert rexen(verb) == ExitCode.CONFIG
        assert f"rexen: {broken}: key 'deadline'" in capsys.readouterr().err


def test_no_engine(rexen: Rexen, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(logs: Path, steps: object) -> None:
        raise EngineError("no container engine answers", hint="start one")

    monkeypatch.setattr(session, "ensure_engine", none)
    for verb in ("run", "plan", "build", "verify", "reproduce"):
        assert rexen(verb) == ExitCode.ENGINE
        assert capsys.readouterr().err == "rexen: no container engine answers; start one\n"
    assert rexen("run", "--json") == ExitCode.ENGINE
    assert json.loads(capsys.readouterr().out) == {
        "error": "no container engine answers",
        "exit_code": 4,
        "hint": "start one",
    }


def test_a_failed_build(
    engine: WorldEngine, rexen: Rexen, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(engine: object, paths: object, steps: object) -> None:
        raise BuildError("image build failed: gcc", log=Path("build/logs/build.log"))

    monkeypatch.setattr(session, "ensure_image", fail)
    assert rexen("run") == ExitCode.BUILD
    assert "details in build/logs/build.log" in capsys.readouterr().err


def test_the_engine_dies_in_mid_run(
    engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture
) -> None:
    engine.die_at_start = 3
    assert rexen("run", "--system", "native", "--jobs", "1") == ExitCode.ENGINE
    assert "does not answer" in capsys.readouterr().err
    kept = list(store.all_records())
    assert len(kept) == 2 and all(record.ok for record in kept)
    engine.die_at_start = 0
    before = len(engine.names)
    assert rexen("run", "--system", "native") == ExitCode.OK
    assert len(engine.names) - before == len(engine.planned("native")) - 2


def test_disk_full(
    engine: WorldEngine,
    rexen: Rexen,
    store: Store,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The third file is the second cell's console; the other machine is stopped before the
    store is let go."""
    real, synced = os.fsync, []

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    engine.scripts["lmbench-process@native"] = [["forever"]]
    monkeypatch.setattr(os, "fsync", fsync)
    assert rexen("run", "--system", "native", "--jobs", "3") == ExitCode.DISK_FULL
    assert "no space left; free some and run again" in unwrapped(capsys.readouterr().err)
    assert len(list(store.all_records())) == 1
    monkeypatch.undo()
    assert all(running.process.poll() is not None for running in engine.started)


def test_machines_are_stopped_before_the_store_is_let_go(
    engine: WorldEngine, rexen: Rexen, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their folder is removed with the store's lock, and must not vanish under them."""
    alive = []
    real = shutil.rmtree

    def rmtree(path: Path, **options: Any) -> None:  # noqa: ANN401 the signature of shutil's
        if Path(path).name == ".running" and engine.started:
            alive.append(sum(running.process.poll() is None for running in engine.started))
        real(path, **options)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    engine.scripts["lmbench-context@native"] = [["forever"]]
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    monkeypatch.setattr(os, "fsync", full)
    arguments = ("--workload", "controls", "--workload", "lmbench-context", "--jobs", "2")
    assert rexen("run", "--system", "native", *arguments) == ExitCode.DISK_FULL
    assert alive == [0]


def test_disk_full_outside_the_store(
    engine: WorldEngine, rexen: Rexen, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **named: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/cell-1")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    assert rexen("run", *CELL) == ExitCode.DISK_FULL
    assert "/full/cell-1" in capsys.readouterr().err


def test_a_truncated_record(
    engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture
) -> None:
    rexen("run", *CELL)
    (path,) = store.records_dir.glob("*/*.json")
    path.write_bytes(path.read_bytes()[:99])
    for verb in ("run", "report", "export", "plan"):
        assert rexen(verb) == ExitCode.STORE
        assert path.name in unwrapped(capsys.readouterr().err)
    path.rename(path.with_suffix(".bad"))
    assert rexen("run", *CELL) == ExitCode.OK, "what the hint says works"


def test_reproduce_from_nothing_and_again(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    assert rexen("reproduce") == ExitCode.OK
    page = tmp_path / "reports" / "quick" / "index.html"
    shown = capsys.readouterr()
    assert f"report: {page}" in shown.out
    assert "wall time:" in shown.err
    first, started = page.read_bytes(), len(engine.names)
    assert started == len(engine.planned())
    assert rexen("reproduce") == ExitCode.OK
    assert len(engine.names) == started
    assert page.read_bytes() == first, "same records, same bytes"


def test_reproduce_with_a_failed_cell_still_reports(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path
) -> None:
    engine.scripts["controls@native"] = PANIC
    assert rexen("reproduce", "--system", "native") == ExitCode.CELL_FAILED
    assert (tmp_path / "reports" / "quick" / "index.html").exists()


def test_help_needs_no_package() -> None:
    """The launcher answers --help before it makes the environment."""
    for arguments in (["--help"], ["run", "--help"]):
        done = subprocess.run(
            [sys.executable, "-S", "-m", "harness", *arguments],
            cwd=checkout_root(),
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "usage: rexen" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(shell: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--print-completion", shell])
    assert left.value.code == 0
    script = capsys.readouterr().out
    assert "reproduce" in script and "--profile" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


VERBS = (
    "doctor list build plan run verify report reproduce diff console export shell image lock "
    "reference readme nightly artifact"
).split()


def test_every_verb_has_help(capsys: Capture) -> None:
    for verb in VERBS:
        with pytest.raises(SystemExit) as left:
            cli.main([verb, "--help"])
        assert left.value.code == 0
        assert f"usage: rexen {verb}" in capsys.readouterr().out


def test_exit_codes_never_change() -> None:
    assert [code.value for code in ExitCode] == [*range(14), 130]


def test_help_names_every_exit_code() -> None:
    for code in ExitCode:
        assert re.search(rf"\b{code.value} +[a-z]", cli.EPILOG), code


def test_the_readme_names_every_exit_code() -> None:
    readme = checkout_root() / "README.md"
    rows = re.findall(r"^\| *`?(\d+)`? *\|", readme.read_text(), re.M)
    assert {int(row) for row in rows} == {code.value for code in ExitCode}


def test_the_launcher_runs_its_own_checkout_wherever_it_is_called(tmp_path: Path) -> None:
    """A bug once: called from within another checkout, it ran that one's harness."""
    other = tmp_path / "harness"
    other.mkdir()
    (other / "__init__.py").touch()
    (other / "__main__.py").write_text("print('another checkout')\n")
    launcher = str(checkout_root() / "rexen")
    for words in (["list", "--help"], ["list", "--json"], []):
        done = subprocess.run(
            [launcher, *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert "another checkout" not in done.stdout


def test_the_launcher_is_sound_bash() -> None:
    launcher = checkout_root() / "rexen"
    subprocess.run(["bash", "-n", str(launcher)], check=True)
    assert os.access(launcher, os.X_OK)
