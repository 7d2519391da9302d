"""`units.toml`, `workload.toml` -> units, workloads. Every error names the file and the key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.catalogue import outside
from harness.catalogue.entry import by_id, entry_name
from harness.catalogue.table import Table
from harness.model.device import DISK_AXIS
from harness.model.limits import Limits
from harness.model.point import PERTURB
from harness.model.unit import Better, MetricKind, Unit
from harness.model.workload import IMPLIED, NEEDS, PROFILES, Axis, Metric, Workload
from harness.paths import Paths

# The axis that every workload with a data disk has: the testbed's disks, by year.
YEAR = Unit("year", "", MetricKind.AMOUNT, Better.HIGHER, 1.0, ladder=False)
DISK = Axis(id=DISK_AXIS, title="data disk", unit=YEAR)
METRIC_NAME = re.compile(r"[a-z0-9_]+")
AXIS_NAME = re.compile(r"[a-z][a-z0-9_]*")


def load_workloads(paths: Paths) -> dict[str, Workload]:
    """Every workload, by directory name."""
    units = read_units(paths.workloads / "units.toml")
    files = sorted(paths.workloads.glob("*/workload.toml")) + outside.workload_files(paths)
    return by_id([(file, read_workload(file, units)) for file in files])


def read_units(file: Path) -> dict[str, Unit]:
    """The table of units. Raises ConfigError."""
    top = Table.load(file)
    units = {}
    for name, entry in top.subtables():
        units[name] = Unit(
            id=name,
            symbol=entry.text("symbol"),
            kind=MetricKind(entry.choice("kind", list(MetricKind))),
            better=Better(entry.choice("better", list(Better))),
            scale=entry.number("scale", 1.0),
            ladder=entry.flag("ladder"),
            bytes=entry.flag("bytes"),
        )
        if units[name].ladder and units[name].kind is not MetricKind.LATENCY:
            raise entry.wrong("ladder", "is for times only: kind must be latency")
        entry.done()
    return units


def read_workload(file: Path, units: Mapping[str, Unit]) -> Workload:
    """One `workload.toml`. Raises ConfigError."""
    top = Table.load(file)
    metrics = [_metric(name, entry, units) for name, entry in top.table("metrics").subtables()]
    if not metrics:
        raise top.wrong("metrics", "declares no metric")
    profiles = {
        name: {key: entry.whole(key) for key in entry.data}
        for name, entry in top.table("profiles").subtables()
    }
    limits = {name: _limits(entry) for name, entry in top.table("limits").subtables()}
    for needed in PROFILES:
        for key, found in (
            ("profiles", dict.fromkeys(profiles)),
            ("limits", dict.fromkeys(limits)),
        ):
            if needed not in found:
                raise top.wrong(f"{key}.{needed}", "is missing")
    workload = Workload(
        id=entry_name(top, "id"),
        title=top.text("title"),
        summary=top.text("summary"),
        metrics=tuple(metrics),
        profiles=profiles,
        limits=limits,
        axes={
            name: _axis(name, entry, units)
            for name, entry in top.table("axes", optional=True).subtables()
        },
        needs=_needs(top),
    )
    if "data" in workload.needs:
        workload = replace(workload, axes={DISK_AXIS: DISK, **workload.axes})
    top.done()
    return workload


def _metric(metric_id: str, entry: Table, units: Mapping[str, Unit]) -> Metric:
    if not METRIC_NAME.fullmatch(metric_id):
        raise entry.wrong("", f"{metric_id!r} is no metric name (a-z, 0-9, _)")
    unit = units[entry.choice("unit", units)]
    metric = Metric(
        id=metric_id,
        title=entry.text("title"),
        unit=unit,
        better=Better(entry.choice("better", list(Better), unit.better)),
    )
    entry.done()
    return metric


def _needs(top: Table) -> tuple[str, ...]:
    needs = tuple(top.texts("needs"))
    if set(needs) - set(NEEDS) or len(set(needs)) < len(needs):
        raise top.wrong("needs", f"must be some of {', '.join(NEEDS)}, each once")
    implied = [it for need in needs for it in IMPLIED.get(need, ())]
    return tuple(dict.fromkeys([*implied, *needs]))


def _axis(name: str, entry: Table, units: Mapping[str, Unit]) -> Axis:
    if not AXIS_NAME.fullmatch(name) or name == PERTURB:
        raise entry.wrong("", f"{name!r} is no name of an axis (a-z, 0-9, _; not {PERTURB})")
    axis = Axis(
        id=name, title=entry.text("title"), unit=units[entry.choice("unit", units, "score")]
    )
    entry.done()
    return axis


def _limits(entry: Table) -> Limits:
    limits = Limits(virtual_s=entry.number("virtual_s"), wall_s=entry.number("wall_s"))
    entry.done()
    return limits
