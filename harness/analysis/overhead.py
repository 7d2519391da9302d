"""What a system adds to native, as a share of what its reference adds.

    share = (subject - native) / (reference - native)

0 is as fast as native, 1 as slow as the reference. Costs are compared: where more is better, the
cost is the inverse, as the time for one byte is of a rate. A row in which the reference adds
nothing, or no more than a perturbation moves it, has no share.

The rows are those the paper prints as times: its Tables 3 to 5, each once. The bandwidth of Table 6
is that of two ends and a wire together, and what of it a system adds stands with its claims.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.measurements import BySeed
from harness.analysis.stats import MISSING, Estimate, at_seed
from harness.analysis.study import Study
from harness.model.experiment import Experiment, MetricRef, Row
from harness.model.system import System
from harness.model.unit import Better, MetricKind

NO_OVERHEAD = 1.005  # a reference up to this many times native has no overhead to speak of
FLOOR = 0.001  # what a smaller or a negative share counts as in the geometric mean


class Inclusion(StrEnum):
    """Whether a row enters the mean and the worst row."""

    INCLUDED = "included"
    LEFT_OUT = "left out"  # the reference has no overhead
    UNCERTAIN = "within the spread"  # the reference's overhead is not larger than its spread
    MISSING = "missing"  # one of the three has no value


class Reached(StrEnum):
    """What became of a target. The value is the word the report prints."""

    MET = "met"
    NOT_MET = "not met"
    OPEN = "not decided"
    NO_TARGET = "no target"


@dataclass(frozen=True, slots=True)
class Share:
    """One row: both systems' costs in native's, and the share by seed of perturbation (none
    unless the row is included)."""

    experiment: Experiment
    row: Row
    reference: Estimate
    subject: Estimate
    by_seed: BySeed
    inclusion: Inclusion

    @property
    def share(self) -> Estimate:
        return Estimate.of(self.by_seed)


@dataclass(frozen=True, slots=True)
class Overhead:
    """One system held against its reference. `mean` and `worst` are missing and `worst_row`
    None if no row is included. `worst` is over all rows, variant by variant."""

    subject: System
    reference: System
    shares: tuple[Share, ...]
    mean: Estimate
    worst: Estimate
    worst_row: Share | None
    mean_reached: Reached
    worst_reached: Reached

    def rows(self, inclusion: Inclusion) -> tuple[Share, ...]:
        return tuple(one for one in self.shares if one.inclusion is inclusion)

    @property
    def floored(self) -> tuple[Share, ...]:
        """The rows whose share enters the mean as `FLOOR`."""
        return tuple(one for one in self.rows(Inclusion.INCLUDED) if one.share.value < FLOOR)


def overheads(study: Study) -> list[Overhead]:
    """One for each system that names a reference and was run, over the paper's tables that the
    study has."""
    rows = [
        (one, row)
        for one in study.experiments
        for row in one.rows
        if row.paper and not row.again and row.unit.kind is MetricKind.LATENCY
    ]
    return [
        _overhead(
            one,
            study.systems[one.reference],
            [_share(study, place, one.id, one.reference) for place in rows],
        )
        for one in study.systems.values()
        if rows and one.id in study.ran and one.reference in study.systems
    ]


def _share(study: Study, place: tuple[Experiment, Row], subject: str, reference: str) -> Share:
    experiment, row = place
    mine, theirs = (costs(study, system, row.ref) for system in (subject, reference))
    own, other = Estimate.of(mine), Estimate.of(theirs)
    inclusion, by_seed = Inclusion.INCLUDED, {}
    if other.value <= NO_OVERHEAD:
        inclusion = Inclusion.LEFT_OUT
    elif other.missing or own.missing:
        inclusion = Inclusion.MISSING
    elif other.value - 1 <= other.spread:
        inclusion = Inclusion.UNCERTAIN
    else:
        by_seed = {
            seed: (at_seed(mine, seed) - 1) / (at_seed(theirs, seed) - 1)
            for seed in sorted(mine.keys() | theirs.keys())
        }
    return Share(experiment, row, other, own, by_seed, inclusion)


def costs(study: Study, system: str, ref: MetricRef) -> dict[int, float]:
    """How many times native's a system's cost is, by seed."""
    ratios = study.measured.ratios(system, ref)
    more_is_better = study.metric(ref).better is Better.HIGHER
    return {seed: 1 / it if more_is_better else it for seed, it in ratios.items()}


def _overhead(subject: System, reference: System, shares: Sequence[Share]) -> Overhead:
    included = [one for one in shares if one.inclusion is Inclusion.INCLUDED]
    whole = bool(included) and all(one.inclusion is not Inclusion.MISSING for one in shares)
    mean = Estimate.of({seed: geometric_mean(row) for seed, row in _variants(included).items()})
    worst = Estimate.of({seed: max(row) for seed, row in _variants(included).items()})
    targets = subject.targets
    return Overhead(
        subject=subject,
        reference=reference,
        shares=tuple(shares),
        mean=mean,
        worst=worst,
        worst_row=max(included, key=lambda one: one.share.value, default=None),
        mean_reached=_reached(mean if whole else MISSING, targets.overhead_mean, whole=whole),
        # One row above the target decides, whatever the missing ones would say.
        worst_reached=_reached(worst, targets.overhead_worst, whole=whole),
    )


def _variants(included: Sequence[Share]) -> Mapping[int, list[float]]:
    """The shares of all rows under each seed that any row was measured under."""
    seeds = sorted({seed for one in included for seed in one.by_seed})
    return {seed: [at_seed(one.by_seed, seed) for one in included] for seed in seeds}


def geometric_mean(shares: Iterable[float]) -> float:
    """Over shares of at least `FLOOR`: it has no meaning for numbers at or below zero."""
    logs = [math.log(max(share, FLOOR)) for share in shares]
    return math.exp(math.fsum(logs) / len(logs)) if logs else math.nan


def _reached(found: Estimate, target: float | None, *, whole: bool) -> Reached:
    """Met or not met whatever a perturbation does; between them it is not decided."""
    if target is None:
        return Reached.NO_TARGET
    if found.low > target:
        return Reached.NOT_MET
    return Reached.MET if whole and found.high <= target else Reached.OPEN
