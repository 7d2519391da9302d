"""A study -> one experiment: its table, its series, and what a reader should know of them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.study import Study
from harness.model.experiment import Experiment
from harness.report.sections.series import SeriesView, series_view
from harness.report.sections.table import TableView, table_view


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """`table` is None for an experiment of series only."""

    id: str
    heading: str
    shows: str
    has_paper: bool
    table: TableView | None
    series: tuple[SeriesView, ...]
    note: str
    caveats: tuple[tuple[str, str], ...]


def experiment_view(study: Study, experiment: Experiment) -> ExperimentView:
    numbered = f"Table {experiment.table}: " if experiment.table else ""
    heading = f"{numbered}{experiment.title}"
    return ExperimentView(
        id=experiment.id,
        heading=heading,
        shows=experiment.shows,
        has_paper=bool(experiment.values),
        table=table_view(study, experiment, heading) if experiment.rows else None,
        series=tuple(series_view(study, experiment, one) for one in experiment.series),
        note=experiment.note,
        caveats=tuple(
            (one.id, one.caveat)
            for one in study.systems_of(experiment)
            if one.caveat and one.id != study.base.id
        ),
    )
