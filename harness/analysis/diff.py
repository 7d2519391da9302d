"""What changed between two sets of records, or between two runs of one cell. Exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import zip_longest

from harness.analysis.stats import middle, sample_value
from harness.model.record import Outcome, Phase, Record
from harness.model.workload import MetricKind, Workload
from harness.store import counting, newest_cells


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one cell in two sets. A side is None where it has no value; `change` is
    b/a - 1, None where that cannot be said. `remark` tells why a side is missing."""

    system: str
    workload: str
    profile: str
    metric: str
    a: float | None
    b: float | None
    change: float | None
    remark: str

    @property
    def same(self) -> bool:
        return self.a == self.b and not self.remark

    def __str__(self) -> str:
        name = f"{self.workload}/{self.metric} on {self.system} ({self.profile})"
        was, now = ("none" if side is None else f"{side:.15g}" for side in (self.a, self.b))
        change = "" if self.change is None else f" ({self.change:+.2%})"
        return f"{name}: {was} -> {now}{change}" + (f"; {self.remark}" if self.remark else "")


Key = tuple[str, str, str]


def diff_records(
    a: Iterable[Record], b: Iterable[Record], workloads: Mapping[str, Workload]
) -> list[Change]:
    """Every metric that either set has, in order of workload, system, metric.

    Where a set holds several cells for one system, workload and profile (an older image, say),
    the one measured last speaks for it. Values are ns per operation or bytes per second.
    """
    cells_a, cells_b = _latest(a), _latest(b)
    changes = []
    for key in sorted(cells_a | cells_b, key=lambda it: (it[1], it[0], it[2])):
        changes += _changes(key, cells_a.get(key), cells_b.get(key), workloads)
    return changes


def _latest(records: Iterable[Record]) -> dict[Key, Record]:
    newest = newest_cells(records).items()
    return {key: found for key, attempts in newest if (found := counting(attempts))}


def _changes(
    key: Key, a: Record | None, b: Record | None, workloads: Mapping[str, Workload]
) -> list[Change]:
    system, workload, profile = key
    values_a, values_b = (_values(side, workloads.get(workload)) for side in (a, b))
    metrics = sorted(values_a | values_b) or ["-"]
    remark = "; ".join(
        f"{name}: {'not run' if side is None else side.outcome.status.value}"
        for name, side in (("A", a), ("B", b))
        if side is None or not side.ok
    )
    found = []
    for metric in metrics:
        was, now = values_a.get(metric), values_b.get(metric)
        change = now / was - 1 if was and now is not None else None
        why = remark or ("" if change is not None or was == now else "cannot be compared")
        found.append(Change(system, workload, profile, metric, was, now, change, why))
    return found


def _values(record: Record | None, workload: Workload | None) -> dict[str, float]:
    if record is None or not record.ok:
        return {}
    grouped: dict[str, list[float]] = {}
    for sample in record.outcome.samples:
        metric = workload.metric(sample.metric) if workload else None
        kind = metric.kind if metric else MetricKind.LATENCY
        if sample.phase is Phase.RUN:
            grouped.setdefault(sample.metric, []).append(sample_value(sample, kind))
    return {metric: middle(values) for metric, values in grouped.items()}


def first_difference(a: Outcome, b: Outcome) -> str:
    """Where two outcomes of one cell first part, in the order a reader would look; "" if
    they are the same bits."""
    for field in ("status", "reason", "begun_ns", "quiet_ns"):
        was, now = getattr(a, field), getattr(b, field)
        if was != now:
            return f"{field}: {was} / {now}"
    for one, other in zip_longest(a.samples, b.samples):
        if one is None or other is None:
            return f"{len(a.samples)} / {len(b.samples)} samples"
        if one != other:
            name = next(
                it.name for it in fields(one) if getattr(one, it.name) != getattr(other, it.name)
            )
            where = f"{one.metric} {one.phase} {one.rep}"
            return f"{where}: {name} {getattr(one, name)} / {getattr(other, name)}"
    for key in sorted(a.facts.keys() | b.facts.keys()):
        if a.facts.get(key) != b.facts.get(key):
            return f"fact {key}: {a.facts.get(key)} / {b.facts.get(key)}"
    if a.console_sha256 != b.console_sha256:
        return "console: same values, other text"
    return "" if a == b else "outcomes differ"
