"""Two sets of records compared, value by value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.diff import Change, DiffResult, State, diff_records
from harness.model.record import Record, Status
from harness.tests import synthetic

WORKLOADS = synthetic.workloads()


def diff(a: list[Record], b: list[Record]) -> DiffResult:
    return diff_records(a, b, WORKLOADS)


def with_image(records: list[Record]) -> list[Record]:
    """The same cells under other inputs."""
    return [replace(one, cell_id=synthetic.digest(f"{one.cell_id} other")) for one in records]


def test_equal_sets_have_no_change() -> None:
    records = synthetic.full_set("native", "xen") + synthetic.series_set("native")
    found = diff(records, records)
    metrics = sum(
        len(rows) * len(synthetic.POINTS.get(name, (None,)))
        for name, rows in synthetic.NATIVE.items()
    )
    assert found.count(State.SAME) == len(found.changes) == 2 * metrics + len(synthetic.BLOCKS)
    assert (found.differ, found.missing, found.unequal) == (0, 0, ())
    assert found.summary() == f"0 of {len(found.changes)} values differ"


def test_one_changed_value_is_the_only_change() -> None:
    before = synthetic.full_set("native", "xen")
    after = synthetic.replaced(before, "xen", "lmbench-process", "fork", 100_000.0)
    found = diff(before, after)
    (change,) = found.unequal
    assert (found.differ, found.missing) == (1, 0)
    was = change.a
    assert was is not None and change.change == 100_000.0 / was - 1
    head, row = found.rows()
    assert row[:5] == ["lmbench-process/fork", "xen", "quick", f"{was:.3f}", "100000.000"]
    assert row[5] == f"{100_000.0 / was - 1:+.4%}" and len(head) == len(row)


def test_a_point_is_part_of_a_values_name() -> None:
    before = synthetic.series_set("native")
    after = synthetic.replaced(before[:1], "native", synthetic.SERIES, "bandwidth", 1.0)
    (change,) = diff(before, after + before[1:]).unequal
    assert change.name == "pipe-bandwidth/bandwidth@block=512"


def test_a_cell_in_one_set_only_is_missing_and_no_difference() -> None:
    both = synthetic.full_set("native", "xen")
    only = [one for one in both if one.system == "native"]
    found = diff(both, only)
    missing = [one for one in found.changes if one.at.system == "xen"]
    assert {one.state for one in missing} == {State.ONLY_A}
    assert all(one.b is None and one.change is None for one in missing)
    assert (found.differ, found.missing) == (0, len(missing))
    assert found.summary().endswith(f" values differ; {len(missing)} only in A")
    assert {one.state for one in diff(only, both).unequal} == {State.ONLY_B}


def test_a_failed_cell_is_told_with_its_status() -> None:
    good = synthetic.record("xen", "controls")
    failed = replace(good, outcome=replace(good.outcome, status=Status.PANIC))
    found = diff([good], [failed])
    assert {(one.state, one.remark) for one in found.changes} == {(State.FAILED, "B: panic")}
    assert (found.differ, found.missing) == (0, len(found.changes))
    (both,) = diff([failed], [failed]).changes
    assert (both.metric, both.what) == ("-", "failed; A: panic; B: panic")


def test_the_later_of_two_cells_speaks_for_a_set() -> None:
    old = synthetic.record("xen", "controls", files={"kernel/old": "0" * 64})
    old = synthetic.replaced([old], "xen", "controls", "cpu_loop", 5.0)[0]
    new = synthetic.record("xen", "controls")
    new = replace(new, host=replace(new.host, started_at="2004-01-01T00:00:00Z"))
    assert diff([new, old], [new]).unequal == ()


def test_a_metric_that_one_side_lacks_is_told() -> None:
    good = synthetic.record("xen", "controls")
    kept = tuple(it for it in good.outcome.samples if it.metric != "cpu_loop")
    less = replace(good, outcome=replace(good.outcome, samples=kept))
    (change,) = diff([good], [less]).unequal
    assert (change.metric, change.state, change.b) == ("cpu_loop", State.ONLY_A, None)


def test_a_metric_the_catalogue_no_longer_has_is_compared_all_the_same() -> None:
    records = synthetic.full_set("native")
    assert diff_records(records, records, {}).differ == 0


def moved(factor: float) -> list[Record]:
    """A cell and a perturbation that takes 2 % longer; the cell itself `factor` times as long."""
    cell = synthetic.record("xen", "lmbench-process")
    variant = synthetic.variant(cell, 1, fork=1.02)
    return with_image([synthetic.variant(cell, 0, fork=factor), variant])


@pytest.mark.parametrize(("factor", "within"), [(1.01, True), (1.05, False)])
def test_a_change_smaller_than_the_spread_is_said_to_be_so(factor: float, within: bool) -> None:
    cell = synthetic.record("xen", "lmbench-process")
    before = [cell, synthetic.variant(cell, 1, fork=1.02)]
    found = diff(before, moved(factor))
    (change,) = found.unequal
    assert (change.state, change.within_spread) == (State.DIFFERS, within)
    assert ("within the spread of 2 variants" in change.what) is within
    assert (", 1 of them within the spread" in found.summary()) is within


def test_of_the_same_inputs_every_difference_is_one() -> None:
    cell = synthetic.record("xen", "lmbench-process")
    other = synthetic.replaced([cell], "xen", "lmbench-process", "fork", 470_000.0)
    variant = synthetic.variant(cell, 1, fork=9.0)
    (change,) = diff([cell, variant], [*other, variant]).unequal
    assert isinstance(change, Change) and not change.within_spread
