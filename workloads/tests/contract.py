"""What ADDING.md asks of a workload's program, as checks; the harness's own parser reads it.

test_programs.py holds every program of the catalogue to them, test_adding.py the examples of
ADDING.md. A check that is not in that text does not belong here.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import protocol
from harness.model.record import Phase, Sample
from harness.protocol import Transcript

REPS = 2
LIMIT_S = 60
DISK_BYTES = 16 << 20
REFUSED = (
    *("loops=3", "reps", "reps=", "reps=0", "reps=-1", "reps=1x", "reps=101", "=1"),
    *("percent=1.5", "percent=100001", "divide=0", "divide=1000001"),
)


@dataclass(frozen=True, slots=True)
class Program:
    """A built workload and what its workload.toml promises."""

    run: Path
    metrics: frozenset[str]
    axes: frozenset[str]

    @classmethod
    def of(cls, *, source: Path, built: Path) -> Program:
        """`source` is the workload's directory, `built` the output of `make -C workloads`."""
        declared = tomllib.loads((source / "workload.toml").read_text())
        return cls(
            run=built / "workloads" / source.name / "run",
            metrics=frozenset(declared["metrics"]),
            axes=frozenset(declared.get("axes", ())),
        )

    def start(self, tmp: Path, *parameters: str) -> tuple[int, bytes]:
        """Exit status and output. Children must be gone by then, or the pipe stays open.

        Files stand in for the data disk and loopback for the two network cards (lib/io).
        """
        with tempfile.NamedTemporaryFile(dir=tmp) as disk:
            disk.truncate(DISK_BYTES)
            places = {"TMPDIR": str(tmp), "REXEN_DATA": disk.name, "REXEN_DATA_DIR": str(tmp)}
            done = subprocess.run(
                [self.run, *parameters],
                env={**os.environ, **places, "REXEN_NETNS": ""},
                stdout=subprocess.PIPE,
                timeout=LIMIT_S,
                check=False,
            )
        return done.returncode, done.stdout


def run_in_root(program: Path, tree: Path, *parameters: str) -> tuple[int, bytes]:
    """Exit status and output of a workload to which `tree` is the large root (lib/io/app.h)."""
    done = subprocess.run(
        [program, *parameters],
        env={"REXEN_ROOT": str(tree)},
        stdout=subprocess.PIPE,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def check_prints_what_it_declares(program: Program, tmp: Path) -> Sequence[Sample]:
    """Samples and nothing else: of every declared metric one warm-up, then `reps` in order."""
    status, output = program.start(tmp, f"reps={REPS}", "percent=1", "divide=2")
    assert status == 0, output
    assert all(line.startswith(b"@rexen sample ") for line in output.splitlines())
    samples = protocol.parse(output).samples
    assert {sample.metric for sample in samples} == program.metrics
    for metric in program.metrics:
        of_metric = [sample for sample in samples if sample.metric == metric]
        assert [(sample.phase, sample.rep) for sample in of_metric] == [
            (Phase.WARM, 0),
            *((Phase.RUN, rep) for rep in range(1, REPS + 1)),
        ]
        assert len({sample.count for sample in of_metric if sample.phase is Phase.RUN}) == 1
        assert all(sample.total_ns > 0 for sample in of_metric)
    return samples


def check_percent_and_divide_set_the_count(program: Program, tmp: Path) -> None:
    """Counts grow with percent, shrink with divide, and never reach zero."""

    def counts(*parameters: str) -> dict[str, int]:
        status, output = program.start(tmp, *parameters)
        assert status == 0, output
        samples = protocol.parse(output).samples
        return {sample.metric: sample.count for sample in samples if sample.phase is Phase.RUN}

    few, least = counts("percent=10", "divide=10"), counts("percent=10", "divide=1000000")
    many = counts("percent=100", "divide=10")
    for metric in program.metrics:
        assert 0 < least[metric] <= few[metric] <= many[metric]
    assert least != many


def check_leaves_no_file(program: Program, tmp: Path) -> None:
    """The scratch directory of lib/scratch.h may stay, empty."""
    status, _ = program.start(tmp, "percent=1", "divide=1000000")
    assert status == 0
    assert [path for path in tmp.rglob("*") if path.name != "lat_fs"] == []


def check_refuses(program: Program, tmp: Path, parameter: str) -> Transcript:
    """Exit 2 and one line that quotes the parameter."""
    status, output = program.start(tmp, "percent=1", parameter)
    assert status == 2
    transcript = protocol.parse(output)
    (failure,) = transcript.failures
    assert f'"{parameter}"' in failure
    assert output.count(b"\n") == 1
    return transcript


def check_refuses_unreadable_axes(program: Program, tmp: Path) -> None:
    for axis in sorted(program.axes):
        for value in ("", "0", "-1", "1x", "99999999999999999999"):
            check_refuses(program, tmp, f"{axis}={value}")
