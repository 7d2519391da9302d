"""Two sets of records compared, metric by metric; two outcomes compared, bit by bit."""

from __future__ import annotations

from dataclasses import replace

from harness.analysis.diff import diff_records, first_difference
from harness.model.record import Status
from harness.tests import synthetic

WORKLOADS = synthetic.workloads()


def test_equal_sets_have_no_change() -> None:
    records = synthetic.full_set("native", "xen")
    changes = diff_records(records, records, WORKLOADS)
    assert len(changes) == 2 * sum(len(metrics) for metrics in synthetic.NATIVE.values())
    assert all(change.same and change.change == 0.0 for change in changes)


def test_one_changed_value_is_the_only_change() -> None:
    before = synthetic.full_set("native", "xen")
    after = synthetic.replaced(before, "xen", "lmbench-process", "fork", 100_000.0)
    changed = [one for one in diff_records(before, after, WORKLOADS) if not one.same]
    assert [(one.system, one.metric, one.b) for one in changed] == [("xen", "fork", 100_000.0)]
    was = changed[0].a
    assert was is not None and changed[0].change == 100_000.0 / was - 1
    assert str(changed[0]).startswith(
        f"lmbench-process/fork on xen (quick): {was:.15g} -> 100000 (-"
    )


def test_a_cell_in_one_set_only_is_told() -> None:
    both = synthetic.full_set("native", "xen")
    only = [one for one in both if one.system == "native"]
    missing = [one for one in diff_records(both, only, WORKLOADS) if one.system == "xen"]
    assert {one.remark for one in missing} == {"B: not run"}
    assert all(one.b is None and one.change is None and not one.same for one in missing)


def test_a_failed_cell_is_told_with_its_status() -> None:
    good = synthetic.record("xen", "controls")
    failed = replace(good, outcome=replace(good.outcome, status=Status.PANIC))
    assert {one.remark for one in diff_records([good], [failed], WORKLOADS)} == {"B: panic"}
    assert [one.metric for one in diff_records([failed], [failed], WORKLOADS)] == ["-"]


def test_the_later_of_two_cells_speaks_for_a_set() -> None:
    old = synthetic.record("xen", "controls", files={"kernel/old": "0" * 64})
    old = synthetic.replaced([old], "xen", "controls", "cpu_loop", 5.0)[0]
    new = synthetic.record("xen", "controls")
    new = replace(new, host=replace(new.host, started_at="2004-01-01T00:00:00Z"))
    assert all(one.same for one in diff_records([new, old], [new], WORKLOADS))


def test_first_difference_names_the_place() -> None:
    outcome = synthetic.record("xen", "controls").outcome
    facts = {**outcome.facts, "kernel": "other"}
    cases = {
        "begun_ns: 842000000 / 1": replace(outcome, begun_ns=1),
        "fact kernel: 6.12.48+deb13-amd64 / other": replace(outcome, facts=facts),
        "console: same values, other text": replace(outcome, console_sha256=""),
        f"{len(outcome.samples)} / 3 samples": replace(outcome, samples=outcome.samples[:3]),
    }
    for expected, other in cases.items():
        assert first_difference(outcome, other) == expected
    assert first_difference(outcome, replace(outcome)) == ""


def test_a_metric_that_one_side_lacks_is_told() -> None:
    good = synthetic.record("xen", "controls")
    kept = tuple(it for it in good.outcome.samples if it.metric != "cpu_loop")
    less = replace(good, outcome=replace(good.outcome, samples=kept))
    changed = [one for one in diff_records([good], [less], WORKLOADS) if not one.same]
    assert [(one.metric, one.b, one.remark) for one in changed] == [
        ("cpu_loop", None, "cannot be compared")
    ]
