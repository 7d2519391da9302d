"""`workload.toml` -> workloads. Every error names the file and the key."""

from __future__ import annotations

import re
from pathlib import Path

from harness.catalogue.entry import by_id, entry_name
from harness.catalogue.table import Table
from harness.model.workload import Better, Metric, MetricKind, PaperRow, Workload
from harness.paths import Paths


def load_workloads(paths: Paths) -> dict[str, Workload]:
    """Every workload, by directory name."""
    files = sorted(paths.workloads.glob("*/workload.toml"))
    return by_id([(file, read_workload(file)) for file in files])


def read_workload(file: Path) -> Workload:
    """One `workload.toml`. Raises ConfigError."""
    top = Table.load(file)
    metrics = []
    for metric_id, entry in top.table("metrics").subtables():
        metrics.append(_metric(metric_id, entry))
    profiles: dict[str, dict[str, int]] = {}
    for profile, entry in top.table("profiles").subtables():
        profiles[profile] = {key: entry.whole(key) for key in entry.data}
    for needed in ("quick", "full"):
        if needed not in profiles:
            raise top.wrong(f"profiles.{needed}", "is missing")
    workload = Workload(
        id=entry_name(top, "id"),
        title=top.text("title"),
        summary=top.text("summary"),
        metrics=tuple(metrics),
        profiles=profiles,
    )
    if not metrics:
        raise top.wrong("metrics", "declares no metric")
    top.done()
    return workload


def _metric(metric_id: str, entry: Table) -> Metric:
    if not re.fullmatch(r"[a-z0-9_]+", metric_id):
        raise entry.wrong("", f"{metric_id!r} is no metric name (a-z, 0-9, _)")
    paper = None
    if "paper" in entry.data:
        place = entry.table("paper")
        paper = PaperRow(table=place.whole("table"), row=place.text("row"))
        place.done()
    metric = Metric(
        id=metric_id,
        title=entry.text("title"),
        kind=MetricKind(entry.choice("kind", [kind.value for kind in MetricKind])),
        unit=entry.choice("unit", ["ns", "us", "ms", "MB/s"]),
        better=Better(entry.choice("better", [better.value for better in Better])),
        paper=paper,
    )
    entry.done()
    return metric
