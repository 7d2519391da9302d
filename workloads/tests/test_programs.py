"""Every workload program, run in the checks image with small loop counts (ring 2).

The catalogue promises metrics; the program must print exactly those, in the grammar the harness
reads, and refuse parameters it does not know. Values are checked for sense only: this machine's
clock is not the one that counts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import WORKLOADS

from harness import protocol
from harness.catalogue import read_workload
from harness.model.record import Phase

pytestmark = pytest.mark.guest
NAMES = sorted(file.parent.name for file in WORKLOADS.glob("*/workload.toml"))
REPS = 2
# Rows that subtract another measurement may come out below zero on a disturbed machine.
DIFFERENCES = ("ctx_", "sig_handle", "prot_fault", "page_fault", "write_fault")


def run(built: Path, tmp: Path, name: str, *parameters: str) -> tuple[int, bytes]:
    """Exit status and output. Children must be gone by then, or the pipe stays open."""
    done = subprocess.run(
        [built / "workloads" / name / "run", *parameters],
        env={**os.environ, "TMPDIR": str(tmp)},
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_prints_every_declared_metric_and_nothing_else(
    name: str, built: Path, tmp_path: Path
) -> None:
    declared = {metric.id for metric in read_workload(WORKLOADS / name / "workload.toml").metrics}
    status, output = run(built, tmp_path, name, f"reps={REPS}", "percent=1")
    assert status == 0, output
    assert all(line.startswith(b"@rexen sample ") for line in output.splitlines())
    samples = protocol.parse(output).samples
    assert {sample.metric for sample in samples} == declared
    for metric in declared:
        of_metric = [sample for sample in samples if sample.metric == metric]
        assert [(sample.phase, sample.rep) for sample in of_metric] == [
            (Phase.WARM, 0),
            *((Phase.RUN, rep) for rep in range(1, REPS + 1)),
        ]
        assert len({sample.count for sample in of_metric if sample.phase is Phase.RUN}) == 1
        for sample in of_metric:
            assert sample.total_ns > 0
            if not metric.startswith(DIFFERENCES):
                assert sample.overhead_ns < sample.total_ns


@pytest.mark.parametrize("name", NAMES)
def test_leaves_no_file_behind(name: str, built: Path, tmp_path: Path) -> None:
    status, _ = run(built, tmp_path, name, "percent=1", "divide=1000000")
    assert status == 0
    assert [path for path in tmp_path.rglob("*") if path.name != "lat_fs"] == []


def test_divide_shrinks_counts_but_not_below_the_least(built: Path, tmp_path: Path) -> None:
    def count(*parameters: str) -> dict[str, int]:
        _, output = run(built, tmp_path, "lmbench-process", *parameters)
        samples = protocol.parse(output).samples
        return {sample.metric: sample.count for sample in samples if sample.phase is Phase.RUN}

    tenth, hundredth = count("percent=10"), count("percent=10", "divide=10")
    assert hundredth["null_call"] * 10 == tenth["null_call"]
    least = count("percent=10", "divide=1000000")
    assert least["null_call"] == 100 and least["fork"] == 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "parameter",
    ["loops=3", "reps", "reps=", "reps=0", "reps=-1", "reps=1x", "reps=1001", "percent=1.5", "=1"],
)
def test_bad_parameter_is_one_clear_line(
    name: str, parameter: str, built: Path, tmp_path: Path
) -> None:
    status, output = run(built, tmp_path, name, "percent=1", parameter)
    assert status == 2
    (failure,) = protocol.parse(output).failures
    assert f'"{parameter}"' in failure
    assert output.count(b"\n") == 1


def test_failing_row_is_named(built: Path, tmp_path: Path) -> None:
    """A file where the scratch directory should be: samples so far, then the row and its error."""
    (tmp_path / "lat_fs").write_text("in the way")
    status, output = run(built, tmp_path, "lmbench-process", "percent=1", "reps=1")
    assert status == 1
    transcript = protocol.parse(output)
    (failure,) = transcript.failures
    assert failure.startswith("stat ") and "Not a directory" in failure
    assert {sample.metric for sample in transcript.samples} == {"null_call", "null_io"}


def test_hello_is_dynamic_and_run_is_static(built: Path) -> None:
    """exec measures the loader too; everything else must not depend on it."""
    folder = built / "workloads" / "lmbench-process"
    assert b"ld-linux" in (folder / "hello").read_bytes()[:4096]
    assert b"ld-linux" not in (folder / "run").read_bytes()[:4096]


def test_build_is_the_same_from_another_place(built: Path, tmp_path: Path) -> None:
    copy, out = tmp_path / "elsewhere", tmp_path / "out"
    shutil.copytree(WORKLOADS, copy, ignore=shutil.ignore_patterns("build"))
    subprocess.run(["make", "-s", "-C", copy, f"OUT={out}"], check=True)
    files = sorted(path.relative_to(built) for path in built.rglob("*") if path.is_file())
    assert len(files) >= 7
    for file in files:
        assert (out / file).read_bytes() == (built / file).read_bytes(), file
