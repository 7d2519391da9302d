"""Two runs of one cell, compared bit by bit: the one comparison of verify and the report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.compare import first_difference
from harness.model.record import Outcome, Status
from harness.tests import synthetic

OUTCOME = synthetic.record("xen", "controls").outcome
FIRST = OUTCOME.samples[0]


@pytest.mark.parametrize(
    ("expected", "other"),
    [
        ("begun_ns: 842000000 / 1", replace(OUTCOME, begun_ns=1)),
        ("quiet_ns: 1120000000 / 1", replace(OUTCOME, quiet_ns=1)),
        ("status: ok / hang", replace(OUTCOME, status=Status.HANG)),
        ("fact clocksource: tsc / None", replace(OUTCOME, facts={})),
        ("console: same values, other text", replace(OUTCOME, console_sha256="")),
        (f"{len(OUTCOME.samples)} / 3 samples", replace(OUTCOME, samples=OUTCOME.samples[:3])),
        (
            f"cpu_loop warm 0: overhead_ns {FIRST.overhead_ns} / 7",
            replace(OUTCOME, samples=(replace(FIRST, overhead_ns=7), *OUTCOME.samples[1:])),
        ),
    ],
)
def test_the_field_that_differs_is_named(expected: str, other: Outcome) -> None:
    assert first_difference(OUTCOME, other) == expected


def test_equal_outcomes_do_not_differ_whatever_their_consoles() -> None:
    assert first_difference(OUTCOME, replace(OUTCOME)) == ""
    assert first_difference(OUTCOME, replace(OUTCOME), (b"one\n", b"other\n")) == ""


END = b"@rexen end 0 1\n"


@pytest.mark.parametrize(
    ("one", "other", "line"),
    [
        (b"a\nb\n" + END, b"a\nc\n" + END, "; console line 2: 'b' / 'c'"),
        (b"a\n", b"a\nb\n", "; console line 2: '(nothing)' / 'b'"),
        (b"a\n" + END + b"after\n", b"a\n" + END, ""),
    ],
)
def test_given_both_consoles_the_line_is_named_too(one: bytes, other: bytes, line: str) -> None:
    found = first_difference(OUTCOME, replace(OUTCOME, begun_ns=1), (one, other))
    assert found == f"begun_ns: 842000000 / 1{line}"
