"""ADDING.md as an outsider follows it: its examples, copied from the text, built and held to it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import contract
import guest
import pytest
from conftest import WORKLOADS
from contract import Program

from harness.catalogue.experiments import load_experiments
from harness.catalogue.workloads import load_workloads
from harness.model.record import Phase
from harness.paths import Paths

PAGE = WORKLOADS / "ADDING.md"
EXAMPLE = re.compile(r"^\*\*([\w./-]+)\*\*\n\n```\w+\n(.*?)^```$", re.M | re.S)
NAMES = ("sort-lines", "yield")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout's `workloads/`, and the examples where the page says."""
    top = tmp_path_factory.mktemp("adding")
    ignored = shutil.ignore_patterns("build", "tests")
    shutil.copytree(WORKLOADS, top / "workloads", ignore=ignored)
    for name, text in EXAMPLE.findall(PAGE.read_text()):
        file = top / name if name.startswith("harness/") else top / "workloads" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return top


@pytest.fixture(scope="module")
def added(checkout: Path) -> Path:
    """The same, with the guest root built in `out/`."""
    source, out = checkout / "workloads", checkout / "out"
    subprocess.run(["make", "-s", "-C", source, "root", f"OUT={out}"], check=True)
    return checkout


def program(name: str, added: Path) -> Program:
    return Program.of(source=added / "workloads" / name, built=added / "out")


def test_catalogue_reads_the_examples(checkout: Path) -> None:
    paths = Paths.of(checkout)
    workloads = load_workloads(paths)
    assert set(NAMES) <= set(workloads)
    (experiment,) = load_experiments(paths.experiments, workloads)
    assert {choice.workload for choice in experiment.cells} == set(NAMES)
    assert [str(point) for point in experiment.cells[0].points("quick")] == ["width=8", "width=64"]


def test_page_lists_every_unit_with_its_kind() -> None:
    units = tomllib.loads((WORKLOADS / "units.toml").read_text())
    row = re.compile(r"^\| (\w+) \| [^|]* \| ([^|]*) \|$", re.M)
    listed = {
        name.partition(" (")[0]: kind
        for kind, names in row.findall(PAGE.read_text())
        for name in names.split(", ")
    }
    assert listed == {name: unit["kind"] for name, unit in units.items()} | {"units": "kind"}


@pytest.mark.guest
@pytest.mark.parametrize("name", NAMES)
def test_example_prints_what_it_declares(name: str, added: Path, tmp_path: Path) -> None:
    contract.check_prints_what_it_declares(program(name, added), tmp_path)


@pytest.mark.guest
@pytest.mark.parametrize("name", NAMES)
def test_example_counts_follow_percent_and_divide(name: str, added: Path, tmp_path: Path) -> None:
    contract.check_percent_and_divide_set_the_count(program(name, added), tmp_path)


@pytest.mark.guest
@pytest.mark.parametrize("name", NAMES)
def test_example_leaves_no_file_behind(name: str, added: Path, tmp_path: Path) -> None:
    contract.check_leaves_no_file(program(name, added), tmp_path)


@pytest.mark.guest
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parameter", contract.REFUSED)
def test_example_refuses(name: str, parameter: str, added: Path, tmp_path: Path) -> None:
    contract.check_refuses(program(name, added), tmp_path, parameter)


@pytest.mark.guest
@pytest.mark.parametrize("name", NAMES)
def test_example_refuses_unreadable_axes(name: str, added: Path, tmp_path: Path) -> None:
    contract.check_refuses_unreadable_axes(program(name, added), tmp_path)


@pytest.mark.guest
@pytest.mark.parametrize("name", NAMES)
def test_example_runs_in_a_guest_from_its_own_archive(
    name: str, added: Path, tmp_path: Path
) -> None:
    parts = ("root/base.cpio", f"root/work/{name}.cpio")
    root = b"".join((added / "out" / part).read_bytes() for part in parts)
    transcript, _ = guest.boot(tmp_path, f"rexen.run={name},reps=1,percent=10", root)
    assert transcript.failures == []
    assert transcript.exit_status == 0
    assert [sample.phase for sample in transcript.samples] == [Phase.WARM, Phase.RUN]
