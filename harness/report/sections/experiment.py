"""A study -> one experiment: its table, its series, and what a reader should know of them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.study import Study
from harness.model.experiment import Experiment
from harness.report.sections.bars import BarsView, bars_view
from harness.report.sections.series import SeriesView, series_view
from harness.report.sections.table import TableView, table_view


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """`bars` is None for an experiment without groups, `table` for one without rows. It leads
    the page if any of its groups was measured."""

    id: str
    heading: str
    shows: str
    has_paper: bool
    leads: bool
    bars: BarsView | None
    table: TableView | None
    series: tuple[SeriesView, ...]
    note: str
    caveats: tuple[tuple[str, str], ...]
    described: tuple[tuple[str, str], ...]


def experiment_view(study: Study, experiment: Experiment) -> ExperimentView:
    number, title = experiment.number, experiment.title
    heading = f"{number}: {title}" if number else title
    bars = bars_view(study, experiment, heading) if experiment.groups else None
    return ExperimentView(
        id=experiment.id,
        heading=heading,
        shows=experiment.shows,
        has_paper=bool(experiment.values),
        leads=bars is not None and bars.measured,
        bars=bars,
        table=table_view(study, experiment, heading) if experiment.rows else None,
        series=tuple(series_view(study, experiment, one) for one in experiment.series),
        note=experiment.note,
        caveats=tuple(
            (one.id, one.caveat)
            for one in study.systems_of(experiment)
            if one.caveat and one.id != study.base.id
        ),
        described=(
            *((group.name, group.what) for group in experiment.groups),
            *((row.name, row.what) for row in experiment.rows),
        ),
    )
