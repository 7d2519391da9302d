"""What a system adds to native, as a share of what its reference adds.

    share = (subject - native) / (reference - native)

0 is as fast as native, 1 as slow as the reference. Costs are compared: a rate's cost is its
inverse, the time for one byte. A row in which the reference adds nothing has no share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.frame import Frames
from harness.model.experiment import Experiment, Row
from harness.model.system import System
from harness.model.workload import MetricKind, Workload

NO_OVERHEAD = 1.005  # a reference up to this many times native has no overhead to speak of
FLOOR = 0.001  # what a smaller or a negative share counts as in the geometric mean


class Standing(StrEnum):
    """Whether a row enters the mean and the worst row."""

    COUNTED = "counted"
    LEFT_OUT = "left out"  # the reference has no overhead
    MISSING = "missing"  # one of the three has no value


class Reached(StrEnum):
    """What became of a target. The value is the word the report prints."""

    MET = "met"
    NOT_MET = "not met"
    OPEN = "not decided"
    NO_TARGET = "no target"


@dataclass(frozen=True, slots=True)
class Share:
    """One row: both systems' costs in native's, and the share (NaN unless it counts)."""

    experiment: Experiment
    row: Row
    reference: float
    subject: float
    share: float
    standing: Standing


@dataclass(frozen=True, slots=True)
class Overhead:
    """One system held against its reference. `mean` is NaN and `worst` None if no row counts."""

    subject: System
    reference: System
    shares: tuple[Share, ...]
    mean: float
    worst: Share | None
    mean_reached: Reached
    worst_reached: Reached

    def rows(self, standing: Standing) -> tuple[Share, ...]:
        return tuple(one for one in self.shares if one.standing is standing)

    @property
    def floored(self) -> tuple[Share, ...]:
        """The rows whose share enters the mean as `FLOOR`."""
        return tuple(one for one in self.rows(Standing.COUNTED) if one.share < FLOOR)


def overheads(
    experiments: Sequence[Experiment],
    *,
    frames: Frames,
    systems: Mapping[str, System],
    workloads: Mapping[str, Workload],
) -> list[Overhead]:
    """One for each system that names a reference and was run, over the paper's tables."""
    rows = [(one, row) for one in experiments if one.table for row in one.rows]
    ran = {record.system for record in frames.standing}
    return [
        _overhead(
            [_share(one, row, pair, frames, workloads) for one, row in rows], systems, pair=pair
        )
        for pair in ((one.id, one.reference) for one in systems.values())
        if pair[0] in ran and pair[1] in systems
    ]


def _share(
    experiment: Experiment,
    row: Row,
    pair: tuple[str, str],
    frames: Frames,
    workloads: Mapping[str, Workload],
) -> Share:
    subject, reference = (_cost(system, row, frames, workloads) for system in pair)
    share, standing = math.nan, Standing.MISSING
    if reference <= NO_OVERHEAD:
        standing = Standing.LEFT_OUT
    elif not math.isnan(reference) and not math.isnan(subject):
        share, standing = (subject - 1) / (reference - 1), Standing.COUNTED
    return Share(experiment, row, reference, subject, share, standing)


def _cost(system: str, row: Row, frames: Frames, workloads: Mapping[str, Workload]) -> float:
    """How many times native's a system's cost is; NaN where one of them has no value."""
    ratio = frames.ratio(system, row.ref.workload, row.ref.metric)
    workload = workloads.get(row.ref.workload)
    metric = workload.metric(row.ref.metric) if workload else None
    return 1 / ratio if metric is not None and metric.kind is MetricKind.RATE else ratio


def _overhead(
    shares: Sequence[Share], systems: Mapping[str, System], *, pair: tuple[str, str]
) -> Overhead:
    subject, reference = (systems[name] for name in pair)
    counted = [one for one in shares if one.standing is Standing.COUNTED]
    whole = bool(counted) and all(one.standing is not Standing.MISSING for one in shares)
    mean = geometric_mean([one.share for one in counted])
    worst = max(counted, key=lambda one: one.share, default=None)
    targets = subject.targets
    return Overhead(
        subject=subject,
        reference=reference,
        shares=tuple(shares),
        mean=mean,
        worst=worst,
        mean_reached=_reached(mean if whole else math.nan, targets.overhead_mean, whole=whole),
        # One row above the target decides, whatever the missing ones would say.
        worst_reached=_reached(
            worst.share if worst else math.nan, targets.overhead_worst, whole=whole
        ),
    )


def geometric_mean(shares: Sequence[float]) -> float:
    """Over shares of at least `FLOOR`: it has no meaning for numbers at or below zero."""
    if not shares:
        return math.nan
    return math.exp(math.fsum(math.log(max(share, FLOOR)) for share in shares) / len(shares))


def _reached(found: float, target: float | None, *, whole: bool) -> Reached:
    if target is None:
        return Reached.NO_TARGET
    if found > target:
        return Reached.NOT_MET
    return Reached.MET if whole else Reached.OPEN
