"""A workload of the catalogue: a program in the guest root and the metrics it prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """How a sample becomes a value."""

    LATENCY = "latency"
    RATE = "rate"


class Better(StrEnum):
    """Which direction of change is an improvement."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class PaperRow:
    """Where the paper prints this metric."""

    table: int
    row: str


@dataclass(frozen=True, slots=True)
class Metric:
    """`unit` is for display; values are kept in ns (latency) or bytes/s (rate)."""

    id: str
    title: str
    kind: MetricKind
    unit: str
    better: Better
    paper: PaperRow | None


@dataclass(frozen=True, slots=True)
class Workload:
    """`profiles` maps a profile's name to the parameters it hands to the program."""

    id: str
    title: str
    summary: str
    metrics: tuple[Metric, ...]
    profiles: Mapping[str, Mapping[str, int]]

    def metric(self, metric_id: str) -> Metric | None:
        return next((metric for metric in self.metrics if metric.id == metric_id), None)
