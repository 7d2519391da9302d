"""What changed between two sets of records, value by value. Exact."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.inputs import Difference, InputChange, counted, differences
from harness.analysis.measurements import run_values
from harness.analysis.stats import Estimate, median
from harness.model.cell import Coordinates
from harness.model.experiment import MetricRef
from harness.model.record import Record
from harness.model.unit import Better, MetricKind
from harness.model.workload import Metric, Workload
from harness.store import newest_cells, representative


class State(StrEnum):
    """How one value stands in the two sets. The value is the word that is printed."""

    SAME = "same"
    DIFFERS = "differs"
    ONLY_A = "only in A"
    ONLY_B = "only in B"
    FAILED = "failed"  # in A, in B, or in both; the remark has the status


class Judged(StrEnum):
    """What a difference means by the metric's own direction."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = ""  # nothing to say: the same, missing, or of a metric that is in no catalogue


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one cell in two sets. A side is None where it has no value; `ratio` is b/a,
    None where that cannot be said. `metric` is "-" for a cell without any value. `inputs` are the
    keys of the inputs in which the two cells differ."""

    at: Coordinates
    metric: str
    state: State
    a: float | None
    b: float | None
    ratio: float | None
    judged: Judged
    within_spread: bool
    remark: str
    inputs: tuple[str, ...]

    @property
    def name(self) -> str:
        """`workload/metric@point`."""
        return str(MetricRef(self.at.workload, self.metric, self.at.point))

    @property
    def change(self) -> float | None:
        """`b/a - 1`."""
        return None if self.ratio is None else self.ratio - 1

    @property
    def what(self) -> str:
        """The change, or the state where there is none, and the remark."""
        parts = [self.state.value if self.change is None else f"{self.change:+.4%}", self.remark]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class DiffResult:
    """Every value of either set, in order of workload, system, profile, point and metric; and
    every input that differs in any cell of both."""

    changes: tuple[Change, ...]
    inputs: tuple[InputChange, ...]

    def count(self, *states: State) -> int:
        return sum(one.state in states for one in self.changes)

    @property
    def differ(self) -> int:
        return self.count(State.DIFFERS)

    @property
    def missing(self) -> int:
        """Values that cannot be compared, because one side was not run or failed."""
        return self.count(State.ONLY_A, State.ONLY_B, State.FAILED)

    @property
    def unequal(self) -> tuple[Change, ...]:
        return tuple(one for one in self.changes if one.state is not State.SAME)

    def judged(self, word: Judged) -> int:
        return sum(one.judged is word for one in self.changes)

    def summary(self) -> str:
        """`3 of 90 values differ (1 better, 2 worse), 1 of them within the spread; 2 failed`."""
        words = f"{self.differ} of {len(self.changes)} values differ"
        told = [f"{n} {it}" for it in (Judged.BETTER, Judged.WORSE) if (n := self.judged(it))]
        words += f" ({', '.join(told)})" if told else ""
        within = sum(one.within_spread for one in self.changes)
        words += f", {within} of them within the spread" if within else ""
        counts = Counter(one.state for one in self.changes)
        rest = [State.ONLY_A, State.ONLY_B, State.FAILED]
        return "; ".join([words, *(f"{counts[it]} {it}" for it in rest if counts[it])])


Values = Mapping[str, float]
Spot = tuple[str, str, str, object, str]
Metrics = Mapping[tuple[str, str], Metric]


@dataclass(frozen=True, slots=True)
class _Side:
    """One set: the record of each cell, its values by metric, and of each metric of an
    unperturbed place how far it is spread."""

    cells: Mapping[Coordinates, Record]
    values: Mapping[Coordinates, Values]
    spreads: Mapping[Spot, Estimate]

    def trouble(self, at: Coordinates) -> str:
        """The status of a cell that was run and failed; "" otherwise."""
        record = self.cells.get(at)
        return "" if record is None or record.ok else record.outcome.status.value


def diff_records(
    a: Iterable[Record], b: Iterable[Record], workloads: Mapping[str, Workload]
) -> DiffResult:
    """Every value that either set has.

    Where a set holds several cells for one place in the matrix (an older image, say), the one
    measured last speaks for it. A difference between cells of other inputs that is not larger
    than either set's spread under perturbations is said to be within it; between two cells of
    the same inputs every difference is one.
    """
    metrics = {
        (workload.id, metric.id): metric
        for workload in workloads.values()
        for metric in workload.metrics
    }
    one, other = _side(a, metrics), _side(b, metrics)
    changes: list[Change] = []
    inputs: list[Difference] = []
    for at in sorted(one.cells.keys() | other.cells.keys(), key=_order):
        was, now = one.cells.get(at), other.cells.get(at)
        found = list(differences(was, now)) if was is not None and now is not None else []
        inputs += found
        keys = tuple(f"{kind} {name}".rstrip() for kind, name, _, _ in found)
        changes += _changes(at, one, other, metrics, keys)
    return DiffResult(tuple(changes), counted(inputs))


def _order(at: Coordinates) -> tuple[object, ...]:
    return at.workload, at.system, at.profile, at.point.values


def _spot(at: Coordinates, metric: str) -> Spot:
    return at.workload, at.system, at.profile, at.point.unperturbed.values, metric


def _side(records: Iterable[Record], metrics: Metrics) -> _Side:
    def kind_of(record: Record, metric_id: str) -> MetricKind:
        """A metric that the catalogue no longer has is compared all the same."""
        metric = metrics.get((record.workload, metric_id))
        return metric.kind if metric else MetricKind.LATENCY

    newest = newest_cells(records).items()
    cells = {at: found for at, attempts in newest if (found := representative(attempts))}
    values = {
        at: {metric: median(them) for metric, them in run_values(record, kind_of).items()}
        for at, record in cells.items()
    }
    by_seed: dict[Spot, dict[int, float]] = defaultdict(dict)
    for at, mine in values.items():
        for metric, value in mine.items():
            by_seed[_spot(at, metric)][at.point.perturb] = value
    return _Side(cells, values, {spot: Estimate.of(seeds) for spot, seeds in by_seed.items()})


def _changes(
    at: Coordinates, a: _Side, b: _Side, metrics: Metrics, inputs: tuple[str, ...]
) -> list[Change]:
    troubles = (("A", a.trouble(at)), ("B", b.trouble(at)))
    remark = "; ".join(f"{name}: {word}" for name, word in troubles if word)
    ours, theirs = a.values.get(at, {}), b.values.get(at, {})
    found = []
    for metric in sorted(ours.keys() | theirs.keys()) or ["-"]:
        was, now = ours.get(metric), theirs.get(metric)
        state = _state(was, now, failed=bool(remark))
        ratio, judged, variants = None, Judged.OPEN, 0
        if was is not None and now is not None and state in (State.SAME, State.DIFFERS):
            ratio = now / was if was else None
            if state is State.DIFFERS:
                judged = _judged(was, now, metrics.get((at.workload, metric)))
                variants = _within(at, metric, a, b)
        within = f"within the spread of {variants} variants" if variants else ""
        found.append(
            Change(
                at=at,
                metric=metric,
                state=state,
                a=was,
                b=now,
                ratio=ratio,
                judged=judged,
                within_spread=bool(variants),
                remark=remark or within,
                inputs=inputs,
            )
        )
    return found


def _judged(was: float, now: float, metric: Metric | None) -> Judged:
    if metric is None or math.isnan(was) or math.isnan(now):
        return Judged.OPEN
    return Judged.BETTER if (now < was) is (metric.better is Better.LOWER) else Judged.WORSE


def _state(was: float | None, now: float | None, *, failed: bool) -> State:
    if failed:
        return State.FAILED
    if was is None:
        return State.ONLY_B
    if now is None:
        return State.ONLY_A
    both_none = math.isnan(was) and math.isnan(now)
    return State.SAME if was == now or both_none else State.DIFFERS


def _within(at: Coordinates, metric: str, a: _Side, b: _Side) -> int:
    """How many variants the spread is of that a difference does not exceed; 0 if it does."""
    if a.cells[at].cell_id == b.cells[at].cell_id:
        return 0
    was, now = a.values[at][metric], b.values[at][metric]
    spot = _spot(at, metric)
    widest = max(a.spreads[spot], b.spreads[spot], key=lambda it: it.spread)
    return widest.variants if abs(now - was) <= widest.spread else 0
