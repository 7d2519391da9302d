"""A half-changed variant is run by its own commit's harness, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.choice import Choice, Chosen, choose
from harness.cli.context import Context
from harness.cli.night import half_commands, run_half, usable_records
from harness.model.record import AS_LOCKED, INPUTS
from harness.paths import Paths, checkout_root
from harness.steps import Steps
from harness.store import Store
from harness.tests.builders import a_record
from harness.tracking.attribution import Half

# What the commit's launcher does here: it writes down what it was given, and plays fake machines.
LAUNCHER = """\
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
{{ cat "$here/version"; cat "$here/inputs.lock"; pwd; echo "$@"; }} >>{seen}
PYTHONPATH={root} {python} -m harness.tests.world {starts} 0 "$@"
exit {status}
"""
CELLS = (("native", "controls", ""), ("rexen", "controls", ""))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Of a repository with two commits, on the real catalogue."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("baselines", "workloads", "hypervisor", "harness"):
        (root / name).symlink_to(checkout_root() / name)
    return Context(Paths.of(root), Steps(quiet=True), json=False)


@pytest.fixture
def chosen(context: Context) -> Chosen:
    return choose(context.paths, Choice("quick", (), (), (), None))


def committed(context: Context, tmp_path: Path, *, status: int = 0) -> list[str]:
    """Two commits, whose launchers end with this status; their names, oldest first."""
    root = context.paths.root
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x.invalid"]
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    found = []
    for version in ("one", "two"):
        (root / "version").write_text(f"{version}\n")
        (root / "inputs.lock").write_text("the lock of the commit\n")
        launcher = LAUNCHER.format(
            seen=tmp_path / "seen",
            root=checkout_root(),
            python=sys.executable,
            starts=tmp_path / "starts",
            status=status,
        )
        (root / "rexen").write_text(launcher)
        (root / "rexen").chmod(0o755)
        subprocess.run([*git, "add", "version", "inputs.lock", "rexen"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", version], check=True)
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        found.append(head.stdout.strip())
    return found


def a_half(commit: str) -> Half:
    return Half("packages", commit, "another lock\n", "quick", CELLS)


def test_the_old_commit_runs_with_the_new_lock(
    context: Context, chosen: Chosen, tmp_path: Path
) -> None:
    old, _ = committed(context, tmp_path)
    values = run_half(context, chosen, a_half(old), jobs=2)
    seen = (tmp_path / "seen").read_text().splitlines()
    assert seen[:2] == ["one", "another lock"]
    assert Path(seen[2]).name == "checkout", "python -m takes what lies in the working folder first"
    assert {system for system, *_ in values} == {"native", "rexen"}
    assert all(value > 0 for value in values.values())
    assert sorted((tmp_path / "starts").read_text().split()) == [
        "controls@native",
        "controls@rexen",
    ], "the affected cells, unperturbed, and no other"
    assert not list(Store(context.paths.results).all_records()), "today's store has none of it"
    assert not list(context.paths.build.glob("halves/*/checkout"))


def test_what_a_half_has_measured_is_not_run_again(
    context: Context, chosen: Chosen, tmp_path: Path
) -> None:
    old, _ = committed(context, tmp_path)
    first = run_half(context, chosen, a_half(old), jobs=2)
    assert run_half(context, chosen, a_half(old), jobs=2) == first
    assert len((tmp_path / "starts").read_text().split()) == 2


def test_a_failed_cell_leaves_the_others(context: Context, chosen: Chosen, tmp_path: Path) -> None:
    old, _ = committed(context, tmp_path, status=6)
    assert run_half(context, chosen, a_half(old), jobs=2)


def test_a_half_that_cannot_be_run_gives_no_numbers(
    context: Context, chosen: Chosen, tmp_path: Path
) -> None:
    old, _ = committed(context, tmp_path, status=5)
    assert run_half(context, chosen, a_half(old), jobs=2) == {}
    assert run_half(context, chosen, a_half("f" * 40), jobs=2) == {}, "an unknown commit"


def test_a_half_whose_old_packages_are_gone_is_no_half(tmp_path: Path) -> None:
    """The build takes what the mirror has instead, and that is what the other half is for."""
    store = Store(tmp_path / "results")
    half = replace(a_half("c" * 40), cells=(("native", "demo", ""),))
    for name, said in (("a", AS_LOCKED), ("b", "not as inputs.lock has it: linux-image 6.12.9")):
        record = a_record(name * 64)
        host = replace(record.host, host={INPUTS: said})
        store.add(replace(record, host=host), b"")
    found, replaced = usable_records(store, half)
    assert [one.cell_id[0] for one in found] == ["a"]
    assert replaced == ["not as inputs.lock has it: linux-image 6.12.9"]


def test_each_system_is_one_command_with_its_workloads() -> None:
    half = a_half("c" * 40)
    half = replace(
        half,
        cells=(
            ("native", "osdb", ""),
            ("rexen", "osdb", ""),
            ("rexen", "ttcp", "mtu=500"),
            ("rexen", "ttcp", "mtu=1500"),
        ),
    )
    first, second = half_commands(Path("/c"), Path("/r"), half, jobs=3)
    assert first[-4:] == ["--system", "native", "--workload", "osdb"]
    assert second[:2] == ["/c/rexen", "run"]
    assert second[-6:] == ["--system", "rexen", "--workload", "osdb", "--workload", "ttcp"]
    assert second[2:10] == [
        *("--results", "/r"),
        *("--profile", "quick"),
        *("--jobs", "3"),
        *("--perturb", "0"),
    ]
