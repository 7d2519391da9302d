"""What changed between two sets of records, value by value. Exact."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.measurements import measurements
from harness.analysis.stats import Estimate
from harness.model.cell import Coordinates
from harness.model.experiment import MetricRef
from harness.model.record import Record
from harness.model.unit import MetricKind
from harness.model.workload import Workload
from harness.store import newest_cells, representative


class State(StrEnum):
    """How one value stands in the two sets. The value is the word that is printed."""

    SAME = "same"
    DIFFERS = "differs"
    ONLY_A = "only in A"
    ONLY_B = "only in B"
    FAILED = "failed"  # in A, in B, or in both; the remark has the status


BOTH = (State.SAME, State.DIFFERS)


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one cell in two sets. A side is None where it has no value; `change` is
    b/a - 1, None where that cannot be said. `metric` is "-" for a cell without any value."""

    at: Coordinates
    metric: str
    state: State
    a: float | None
    b: float | None
    change: float | None
    within_spread: bool
    remark: str

    @property
    def name(self) -> str:
        """`workload/metric@point`."""
        return str(MetricRef(self.at.workload, self.metric, self.at.point))

    @property
    def what(self) -> str:
        """The change, or the state where there is none, and the remark."""
        parts = [self.state.value if self.change is None else f"{self.change:+.4%}", self.remark]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class DiffResult:
    """Every value of either set, in order of workload, system, profile, point and metric."""

    changes: tuple[Change, ...]

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

    def rows(self) -> list[list[str]]:
        """A text table of what is not the same."""
        head = ["value", "system", "profile", "A", "B", "change"]
        lines = [
            [it.name, it.at.system, it.at.profile, _number(it.a), _number(it.b), it.what]
            for it in self.unequal
        ]
        return [head, *lines]

    def summary(self) -> str:
        """`3 of 90 values differ, 1 of them within the spread; 12 only in A`."""
        words = f"{self.differ} of {len(self.changes)} values differ"
        within = sum(one.within_spread for one in self.changes)
        words += f", {within} of them within the spread" if within else ""
        counts = Counter(one.state for one in self.changes)
        rest = [State.ONLY_A, State.ONLY_B, State.FAILED]
        return "; ".join([words, *(f"{counts[it]} {it}" for it in rest if counts[it])])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


@dataclass(frozen=True, slots=True)
class _Side:
    """One set: the record of each cell, and the values by metric and seed."""

    cells: Mapping[Coordinates, Record]
    values: Mapping[tuple[str, str, MetricRef], Mapping[int, float]]

    def value(self, at: Coordinates, metric: str) -> float | None:
        return self._by_seed(at, metric).get(at.point.perturb)

    def spread(self, at: Coordinates, metric: str) -> Estimate:
        return Estimate.of(self._by_seed(at, metric))

    def metrics(self, at: Coordinates) -> set[str]:
        record = self.cells.get(at)
        samples = record.outcome.samples if record and record.ok else ()
        return {one.metric for one in samples if self.value(at, one.metric) is not None}

    def _by_seed(self, at: Coordinates, metric: str) -> Mapping[int, float]:
        ref = MetricRef(at.workload, metric, at.point.unperturbed)
        return self.values.get((at.profile, at.system, ref), {})

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
    one, other = _side(a, workloads), _side(b, workloads)
    places = sorted(one.cells.keys() | other.cells.keys(), key=_order)
    return DiffResult(tuple(it for at in places for it in _changes(at, one, other)))


def _order(at: Coordinates) -> tuple[object, ...]:
    return at.workload, at.system, at.profile, at.point


def _side(records: Iterable[Record], workloads: Mapping[str, Workload]) -> _Side:
    def kind_of(record: Record, metric_id: str) -> MetricKind:
        """A metric that the catalogue no longer has is compared all the same."""
        workload = workloads.get(record.workload)
        metric = workload.metric(metric_id) if workload else None
        return metric.kind if metric else MetricKind.LATENCY

    newest = newest_cells(records).items()
    cells = {at: found for at, attempts in newest if (found := representative(attempts))}
    values = {}
    for profile in dict.fromkeys(at.profile for at in cells):
        mine = [record for at, record in cells.items() if at.profile == profile]
        for (system, ref), by_seed in measurements(mine, kind_of, "").by_place.items():
            values[profile, system, ref] = by_seed
    return _Side(cells, values)


def _changes(at: Coordinates, a: _Side, b: _Side) -> list[Change]:
    troubles = (("A", a.trouble(at)), ("B", b.trouble(at)))
    remark = "; ".join(f"{name}: {word}" for name, word in troubles if word)
    found = []
    for metric in sorted(a.metrics(at) | b.metrics(at)) or ["-"]:
        was, now = a.value(at, metric), b.value(at, metric)
        state = _state(was, now, failed=bool(remark))
        change = now / was - 1 if state in BOTH and was and now is not None else None
        variants = _within(at, metric, a, b) if state is State.DIFFERS else 0
        within = f"within the spread of {variants} variants" if variants else ""
        found.append(Change(at, metric, state, was, now, change, bool(variants), remark or within))
    return found


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
    was, now = a.value(at, metric), b.value(at, metric)
    assert was is not None and now is not None
    widest = max(a.spread(at, metric), b.spread(at, metric), key=lambda it: it.spread)
    return widest.variants if abs(now - was) <= widest.spread else 0
