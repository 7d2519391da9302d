"""lib/report.sh, the shell twin of bench.c, against the harness's own parser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import WORKLOADS

from harness import protocol
from harness.model.record import Phase, Sample


def sh(script: str, *arguments: str) -> tuple[int, bytes]:
    source = f". {WORKLOADS}/lib/report.sh\n{script}"
    done = subprocess.run(
        ["/bin/sh", "-euc", source, "sh", *arguments],
        stdout=subprocess.PIPE,
        timeout=10,
        check=False,
    )
    return done.returncode, done.stdout


def test_samples_are_kept_until_flushed() -> None:
    status, output = sh(
        "report_sample build_time warm 0 1 900 7\n"
        "report_sample build_time run 1 2 1000 7\n"
        "echo between\n"
        "report_flush\n"
    )
    assert status == 0
    assert output.startswith(b"between\n")
    assert protocol.parse(output).samples == [
        Sample("build_time", Phase.WARM, 0, 1, 900, 7),
        Sample("build_time", Phase.RUN, 1, 2, 1000, 7),
    ]


def test_fail_prints_samples_first_and_ends() -> None:
    status, output = sh("report_sample a run 1 2 3 0\nreport_fail a no space left\necho never\n")
    assert status == 1
    transcript = protocol.parse(output)
    assert transcript.failures == ["a no space left"]
    assert len(transcript.samples) == 1
    assert b"never" not in output


@pytest.mark.parametrize(
    "fields", ["Bad run 1 2 3 0", "a-b run 1 2 3 0", "a hot 1 2 3 0", "a run 1 2 3.5 0"]
)
def test_malformed_sample_is_refused(fields: str) -> None:
    status, output = sh(f"report_sample {fields}\nreport_flush\n")
    assert status == 1
    assert len(protocol.parse(output).failures) == 1


def test_parameters_become_variables() -> None:
    script = 'report_parameters "reps=1 percent=100" "$@"\necho "$reps $percent"\n'
    assert sh(script) == (0, b"1 100\n")
    assert sh(script, "percent=7", "reps=3") == (0, b"3 7\n")


@pytest.mark.parametrize(
    "argument",
    ["loops=3", "reps", "reps=0", "reps=1x", "reps=", "=1", "reps=101", "percent=100001"]
    + ["reps=18446744073709551617"],
)
def test_bad_parameter_is_one_clear_line(argument: str) -> None:
    status, output = sh('report_parameters "reps=1 percent=100" "$@"\n', argument)
    assert status == 2
    (failure,) = protocol.parse(output).failures
    assert f'"{argument}"' in failure


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        ((), b"20000 5000\n"),
        (("percent=10",), b"2000 500\n"),
        (("percent=10", "divide=5"), b"400 100\n"),
        (("percent=1", "divide=1000000"), b"100 100\n"),
    ],
)
def test_counts_are_those_of_bench_c(arguments: tuple[str, ...], counts: bytes) -> None:
    script = (
        'report_parameters "percent=100 divide=1" "$@"\nreport_counts 20000 100\n'
        'echo "$count $warm_count"\n'
    )
    assert sh(script, *arguments) == (0, counts)


@pytest.mark.guest
def test_a_timed_section_holds_what_ran_in_it(built: Path, tmp_path: Path) -> None:
    """Start to stop, and what reading the clock costs, the same for every section."""
    program = built / "workloads" / "timed-in-shell" / "run"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n. "${0%/*}/../lib/report.sh"\n'
        "report_start; report_stop empty warm 0 1\n"
        "report_start; sleep 0.3; report_stop slept run 1 7\nreport_flush\n"
    )
    done = subprocess.run(["/bin/sh", program], cwd=tmp_path, stdout=subprocess.PIPE, check=True)
    shutil.rmtree(program.parent)
    empty, slept = protocol.parse(done.stdout).samples
    assert (slept.metric, slept.phase, slept.rep, slept.count) == ("slept", Phase.RUN, 1, 7)
    assert slept.total_ns > 300_000_000
    assert 0 < empty.overhead_ns == slept.overhead_ns
