"""Performance relative to native: its direction, a group's mean, and a system's targets."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.analysis.overhead import Reached
from harness.analysis.performance import (
    Standing,
    mean_value,
    paper_performance,
    performance,
    standings,
)
from harness.analysis.study import Study
from harness.model.experiment import MetricRef
from harness.model.record import Record
from harness.model.system import Targets
from harness.model.unit import Better
from harness.tests import synthetic

FIGURE = next(one for one in synthetic.experiments() if one.groups)
GROUPS = {group.name: group for group in FIGURE.groups}
NAMES = ("native", "rexen", "xen")
TARGETS = Targets(performance=0.97, performance_groups=5)
SPEC = [f"spec-int/{metric}" for metric in synthetic.NATIVE["spec-int"]]


def of(records: list[Record], targets: Targets = TARGETS) -> Study:
    systems = synthetic.systems(*NAMES)
    systems["rexen"] = replace(systems["rexen"], targets=targets)
    return synthetic.study(records, systems, experiments=[FIGURE])


def all_at(found: float) -> dict[str, float]:
    return {str(ref): found for group in FIGURE.groups for ref in group.refs}


def records_at(rexen: dict[str, float], xen: float = 0.9) -> list[Record]:
    """rexen at 1 on every group but the named metrics."""
    records = synthetic.performing(synthetic.full_set(*NAMES), "rexen", all_at(1.0) | rexen)
    return synthetic.performing(records, "xen", all_at(xen))


def standing(records: list[Record], targets: Targets = TARGETS) -> Standing:
    (found,) = standings(of(records, targets), FIGURE)
    return found


@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        ("kernel-build/build", "a time"),
        ("dbench/throughput", "a rate"),
        ("spec-web/clients", "an amount"),
    ],
)
def test_more_is_better_whatever_is_measured(metric: str, kind: str) -> None:
    study = of(synthetic.performing(synthetic.full_set(*NAMES), "xen", {metric: 0.5}))
    found = performance(study, "xen", [MetricRef.parse(metric)])
    assert found.value == pytest.approx(0.5, rel=1e-6), kind
    assert performance(study, "native", [MetricRef.parse(metric)]).value == 1.0


def test_a_group_is_the_geometric_mean_of_its_metrics() -> None:
    one, *others = SPEC
    moved = {one: 0.5 ** len(SPEC)} | dict.fromkeys(others, 1.0)
    study = of(synthetic.performing(synthetic.full_set(*NAMES), "xen", moved))
    found = performance(study, "xen", GROUPS["SPEC INT2000"].refs)
    assert found.value == pytest.approx(0.5, rel=1e-5)
    values = synthetic.NATIVE["spec-int"].values()
    expected = math.prod(values) ** (1 / len(values))
    mean = mean_value(study, "native", GROUPS["SPEC INT2000"].refs)
    assert mean.value == pytest.approx(expected, rel=1e-6)


def test_a_mean_of_one_is_exactly_that_one() -> None:
    study = of(synthetic.full_set(*NAMES))
    assert mean_value(study, "native", GROUPS["SPEC WEB99"].refs).value == 518.0


def test_a_group_lacks_a_value_if_any_of_its_metrics_does() -> None:
    records = synthetic.replaced(synthetic.full_set(*NAMES), "xen", "spec-int", "gap", -1.0)
    assert performance(of(records), "xen", GROUPS["SPEC INT2000"].refs).missing
    assert not performance(of(records), "rexen", GROUPS["SPEC INT2000"].refs).missing
    assert performance(of(records), "none", GROUPS["SPEC INT2000"].refs).missing


def test_perturbations_are_paired_and_carried_through_a_mean() -> None:
    records = synthetic.performing(synthetic.full_set(*NAMES), "xen", dict.fromkeys(SPEC, 1.0))
    (cell,) = [it for it in records if (it.system, it.workload) == ("xen", "spec-int")]
    moved = dict.fromkeys(synthetic.NATIVE["spec-int"], 1.25)
    found = performance(
        of([*records, synthetic.variant(cell, 1, **moved)]), "xen", GROUPS["SPEC INT2000"].refs
    )
    assert (found.low, found.high) == pytest.approx((0.8, 1.0), rel=1e-4)
    assert found.variants == 2


@pytest.mark.parametrize(
    ("group", "stands_for", "expected"),
    [
        ("Linux build time", "Xen", 263 / 271),
        ("Linux build time", "UML", 263 / 535),
        ("OSDB-IR", "Xen", 158 / 172),
        ("SPEC WEB99", "VMW", 150 / 518),
        ("SPEC WEB99", "", math.nan),
    ],
)
def test_the_papers_own(group: str, stands_for: str, expected: float) -> None:
    one = GROUPS[group]
    found = paper_performance(FIGURE, one, one.paper_better, stands_for)
    assert found == pytest.approx(expected, nan_ok=True)
    assert GROUPS["Linux build time"].paper_better is Better.LOWER


def test_targets_met_and_missed() -> None:
    found = standing(records_at({"osdb/ir": 0.95}))
    assert (len(found.near), found.near_reached) == (5, Reached.MET)
    assert (found.behind, found.behind_reached) == ((), Reached.MET)
    found = standing(records_at({"osdb/ir": 0.95, "dbench/throughput": 0.89}))
    assert (len(found.near), found.near_reached) == (4, Reached.NOT_MET)
    assert [group.name for group in found.behind] == ["dbench"]
    assert found.behind_reached is Reached.NOT_MET


def test_a_group_without_a_value_leaves_targets_open_unless_the_others_decide() -> None:
    def without(records: list[Record], workload: str) -> list[Record]:
        return [it for it in records if (it.system, it.workload) != ("rexen", workload)]

    enough = standing(without(records_at({}), "dbench"))
    assert (enough.near_reached, enough.behind_reached) == (Reached.MET, Reached.OPEN)
    open_ = standing(without(records_at({"osdb/ir": 0.9}), "dbench"))
    assert open_.near_reached is Reached.OPEN
    missed = standing(without(records_at({"osdb/ir": 0.9, "osdb/oltp": 0.9}), "dbench"))
    assert missed.near_reached is Reached.NOT_MET


def test_targets_do_not_rest_on_less_than_the_spread() -> None:
    records = records_at({"osdb/ir": 0.5})
    (cell,) = [it for it in records if (it.system, it.workload) == ("rexen", "kernel-build")]
    found = standing([*records, synthetic.variant(cell, 1, build=1.2)])
    assert found.near_reached is Reached.OPEN and found.behind_reached is Reached.NOT_MET
    assert [group.name for group in found.behind] == ["OSDB-IR"]


def test_without_targets_nothing_is_said() -> None:
    assert standings(of(synthetic.full_set(*NAMES), Targets()), FIGURE) == []
    only_native = synthetic.full_set("native")
    assert standings(of(only_native), FIGURE) == []
