"""What changed between two nights, and whose change it was. On nights that never were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.model.unit import Better
from harness.tests.history import a_night, moved
from harness.tracking.attribution import attribute, halves
from harness.tracking.changes import ABSENT, Cause, Changes, compare
from harness.tracking.night import CellState, ClaimState, Night
from harness.tracking.summary import headline, summary

FORK = ("rexen", "lmbench-process", "fork", "")


def steps(changes: Changes) -> list[tuple[str, str]]:
    return [(one.number.system, one.number.metric) for one in changes.steps]


def values(night: Night) -> dict[tuple[str, str, str, str], float]:
    return {one.place: one.value for one in night.numbers}


def test_a_night_with_nothing_changed_reports_nothing() -> None:
    changes = compare(a_night(0), a_night(1))
    assert (changes.numbers, changes.claims, changes.broken, changes.inputs) == ((), (), (), {})
    assert halves(changes) is None
    assert headline(changes) == "none of 20 numbers changed"
    text = summary(changes, [])
    assert "every number is the last night's, to the bit" in text
    assert "Steps" not in text and "Verdicts" not in text


def test_half_a_percent_is_found_and_named_after_the_input_that_changed() -> None:
    old, new = a_night(0), moved(a_night(1, ours=2), "rexen", "fork", 1.005)
    changes = compare(old, new)
    (one,) = changes.numbers
    assert one.place == FORK
    assert one.relative == pytest.approx(0.005)
    assert (one.cause, one.inputs) == (Cause.OURS, ("file hypervisor/rexen",))
    assert changes.regressions == (one,)
    said = f"1 of 20 numbers changed, on rexen, commit {new.source.commit[:12]}"
    assert headline(changes) == said
    text = summary(changes, [])
    assert text.startswith(f"# 2026-01-02, quick: {said}\n")
    assert "+0.5000% worse | a change of ours (`file hypervisor/rexen`) |" in text


def test_a_rate_is_worse_when_it_falls() -> None:
    fell = compare(a_night(0), moved(a_night(1, ours=2), "rexen", "ir", 0.995))
    rose = compare(a_night(0), moved(a_night(1, ours=2), "rexen", "ir", 1.005))
    assert [len(fell.regressions), len(rose.regressions), len(rose.steps)] == [1, 0, 1]


def test_a_change_below_a_thousandth_is_in_the_difference_but_no_step() -> None:
    changes = compare(a_night(0), moved(a_night(1, ours=2), "rexen", "fork", 1.0009))
    assert (len(changes.numbers), steps(changes)) == (1, [])
    changes = compare(a_night(0), moved(a_night(1, ours=2), "rexen", "fork", 1.0011))
    assert steps(changes) == [("rexen", "fork")]


def test_a_change_within_the_spread_is_no_step() -> None:
    def spread(night: Night, by: float) -> Night:
        return replace(night, numbers=tuple(replace(one, spread=by) for one in night.numbers))

    new = moved(a_night(1, ours=2), "rexen", "fork", 1.005)
    assert steps(compare(spread(a_night(0), 1.0), new)) == []
    assert steps(compare(spread(a_night(0), 0.001), new)) == [("rexen", "fork")]


def test_the_same_inputs_with_other_bits_are_said_first() -> None:
    changes = compare(a_night(0), moved(a_night(1), "xen", "fork", 1.0000001))
    assert [one.cause for one in changes.undetermined] == [Cause.NOTHING]
    assert summary(changes, []).split("\n\n")[1].startswith("**The same inputs gave other bits.**")


def test_a_renewed_lock_alone_is_named() -> None:
    changes = compare(a_night(0), moved(a_night(1, kernel=2), "xen", "null_call", 1.01))
    (one,) = changes.numbers
    assert (one.cause, one.inputs) == (Cause.LOCK, ("file kernel/vmlinux",))
    assert changes.inputs == {"file kernel/vmlinux": 16}
    text = summary(changes, ["  linux-image 6.12.1 -> 6.12.2"])
    assert ", a renewed lock\n" in text and "linux-image 6.12.1 -> 6.12.2" in text


def both_changed() -> Changes:
    """Our change moves rexen's fork, the kernel null_call everywhere, both rexen's throughput, and
    clients only together."""
    new = moved(a_night(1, ours=2, kernel=2), "rexen", "fork", 1.005)
    for system, metric in (
        ("native", "null_call"),
        ("rexen", "null_call"),
        ("rexen", "throughput"),
        ("rexen", "clients"),
    ):
        new = moved(new, system, metric, 1.02)
    return compare(a_night(0), new)


def test_the_planner_makes_the_two_half_changed_variants() -> None:
    changes = both_changed()
    assert {one.cause for one in changes.numbers} == {Cause.OPEN}
    both = halves(changes)
    assert both is not None
    old, new = changes.old, changes.new
    assert (both.ours.commit, both.ours.lock_text) == (new.source.commit, old.lock_text)
    assert (both.packages.commit, both.packages.lock_text) == (old.source.commit, new.lock_text)
    assert both.ours.cells == both.packages.cells
    assert both.ours.cells == (
        ("native", "lmbench-process", ""),
        ("rexen", "dbench", ""),
        ("rexen", "lmbench-process", ""),
        ("rexen", "spec-web", ""),
    ), "only the cells with a number that changed"


def test_a_renewed_lock_is_told_apart_from_a_change_of_ours() -> None:
    changes = both_changed()
    ours = moved(moved(a_night(0), "rexen", "fork", 1.005), "rexen", "throughput", 1.01)
    packages = a_night(0)
    for system, metric in (
        ("native", "null_call"),
        ("rexen", "null_call"),
        ("rexen", "throughput"),
    ):
        packages = moved(packages, system, metric, 1.02)
    found = attribute(changes, values(ours), values(packages))
    assert {(one.number.system, one.number.metric): one.cause for one in found.numbers} == {
        ("native", "null_call"): Cause.LOCK,
        ("rexen", "null_call"): Cause.LOCK,
        ("rexen", "fork"): Cause.OURS,
        ("rexen", "throughput"): Cause.BOTH,
        ("rexen", "clients"): Cause.TOGETHER,
    }
    text = summary(found, [])
    assert "- 2 by the renewed lock\n" in text and "- 1 by a change of ours\n" in text


def test_where_a_half_has_no_number_the_cause_stays_open() -> None:
    changes = both_changed()
    found = attribute(changes, {}, values(a_night(0)))
    assert {one.cause for one in found.numbers} == {Cause.OPEN}


def test_a_work_tree_that_no_commit_has_cannot_be_halved() -> None:
    new = moved(a_night(1, ours=2, kernel=2), "rexen", "fork", 1.005)
    new = replace(new, source=replace(new.source, commit=new.source.commit + "+"))
    assert halves(compare(a_night(0), new)) is None


def test_a_work_tree_changed_twice_is_a_change_of_ours() -> None:
    nights = []
    for ours in (1, 2):
        night = moved(a_night(ours, ours=ours), "rexen", "fork", float(ours))
        nights.append(replace(night, source=replace(night.source, commit="abc+")))
    assert [one.cause for one in compare(*nights).numbers] == [Cause.OURS]


def test_a_number_that_is_gone_counts_where_its_cell_is_still_planned() -> None:
    old, new = a_night(0), a_night(1, ours=2)
    left = replace(new, numbers=tuple(one for one in new.numbers if one.place != FORK))
    assert [one.place for one in compare(old, left).regressions] == [FORK]
    unplanned = replace(left, cells=tuple(one for one in left.cells if one.system != "rexen"))
    assert compare(old, unplanned).regressions == ()
    assert "| gone |" in summary(compare(old, left), [])


def test_verdicts_that_changed_are_listed_third() -> None:
    old = a_night(0)
    new = moved(a_night(1, ours=2), "rexen", "fork", 1.5)
    claims = tuple(
        replace(one, verdict="not reproduced", reason="1.50×, not 1.00×")
        if one.system == "rexen"
        else one
        for one in old.claims
    )
    new = replace(new, claims=(*claims, ClaimState("P2", "", "direction only", "")))
    changes = compare(old, new)
    assert [(one.id, one.old, one.new) for one in changes.claims] == [
        ("P1", "reproduced", "not reproduced"),
        ("P2", ABSENT, "direction only"),
    ]
    assert [one.id for one in changes.turned] == ["P1"], "a new claim has not turned"
    heads = [line for line in summary(changes, []).splitlines() if line.startswith("#")]
    assert heads[1:] == ["## What changed", "## Steps", "## Verdicts", "## Made from"]


def test_a_cell_that_fails_now_is_named() -> None:
    old, new = a_night(0), a_night(1, ours=2)

    def failing(one: CellState) -> CellState:
        return replace(one, status="panic") if one.system == "rexen" else one

    new = replace(new, cells=tuple(failing(one) for one in new.cells))
    changes = compare(old, new)
    assert {one.system for one in changes.broken} == {"rexen"}
    assert "- dbench on rexen: panic\n" in summary(changes, [])
    again = replace(new, date="2026-01-03")
    assert compare(new, again).broken == (), "said once, on the night it begins"


def test_a_summary_stays_readable_when_everything_moves() -> None:
    old, new = a_night(0, metrics=100), a_night(1, kernel=2, metrics=100)
    for one in ("null_call", "fork", "ir"):
        for system in ("native", "rexen", "xen", "uml"):
            new = moved(new, system, one, 1.1)
    text = summary(compare(old, new), [f"  package-{n} 1 -> 2" for n in range(99)])
    assert "240 of 400 numbers changed, on native, rexen, uml, xen" in text
    assert "and 200 more, in `numbers.json` of this night" in text
    assert "99 packages of the lock changed" in text and "and 84 more" in text
    assert len(text.splitlines()) < 150


def test_direction_comes_from_the_number() -> None:
    assert {one.direction for one in a_night(0).numbers} == {Better.LOWER, Better.HIGHER}
