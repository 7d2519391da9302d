"""The few numbers that stand for a night: what each benchmark costs on each system, over native.

A topic is a benchmark of the paper's figure, or all rows of one of its tables together. Its number
is the geometric mean, over its metrics, of the system's cost over the base's; where more is better
the cost is the inverse.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.model.experiment import Experiment, MetricRef
from harness.model.unit import Better
from harness.tracking.night import Night, Number, Place

DIGITS = 12


@dataclass(frozen=True, slots=True)
class Topic:
    """A line of the index: what it is called, and the metrics it is made of."""

    name: str
    refs: tuple[MetricRef, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """One topic on one system: a number for each night, None where a metric of it is missing."""

    topic: Topic
    system: str
    values: tuple[float | None, ...]

    @property
    def last(self) -> float | None:
        return self.values[-1] if self.values else None

    @property
    def moved(self) -> int | None:
        """The latest night that differs from the one before; None if none does."""
        pairs = zip(self.values, self.values[1:], strict=False)
        found = [at for at, (old, new) in enumerate(pairs, start=1) if old != new]
        return found[-1] if found else None


def topics(experiments: Iterable[Experiment]) -> list[Topic]:
    """Of the experiments that the paper has numbers for."""
    found = []
    for one in experiments:
        found += [Topic(group.name, group.refs) for group in one.groups]
        rows = tuple(row.ref for row in one.rows if row.paper and not row.again)
        if rows and not one.groups:
            found.append(Topic(f"{one.number}: {one.title}", rows))
    return found


def headlines(
    nights: Sequence[Night], known: Iterable[Topic], *, base: str, systems: Iterable[str]
) -> list[Headline]:
    """By topic, then by system; without those of which the last night has no number. Of a topic's
    metrics those count that the last night has."""
    if not nights:
        return []
    by_night = [one.by_place for one in nights]
    found = []
    others = [one for one in systems if one != base]
    for topic in known:
        for system in others:
            refs = [ref for ref in topic.refs if _cost(by_night[-1], system, base, ref) is not None]
            if refs:
                values = tuple(_mean(numbers, system, base, refs) for numbers in by_night)
                found.append(Headline(Topic(topic.name, tuple(refs)), system, values))
    return found


def _mean(
    numbers: dict[Place, Number], system: str, base: str, refs: Sequence[MetricRef]
) -> float | None:
    costs = [_cost(numbers, system, base, ref) for ref in refs]
    there = [cost for cost in costs if cost is not None]
    if len(there) < len(costs):
        return None
    mean = math.exp(math.fsum(map(math.log, there)) / len(there))
    # Digits beyond are of the division: two numbers that moved alike moved nothing here.
    return float(f"{mean:.{DIGITS}g}")


def _cost(numbers: dict[Place, Number], system: str, base: str, ref: MetricRef) -> float | None:
    """How many times the base's; None unless both are above zero."""
    place = (ref.workload, ref.metric, str(ref.point))
    mine, theirs = numbers.get((system, *place)), numbers.get((base, *place))
    if mine is None or theirs is None or mine.value <= 0 or theirs.value <= 0:
        return None
    ratio = mine.value / theirs.value
    return 1 / ratio if mine.direction is Better.HIGHER else ratio
