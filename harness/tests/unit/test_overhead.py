"""Overhead against a reference: which rows count, what the mean does, when a target is met."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.overhead import (
    FLOOR,
    Inclusion,
    Overhead,
    Reached,
    Share,
    geometric_mean,
    overheads,
)
from harness.errors import ConfigError
from harness.model.record import Record, Status
from harness.model.system import System, Targets
from harness.model.unit import Better
from harness.model.workload import Workload
from harness.paths import Paths
from harness.tests import synthetic
from harness.tests.builders import a_system
from harness.tests.golden import a_cell

NAMES = ("native", "rexen", "xen")
PROCESS = synthetic.NATIVE["lmbench-process"]


def held(
    records: list[Record],
    systems: dict[str, System] | None = None,
    workloads: dict[str, Workload] | None = None,
) -> list[Overhead]:
    study = synthetic.study(
        records,
        systems or synthetic.systems(*NAMES),
        experiments=synthetic.experiments(),
        known_workloads=workloads,
    )
    return overheads(study)


def one(records: list[Record], targets: Targets | None = None) -> Overhead:
    systems = synthetic.systems(*NAMES)
    if targets is not None:
        systems["rexen"] = replace(systems["rexen"], targets=targets)
    (found,) = held(records, systems)
    return found


def row(overhead: Overhead, metric: str) -> Share:
    return next(it for it in overhead.shares if it.row.ref.metric == metric)


def with_value(records: list[Record], system: str, metric: str, factor: float) -> list[Record]:
    """One latency of lmbench-process set to so many times native's."""
    value_ns = PROCESS[metric] * factor
    return synthetic.replaced(records, system, "lmbench-process", metric, value_ns)


def test_a_share_is_the_extra_over_the_references_extra() -> None:
    records = with_value(synthetic.full_set(*NAMES), "xen", "fork", 3.0)
    overhead = one(with_value(records, "rexen", "fork", 1.5))
    fork = row(overhead, "fork")
    assert fork.inclusion is Inclusion.INCLUDED
    assert fork.share.value == pytest.approx(0.25, rel=1e-6)
    assert (fork.subject.value, fork.reference.value) == pytest.approx((1.5, 3.0), rel=1e-6)


def test_rows_are_those_of_the_papers_tables_in_their_order() -> None:
    overhead = one(synthetic.full_set(*NAMES))
    tables = [it.experiment.table for it in overhead.shares]
    assert tables == sorted(tables) and set(tables) == {3, 4, 5}
    assert overhead.shares[0].row.ref.metric == "null_call"
    assert len(overhead.shares) == 24


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.004])
def test_a_row_without_overhead_in_the_reference_stands_but_does_not_count(factor: float) -> None:
    records = with_value(synthetic.full_set(*NAMES), "rexen", "stat", 50.0)
    overhead = one(with_value(records, "xen", "stat", factor))
    stat = row(overhead, "stat")
    assert stat.inclusion is Inclusion.LEFT_OUT and stat.share.missing
    assert overhead.worst_row is not None and overhead.worst_row.row.ref.metric != "stat"
    assert len(overhead.rows(Inclusion.INCLUDED)) == 23
    assert overhead.worst_reached is Reached.MET, "a row left out leaves the rest whole"


def test_a_little_overhead_counts() -> None:
    overhead = one(with_value(synthetic.full_set(*NAMES), "xen", "stat", 1.006))
    assert row(overhead, "stat").inclusion is Inclusion.INCLUDED


def test_faster_than_native_keeps_its_share_and_enters_the_mean_as_the_floor() -> None:
    records = with_value(synthetic.full_set(*NAMES), "xen", "stat", 2.0)
    overhead = one(with_value(records, "rexen", "stat", 0.8))
    assert row(overhead, "stat").share.value == pytest.approx(-0.2, rel=1e-3)
    assert [it.row.ref.metric for it in overhead.floored] == ["stat"]
    others = [it.share.value for it in overhead.shares if it.row.ref.metric != "stat"]
    assert overhead.mean.value == pytest.approx(geometric_mean([*others, FLOOR]))


def test_geometric_mean() -> None:
    assert geometric_mean([0.25, 1.0]) == pytest.approx(0.5)
    assert geometric_mean([-3.0, 0.0]) == pytest.approx(FLOOR)
    assert math.isnan(geometric_mean([]))


