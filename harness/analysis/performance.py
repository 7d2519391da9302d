"""Performance relative to native, one direction for all: of a time native / ours, of a rate ours /
native. A group's is the geometric mean over its metrics; and the targets a system sets itself.

Groups are in no share of overhead: a share divides by what the reference adds, and to a whole
application that is a few per cent, of which a disk's fixed time is the larger part. Their targets
are set against native itself, and against the reference as a floor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.analysis.frame import BASE_STANDS_FOR
from harness.analysis.measurements import BySeed
from harness.analysis.overhead import Reached, costs
from harness.analysis.stats import Estimate, at_seed
from harness.analysis.study import Study
from harness.model.experiment import Experiment, Group, MetricRef, Row
from harness.model.system import System
from harness.model.unit import Better


def performance(study: Study, system: str, refs: Sequence[MetricRef]) -> Estimate:
    """Relative to the base system; missing if it is of any of the metrics."""
    found = _mean(lambda ref: costs(study, system, ref), refs)
    return Estimate.of({seed: 1 / cost for seed, cost in found.items()})


def mean_value(study: Study, system: str, refs: Sequence[MetricRef]) -> Estimate:
    """The geometric mean of the metrics' values, in the natural unit of their kind."""
    return Estimate.of(_mean(lambda ref: study.measured.values(system, ref), refs))


def paper_performance(
    experiment: Experiment, row: Row | Group, better: Better, stands_for: str
) -> float:
    """The paper's own, of numbers of which `better` are better; NaN where it prints none."""
    value = experiment.paper_value(row, stands_for)
    base = experiment.paper_value(row, BASE_STANDS_FOR)
    if not value or not base:
        return math.nan
    return value / base if better is Better.HIGHER else base / value


def _mean(of: Callable[[MetricRef], BySeed], refs: Sequence[MetricRef]) -> BySeed:
    """Seed by seed; a seed that one of them lacks takes its unperturbed number there."""
    found = [of(ref) for ref in refs]
    seeds = sorted({seed for one in found for seed in one})
    return {seed: _geometric_mean([at_seed(one, seed) for one in found]) for seed in seeds}


def _geometric_mean(numbers: Sequence[float]) -> float:
    if len(numbers) == 1:  # exactly as it was measured
        return numbers[0]
    if not all(number > 0 for number in numbers):
        return math.nan
    return math.exp(math.fsum(map(math.log, numbers)) / len(numbers))


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a system's targets over an experiment's groups: those that are at least so
    near to native, and those where the reference is better."""

    subject: System
    reference: System
    groups: int
    near: tuple[Group, ...]
    behind: tuple[Group, ...]
    near_reached: Reached
    behind_reached: Reached


def standings(study: Study, experiment: Experiment) -> list[Standing]:
    """One for each system that has such a target and was run."""
    return [
        _standing(study, experiment, one, study.systems[one.reference])
        for one in study.systems.values()
        if experiment.groups
        and one.targets.performance is not None
        and one.id in study.ran
        and one.reference in study.systems
    ]


def _standing(study: Study, experiment: Experiment, subject: System, reference: System) -> Standing:
    least, groups = subject.targets.performance or 0.0, experiment.groups
    pairs = [
        (
            group,
            performance(study, subject.id, group.refs),
            performance(study, reference.id, group.refs),
        )
        for group in groups
    ]
    # A group without a value is neither; nor is one within the spread.
    near = tuple(group for group, mine, _ in pairs if mine.low >= least)
    far = [group for group, mine, _ in pairs if mine.high < least]
    behind = tuple(group for group, mine, theirs in pairs if mine.high < theirs.low)
    ahead = [group for group, mine, theirs in pairs if mine.low >= theirs.high]
    need = min(subject.targets.performance_groups, len(groups))
    return Standing(
        subject=subject,
        reference=reference,
        groups=len(groups),
        near=near,
        behind=behind,
        near_reached=_reached(met=len(near) >= need, failed=len(groups) - len(far) < need),
        behind_reached=_reached(met=len(ahead) == len(groups), failed=bool(behind)),
    )


def _reached(*, met: bool, failed: bool) -> Reached:
    return Reached.MET if met else Reached.NOT_MET if failed else Reached.OPEN
