"""A workload of the catalogue: a program in the guest root and the metrics it prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.limits import Limits
from harness.model.unit import Better, MetricKind, Unit

PROFILES = ("quick", "full")
# What a workload may ask for beside a processor and memory: `workloads/README.md`.
# `files` is a file system on the data disk, made by a program of the root image.
NEEDS = ("root", "data", "net", "files")
IMPLIED = {"files": ("root", "data")}


@dataclass(frozen=True, slots=True)
class Metric:
    """One number a workload prints. Values are kept in the natural unit of the unit's kind."""

    id: str
    title: str
    unit: Unit
    better: Better

    @property
    def kind(self) -> MetricKind:
        return self.unit.kind


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter that a point may set: its name for people, and the unit of its values."""

    id: str
    title: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Workload:
    """`profiles` maps a profile's name to the parameters it hands to the program, `limits` to
    what the workload may take on top of its system's boot; `needs` are the devices without which
    it cannot run."""

    id: str
    title: str
    summary: str
    metrics: tuple[Metric, ...]
    profiles: Mapping[str, Mapping[str, int]]
    limits: Mapping[str, Limits]
    axes: Mapping[str, Axis]
    needs: tuple[str, ...] = ()

    def metric(self, metric_id: str) -> Metric | None:
        return next((metric for metric in self.metrics if metric.id == metric_id), None)