def test_targets_met_and_not_met() -> None:
    records = synthetic.full_set(*NAMES)
    good = one(records)
    assert (good.mean_reached, good.worst_reached) == (Reached.MET, Reached.MET)
    assert 0 < good.mean.value <= good.worst.value < 1
    bad = one(with_value(records, "rexen", "exec", 40.0))
    assert (bad.mean_reached, bad.worst_reached) == (Reached.MET, Reached.NOT_MET)
    assert bad.worst_row is not None and bad.worst_row.row.ref.metric == "exec"
    strict = one(
        records, Targets(overhead_mean=good.mean.value / 2, overhead_worst=good.worst.value)
    )
    assert (strict.mean_reached, strict.worst_reached) == (Reached.NOT_MET, Reached.MET)


def test_no_targets_no_word() -> None:
    overhead = one(synthetic.full_set(*NAMES), Targets())
    assert (overhead.mean_reached, overhead.worst_reached) == (Reached.NO_TARGET,) * 2


@pytest.mark.parametrize("system", NAMES)
def test_a_missing_row_leaves_targets_open(system: str) -> None:
    records = [
        it
        for it in synthetic.full_set(*NAMES)
        if (it.system, it.workload) != (system, "lmbench-memory")
    ]
    records.append(synthetic.record(system, "lmbench-memory", status=Status.HANG))
    overhead = one(records)
    missing = overhead.rows(Inclusion.MISSING)
    assert {it.row.ref.workload for it in missing} == {"lmbench-memory"} and len(missing) == 7
    assert (overhead.mean_reached, overhead.worst_reached) == (Reached.OPEN, Reached.OPEN)
    assert overhead.mean.value > 0
    over = one(with_value(records, "rexen", "exec", 40.0))
    assert over.worst_reached is Reached.NOT_MET, "one row above it decides"
    strict = one(records, Targets(overhead_mean=overhead.mean.value / 2))
    assert strict.mean_reached is Reached.OPEN, "the missing rows could still mend the mean"


def test_where_more_is_better_the_inverse_is_the_cost() -> None:
    """Half the rate is twice the cost."""
    workloads = synthetic.workloads()
    process = workloads["lmbench-process"]
    metrics = tuple(replace(it, better=Better.HIGHER) for it in process.metrics)
    workloads["lmbench-process"] = replace(process, metrics=metrics)
    records = with_value(synthetic.full_set(*NAMES), "xen", "fork", 1 / 3.0)
    (overhead,) = held(with_value(records, "rexen", "fork", 1 / 1.5), None, workloads)
    assert row(overhead, "fork").share.value == pytest.approx(0.25, rel=1e-6)


def test_who_is_held_against_a_reference() -> None:
    assert held(synthetic.full_set("native", "xen")) == [], "the system was not run"
    without = synthetic.systems("native", "rexen")
    assert held(synthetic.full_set("native", "rexen"), without) == [], "no such system here"
    (alone,) = held(synthetic.full_set("native", "rexen"))
    assert len(alone.rows(Inclusion.MISSING)) == 24 and alone.worst_row is None
    assert (alone.mean_reached, alone.worst_reached) == (Reached.OPEN, Reached.OPEN)


def with_variants(
    records: list[Record], metric: str, factors: dict[str, tuple[float, ...]]
) -> list[Record]:
    """Beside these records, perturbations in which the metric takes so many times as long."""
    cells = {it.system: it for it in records if it.workload == "lmbench-process"}
    return records + [
        synthetic.variant(cells[system], seed, **{metric: factor})
        for system, several in factors.items()
        for seed, factor in enumerate(several, start=1)
    ]


def small(reference: float, subject: float) -> list[Record]:
    """Both systems' stat so many times native's."""
    records = with_value(synthetic.full_set(*NAMES), "xen", "stat", reference)
    return with_value(records, "rexen", "stat", subject)


def test_a_share_carries_its_range_over_the_variants() -> None:
    records = with_variants(small(2.0, 1.5), "stat", {"rexen": (1.02, 0.98), "xen": (1.0, 1.0)})
    stat = row(one(records), "stat").share
    assert stat.variants == 3
    assert (stat.low, stat.value, stat.high) == pytest.approx((0.47, 0.5, 0.53), abs=1e-3)


def test_a_range_is_of_shares_under_one_seed_each() -> None:
    """What a seed does to both systems alike hardly moves their share."""
    records = with_variants(small(2.0, 1.5), "stat", {"rexen": (1.02,), "xen": (1.02,)})
    share = row(one(records), "stat").share
    assert share.spread == pytest.approx(0.53 / 1.04 - 0.5, abs=1e-3)


