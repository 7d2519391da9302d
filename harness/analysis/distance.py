"""How far each number lies from the paper's: what it costs here, over native, divided by what it
costs in the paper, over native.

1 is the paper itself. Costs are compared, so that one direction serves all: where more is better,
the cost is the inverse. A row that repeats one of the paper's is left out, so that each of the
paper's numbers counts once.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.performance import paper_performance, performance
from harness.analysis.study import Study
from harness.model.experiment import Experiment, Group, Row
from harness.model.system import System


@dataclass(frozen=True, slots=True)
class Distance:
    """One number of one system. `factor` is above 1 where it costs more here than there."""

    experiment: Experiment
    name: str
    system: System
    factor: float

    @property
    def off(self) -> float:
        """How many times the two lie apart, in whichever direction: at least 1."""
        return max(self.factor, 1 / self.factor)


def distances(study: Study) -> list[Distance]:
    """Each of the paper's numbers that was measured here, on every system but the base."""
    return [
        Distance(experiment, one.name, system, factor)
        for experiment in study.experiments
        for one in _numbers(experiment)
        for system in study.systems_of(experiment)
        if system.id != study.base.id
        for factor in _factor(study, experiment, one, system)
    ]


def _numbers(experiment: Experiment) -> Iterator[Row | Group]:
    yield from experiment.groups
    yield from (row for row in experiment.rows if not row.again)


def _factor(
    study: Study, experiment: Experiment, one: Row | Group, system: System
) -> Iterator[float]:
    """The factor, or nothing where either side has no number."""
    if isinstance(one, Group):
        refs, better = one.refs, one.paper_better
    else:
        refs, better = (one.ref,), study.metric(one.ref).better
    theirs = paper_performance(experiment, one, better, system.stands_for)
    if not math.isnan(theirs):
        ours = performance(study, system.id, refs)
        if not ours.missing:
            yield theirs / ours.value


def typical(found: Sequence[Distance]) -> float:
    """The median of how many times they lie apart: half are nearer. NaN of none."""
    return statistics.median(one.off for one in found) if found else math.nan
