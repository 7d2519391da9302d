"""ADDING.md as an outsider follows it: its examples, copied from the text, built and held to it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import contract
import guest
import pytest
from conftest import WORKLOADS
from contract import Program

from harness.model.record import Phase

pytestmark = pytest.mark.guest
EXAMPLE = re.compile(r"^\*\*([a-z-]+/[\w.]+)\*\*\n\n```\w+\n(.*?)^```$", re.M | re.S)
NAMES = ("sort-lines", "yield")


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout's `workloads/` with the examples in it, built."""
    checkout = tmp_path_factory.mktemp("adding")
    source = checkout / "workloads"
    shutil.copytree(WORKLOADS, source, ignore=shutil.ignore_patterns("build", "tests"))
    for name, text in EXAMPLE.findall((WORKLOADS / "ADDING.md").read_text()):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    subprocess.run(["make", "-s", "-C", source, f"OUT={checkout}/out"], check=True)
    return checkout


def program(name: str, added: Path) -> Program:
    return Program.of(source=added / "workloads" / name, built=added / "out")


def test_the_page_has_both_examples(added: Path) -> None:
    for name in NAMES:
        assert not (WORKLOADS / name).exists()
        assert (added / "workloads" / name / "workload.toml").exists()


@pytest.mark.parametrize("name", NAMES)
def test_example_prints_what_it_declares(name: str, added: Path, tmp_path: Path) -> None:
    contract.check_prints_what_it_declares(program(name, added), tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_example_counts_follow_percent_and_divide(name: str, added: Path, tmp_path: Path) -> None:
    contract.check_percent_and_divide_set_the_count(program(name, added), tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_example_leaves_no_file_behind(name: str, added: Path, tmp_path: Path) -> None:
    contract.check_leaves_no_file(program(name, added), tmp_path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parameter", contract.REFUSED)
def test_example_refuses(name: str, parameter: str, added: Path, tmp_path: Path) -> None:
    contract.check_refuses(program(name, added), tmp_path, parameter)


@pytest.mark.parametrize("name", NAMES)
def test_example_refuses_unreadable_axes(name: str, added: Path, tmp_path: Path) -> None:
    contract.check_refuses_unreadable_axes(program(name, added), tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_example_runs_in_a_guest_from_its_own_archive(
    name: str, added: Path, tmp_path: Path
) -> None:
    out = added / "out"
    subprocess.run(["make", "-s", "-C", added / "workloads", "root", f"OUT={out}"], check=True)
    parts = (out / "root/base.cpio", out / f"root/work/{name}.cpio")
    root = b"".join(part.read_bytes() for part in parts)
    transcript, _ = guest.boot(tmp_path, f"rexen.run={name},reps=1,percent=10", root)
    assert transcript.failures == []
    assert transcript.exit_status == 0
    assert [sample.phase for sample in transcript.samples] == [Phase.WARM, Phase.RUN]