def test_an_overhead_not_larger_than_its_spread_has_no_share() -> None:
    """The reference is 5 % above native, and a perturbation moves it by 6 %."""
    records = with_variants(small(1.05, 1.04), "stat", {"xen": (1.06,)})
    overhead = one(records)
    stat = row(overhead, "stat")
    assert stat.inclusion is Inclusion.UNCERTAIN and stat.share.missing
    assert overhead.rows(Inclusion.UNCERTAIN) == (stat,)
    assert len(overhead.rows(Inclusion.INCLUDED)) == 23
    assert overhead.worst_reached is Reached.MET, "the rest is whole"
    less = one(with_variants(small(1.05, 1.04), "stat", {"xen": (1.04,)}))
    assert row(less, "stat").inclusion is Inclusion.INCLUDED


def test_the_mean_has_a_range_too() -> None:
    overhead = one(with_variants(small(2.0, 1.5), "stat", {"rexen": (1.2,)}))
    others = [it.share.value for it in overhead.shares if it.row.ref.metric != "stat"]
    stat = row(overhead, "stat").share
    assert (overhead.mean.low, overhead.mean.high) == pytest.approx(
        (geometric_mean([*others, stat.low]), geometric_mean([*others, stat.high]))
    )
    assert overhead.mean.value == overhead.mean.low


def test_a_target_is_met_by_every_variant_or_not_decided() -> None:
    records = with_variants(small(2.0, 1.9), "stat", {"rexen": (1.2,)})
    targets = Targets(overhead_mean=0.9, overhead_worst=1.0)
    overhead = one(records, targets)
    assert overhead.worst.value < 1.0 < overhead.worst.high
    assert (overhead.mean_reached, overhead.worst_reached) == (Reached.MET, Reached.OPEN)
    assert one(small(2.0, 1.9), targets).worst_reached is Reached.MET
    beyond = one(with_variants(small(2.0, 2.2), "stat", {"rexen": (1.2,)}), targets)
    assert beyond.worst_reached is Reached.NOT_MET


SYSTEM = """
id = "{name}"
title = "Some system"
summary = "for tests"
order = 1
color = "#123456"
{more}
[boot]
kernel = "k"
append = "{{run}}"
[guest]
memory_mib = 512
[deadline]
virtual_s = 5
wall_s = 120
"""


def loaded(root: Path, one: str = "", other: str = "", tables: str = "") -> dict[str, System]:
    """A catalogue of `one` and `other`, each with these keys."""
    from harness import catalogue

    for name, more in (("one", one), ("other", other)):
        folder = root / "baselines" / name
        folder.mkdir(parents=True)
        text = SYSTEM.format(name=name, more=more) + (tables if name == "one" else "")
        (folder / "system.toml").write_text(text)
    (root / "baselines" / "linux.toml").write_text("fixed = []\nclock = []\nskip = []\n")
    return catalogue.load_systems(Paths.of(root))


def test_catalogue_reads_reference_and_targets(tmp_path: Path) -> None:
    tables = "[targets]\noverhead_mean = 0.5\nperformance = 0.9\nperformance_groups = 2\n"
    systems = loaded(tmp_path, 'reference = "other"', tables=tables)
    assert systems["one"].reference == "other"
    assert systems["one"].targets == Targets(0.5, None, performance=0.9, performance_groups=2)
    assert systems["other"].reference == "" and systems["other"].targets == Targets()


@pytest.mark.parametrize(
    ("keys", "tables", "complaint"),
    [
        ('reference = "none-such"', "", "key 'reference': 'none-such' is no other system"),
        ('reference = "one"', "", "key 'reference': 'one' is no other system"),
        ("reference = 1", "", "key 'reference': must be a str"),
        ("", "[targets]\noverhead_mean = 0.5\n", "key 'reference': is missing"),
        ('reference = "other"', "[targets]\noverhead_mean = 0\n", "'targets.overhead_mean'"),
        ('reference = "other"', "[targets]\noverhead_wrst = 1\n", "mean 'overhead_worst'"),
        (
            'reference = "other"',
            "[targets]\nperformance = 0.9\n",
            "performance_groups': is missing",
        ),
    ],
)
def test_catalogue_refuses(tmp_path: Path, keys: str, tables: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, keys, tables=tables)
    assert complaint in str(refused.value)
    assert str(tmp_path / "baselines" / "one" / "system.toml") in str(refused.value)


def test_what_a_system_is_held_against_is_no_part_of_a_cells_identity() -> None:
    """A target may change without measuring again."""
    system = a_system()
    changed = replace(system, reference="other", targets=Targets(overhead_mean=0.5))
    assert a_cell(system=system).id == a_cell(system=changed).id
