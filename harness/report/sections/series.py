"""A study -> a metric over one axis: a figure with a line for each system, and its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.stats import Estimate
from harness.analysis.study import Study
from harness.model.experiment import Experiment, MetricRef, Series
from harness.model.system import System
from harness.model.unit import Better, Unit
from harness.model.workload import Axis
from harness.report.figures.canvas import NARROW, WIDE
from harness.report.figures.series import SERIES_COLUMNS, series_figure
from harness.report.numbers import axis_text
from harness.report.sections.cell import cell_view
from harness.report.sections.table import FigureView, RowView, TableView


@dataclass(frozen=True, slots=True)
class SeriesView:
    """One series. The table has a row for each value of the axis, its figure a line for each
    system; `up`: more is better; `ref` is how its numbers are named elsewhere."""

    name: str
    what: str
    up: bool
    ref: str
    axis: str
    value: str
    table: TableView


def series_view(study: Study, experiment: Experiment, series: Series) -> SeriesView:
    axis = study.workloads[series.ref.workload].axes[series.over]
    metric = study.metric(series.ref)
    systems = study.systems_of(experiment)
    others = [one for one in systems if one.id != study.base.id]
    refs = [series.ref.at(point) for point in study.axis_points(experiment, series)]
    label = f"{experiment.title}: {series.name}"
    rows = tuple(
        RowView(
            name=axis_text(ref.point.at(series.over) or 0, axis.unit),
            what=series.what,
            up=False,  # all rows alike: the figure's caption says it
            base=cell_view(study, study.base, ref),
            cells=tuple(cell_view(study, one, ref) for one in others),
        )
        for ref in refs
    )
    return SeriesView(
        name=series.name,
        what=series.what,
        up=metric.better is Better.HIGHER,
        ref=f"{series.ref}{',' if series.ref.point else '@'}{series.over}=…",
        axis=_titled(axis.title, axis.unit),
        value=_titled(series.name, metric.unit),
        table=TableView(
            label=label,
            first=_titled(axis.title, axis.unit),
            base=study.base.id,
            systems=tuple(one.id for one in others),
            rows=rows,
            figure=_figure(study, experiment, series, refs, systems),
            has_paper=False,
            has_up=False,
            has_spread=any(row.has_spread for row in rows),
        ),
    )


def _titled(title: str, unit: Unit) -> str:
    return f"{title}, {unit.symbol}" if unit.symbol else title


def _figure(
    study: Study,
    experiment: Experiment,
    series: Series,
    refs: Sequence[MetricRef],
    systems: Sequence[System],
) -> FigureView:
    axis: Axis = study.workloads[series.ref.workload].axes[series.over]
    unit = study.metric(series.ref).unit
    lines = [
        (ref.point.at(series.over), system.id, *_shown(study.value(system.id, ref), unit))
        for system in systems
        for ref in refs
    ]
    ids = tuple(one.id for one in systems)
    wide, narrow = (
        series_figure(
            pd.DataFrame(lines, columns=list(SERIES_COLUMNS)),
            systems=ids,
            figure_id=f"fig-{experiment.id}-{series.ref.metric}-{series.over}-{shape.name}",
            shape=shape,
            title=f"{experiment.title}: {series.name} over {axis.title} for each system, as in "
            "the table below",
            axis_title=_titled(axis.title, axis.unit),
            value_title=_titled(series.name, unit),
            axis_text=lambda place: axis_text(round(place), axis.unit),
        )
        for shape in (WIDE, NARROW)
    )
    return FigureView(wide, narrow, ids, has_paper=False)


def _shown(value: Estimate, unit: Unit) -> tuple[float, float, float]:
    return value.value / unit.scale, value.low / unit.scale, value.high / unit.scale
