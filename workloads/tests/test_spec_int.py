"""spec-int on the build machine: the programs say what they should, and another answer is told.

A tree of the large root stands in for the guest's (lib/io/app.h); ring 2, the checks image.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import WORKLOADS
from contract import Program, run_in_root

from harness import protocol

pytestmark = pytest.mark.guest
NAME = "spec-int"


def run(tree: Path, built: Path, *parameters: str) -> tuple[int, bytes]:
    """The program of this tree's /workloads, with the tree as its root."""
    place = tree / "workloads" / NAME
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(built / "workloads" / NAME, place)
    return run_in_root(place / "run", tree, *parameters)


def test_every_program_says_what_it_should(large_root: Path, built: Path) -> None:
    status, output = run(large_root, built)
    assert status == 0, output.decode()
    found = {sample.metric for sample in protocol.parse(output).samples}
    assert found == Program.of(source=WORKLOADS / NAME, built=built).metrics


@pytest.mark.parametrize(
    ("file", "was", "now", "metric"),
    [
        ("text", "fa ", "ka ", "gzip"),
        ("groups.g", "[4 .. 24]", "[4 .. 23]", "gap"),
        ("store.sql", "n < 1000", "n < 999", "store"),
    ],
)
def test_another_answer_fails_the_cell(
    file: str, was: str, now: str, metric: str, large_root: Path, built: Path, tmp_path: Path
) -> None:
    """What is read differs in one place, so something else is said."""
    copy = tmp_path / "built"
    shutil.copytree(built / "workloads" / NAME, copy / "workloads" / NAME)
    changed = copy / "workloads" / NAME / file
    text = changed.read_text()
    assert was in text
    changed.write_text(text.replace(was, now, 1))
    status, output = run(large_root, copy)
    assert status == 1, output.decode()
    (failure,) = protocol.parse(output).failures
    assert failure.startswith(f"{metric} ") and "sum is 0x" in failure


def test_a_program_that_is_not_there_is_named(large_root: Path, built: Path) -> None:
    program = large_root / "usr/bin/bzip2"
    program.rename(program.with_name("away"))
    try:
        status, output = run(large_root, built)
    finally:
        program.with_name("away").rename(program)
    assert status == 1
    (failure,) = protocol.parse(output).failures
    assert failure.startswith("bzip2 bzip2 could not be started")
    assert "/usr/bin/bzip2: No such file or directory" in failure
