"""Two sets of records compared, value by value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.diff import Change, DiffResult, Judged, State, diff_records
from harness.analysis.inputs import InputKind
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
    assert was is not None and change.ratio == 100_000.0 / was
    assert (change.name, change.at.system) == ("lmbench-process/fork", "xen")
    assert (change.b, change.judged) == (100_000.0, Judged.BETTER)
    assert change.what == f"{100_000.0 / was - 1:+.4%}"
    assert found.summary() == f"1 of {len(found.changes)} values differ (1 better)"


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


def test_more_of_a_rate_is_better_and_of_a_time_worse() -> None:
    before = synthetic.full_set("native")
    slower = {"osdb/ir": 0.5, "kernel-build/build": 0.5}
    found = diff(before, synthetic.performing(before, "native", slower))
    judged = {one.name: (one.judged, (one.ratio or 0) > 1) for one in found.unequal}
    assert judged == {
        "osdb/ir": (Judged.WORSE, False),
        "kernel-build/build": (Judged.WORSE, True),
    }
    back = diff(synthetic.performing(before, "native", slower), before)
    assert back.judged(Judged.BETTER) == 2 and back.judged(Judged.WORSE) == 0


def test_of_a_metric_in_no_catalogue_nothing_is_better() -> None:
    before = synthetic.full_set("native")
    after = synthetic.replaced(before, "native", "lmbench-process", "fork", 1.0)
    (change,) = diff_records(before, after, {}).unequal
    assert change.judged is Judged.OPEN


def test_the_inputs_that_differ_stand_at_the_number_and_in_one_list() -> None:
    """Two cells that share a new kernel, one of them with another parameter as well."""
    before = [synthetic.record("native", "controls"), synthetic.record("native", "osdb")]
    after = []
    for one in with_image(before):
        files = {**one.inputs["files"], "kernel/full": "f" * 64}  # type: ignore[dict-item]
        params = {**one.inputs["params"], "percent": 50}  # type: ignore[dict-item]
        inputs = {**one.inputs, "files": files}
        after.append(
            replace(one, inputs=inputs | ({"params": params} if one.workload == "osdb" else {}))
        )
    found = diff(before, synthetic.replaced(after, "native", "controls", "cpu_loop", 1.0))
    kernel, percent = found.inputs
    assert (kernel.key, kernel.cells, kernel.b) == ("artefact kernel/full", 2, "f" * 64)
    assert kernel.a == synthetic.digest("kernel")
    assert (percent.key, percent.cells) == ("parameter osdb.percent", 1)
    assert (percent.a, percent.b) == ("100", "50")
    (change,) = found.unequal
    assert change.inputs == ("artefact kernel/full",)


def test_another_command_line_is_told_by_its_first_other_word() -> None:
    one = synthetic.record("native", "controls")
    argv = one.inputs["argv"]
    assert isinstance(argv, list)
    words = [str(word) for word in argv]
    words[-1] = words[-1].replace("panic=-1", "panic=0")
    (other,) = with_image([replace(one, inputs={**one.inputs, "argv": words})])
    (found,) = diff([one], [other]).inputs
    assert (found.kind, found.name) == (InputKind.OPTIONS, "native")
    assert (found.a, found.b) == ("panic=-1", "panic=0")


def test_cells_of_the_same_identity_have_the_same_inputs() -> None:
    records = synthetic.full_set("native")
    assert diff(records, records).inputs == ()
