"""Frames -> the tables of the page, as text, each with its figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.claims import paper_ratio
from harness.analysis.frame import Frames
from harness.errors import ConfigError
from harness.model.experiment import Experiment, Row
from harness.model.system import System
from harness.model.workload import Metric, MetricKind, Workload
from harness.report.figures import NARROW, POINT_COLUMNS, WIDE, ratio_figure
from harness.report.numbers import exact_text, ratio_text, value_text

NOT_RUN = "not run"
NO_VALUE = "no value"


@dataclass(frozen=True, slots=True)
class CellView:
    """One system in one row: a ratio, or the word that says why there is none, with the
    place in the page that tells more."""

    system: str
    ratio: str
    paper: str
    value: str
    exact: str
    trouble: str
    anchor: str


@dataclass(frozen=True, slots=True)
class RowView:
    """One metric, for native and for every other system."""

    name: str
    what: str
    rate: bool
    base: CellView
    cells: tuple[CellView, ...]


@dataclass(frozen=True, slots=True)
class FigureView:
    """Both shapes of one figure; the page shows the one that fits."""

    wide: str
    narrow: str
    systems: tuple[str, ...]
    has_paper: bool


@dataclass(frozen=True, slots=True)
class TableView:
    """One experiment."""

    id: str
    heading: str
    shows: str
    base: str
    systems: tuple[str, ...]
    rows: tuple[RowView, ...]
    figure: FigureView
    has_paper: bool
    has_rates: bool
    note: str
    caveats: tuple[tuple[str, str], ...]


def table_view(
    experiment: Experiment,
    *,
    frames: Frames,
    systems: Mapping[str, System],
    workloads: Mapping[str, Workload],
) -> TableView:
    """The table of one experiment, for every system it names (none: all)."""
    chosen = [
        one for one in systems.values() if not experiment.systems or one.id in experiment.systems
    ]
    others = [one for one in chosen if one.id != frames.base]
    base = systems[frames.base]
    metrics = {row.ref: metric_of(row, experiment, workloads) for row in experiment.rows}
    rows = tuple(
        RowView(
            name=row.name,
            what=row.what,
            rate=metrics[row.ref].kind is MetricKind.RATE,
            base=cell_view(base, experiment, row, metrics[row.ref], frames),
            cells=tuple(
                cell_view(one, experiment, row, metrics[row.ref], frames) for one in others
            ),
        )
        for row in experiment.rows
    )
    label = (
        f"Table {experiment.table}: {experiment.title}" if experiment.table else experiment.title
    )
    names = [row.name for row in rows]
    return TableView(
        id=experiment.id,
        heading=label,
        shows=experiment.shows,
        base=base.id,
        systems=tuple(one.id for one in others),
        rows=rows,
        figure=_figure(experiment, names, others, frames, label),
        has_paper=bool(experiment.values),
        has_rates=any(row.rate for row in rows),
        note=experiment.note,
        caveats=tuple((one.id, one.caveat) for one in others if one.caveat),
    )


def metric_of(row: Row, experiment: Experiment, workloads: Mapping[str, Workload]) -> Metric:
    """The metric of a row. Raises ConfigError if no workload declares it."""
    workload = workloads.get(row.ref.workload)
    metric = workload.metric(row.ref.metric) if workload else None
    if metric is None:
        raise ConfigError(
            f"experiment '{experiment.id}' has a row '{row.ref}', which no workload declares"
        )
    return metric


def cell_view(
    system: System, experiment: Experiment, row: Row, metric: Metric, frames: Frames
) -> CellView:
    """One system in one row."""
    value = frames.value(system.id, row.ref.workload, row.ref.metric)
    expected = paper_ratio(experiment, row, system.stands_for)
    trouble, anchor = "", ""
    if math.isnan(value):
        trouble, anchor = _trouble(system.id, row.ref.workload, frames)
    return CellView(
        system=system.id,
        ratio=ratio_text(frames.ratio(system.id, row.ref.workload, row.ref.metric)),
        paper="" if math.isnan(expected) else ratio_text(expected),
        value=value_text(value, metric.unit),
        exact=exact_text(value, metric.unit),
        trouble=trouble,
        anchor=anchor,
    )


def _trouble(system: str, workload: str, frames: Frames) -> tuple[str, str]:
    """Why a cell has no value, in a word, and where the page says more."""
    record = frames.record(system, workload)
    if record is None:
        return NOT_RUN, "not-run"
    if record.ok:
        return NO_VALUE, "no-value"
    return record.outcome.status.value, failed_anchor(system, workload)


def failed_anchor(system: str, workload: str) -> str:
    return f"failed-{workload}-{system}"


def _figure(
    experiment: Experiment,
    names: Sequence[str],
    others: Sequence[System],
    frames: Frames,
    label: str,
) -> FigureView:
    points_df = pd.DataFrame(
        list(_points(experiment, names, others, frames)), columns=list(POINT_COLUMNS)
    )
    ids = tuple(one.id for one in others)
    wide, narrow = (
        ratio_figure(
            points_df,
            rows=names,
            systems=ids,
            figure_id=f"fig-{experiment.id}-{shape.name}",
            shape=shape,
            title=f"{label}: ratio to native for each row and system, as in the table below",
        )
        for shape in (WIDE, NARROW)
    )
    return FigureView(wide, narrow, ids, has_paper=bool(experiment.values))


def _points(
    experiment: Experiment, names: Sequence[str], others: Sequence[System], frames: Frames
) -> Iterator[tuple[str, str, str, float]]:
    """What the figure draws: (row, system, ours or paper, ratio)."""
    for name, row in zip(names, experiment.rows, strict=True):
        for system in others:
            ours = frames.ratio(system.id, row.ref.workload, row.ref.metric)
            yield name, system.id, "ours", ours
            yield name, system.id, "paper", paper_ratio(experiment, row, system.stands_for)
