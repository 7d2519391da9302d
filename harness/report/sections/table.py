"""A study -> the table of an experiment's rows, as text, with its figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.claims import paper_ratio
from harness.analysis.study import Study
from harness.model.experiment import Experiment
from harness.model.system import System
from harness.model.unit import Better
from harness.report.figures.canvas import NARROW, WIDE
from harness.report.figures.ratios import POINT_COLUMNS, ratio_figure
from harness.report.sections.cell import CellView, cell_view


@dataclass(frozen=True, slots=True)
class RowView:
    """One metric, for native and for every other system; `up`: more is better."""

    name: str
    what: str
    up: bool
    base: CellView
    cells: tuple[CellView, ...]

    @property
    def has_spread(self) -> bool:
        return any(cell.spread for cell in self.cells)


@dataclass(frozen=True, slots=True)
class FigureView:
    """Both shapes of one figure; the page shows the one that fits."""

    wide: str
    narrow: str
    systems: tuple[str, ...]
    has_paper: bool


@dataclass(frozen=True, slots=True)
class TableView:
    """Rows of numbers and their figure. `first` heads the column of the rows' names."""

    label: str
    first: str
    base: str
    systems: tuple[str, ...]
    rows: tuple[RowView, ...]
    figure: FigureView
    has_paper: bool
    has_up: bool
    has_spread: bool


def table_view(study: Study, experiment: Experiment, label: str) -> TableView:
    """The rows of one experiment, for every system it is about."""
    others = [one for one in study.systems_of(experiment) if one.id != study.base.id]
    rows = tuple(
        RowView(
            name=row.name,
            what=row.what,
            up=study.metric(row.ref).better is Better.HIGHER,
            base=cell_view(study, study.base, row.ref),
            cells=tuple(
                cell_view(study, one, row.ref, paper_ratio(experiment, row, one.stands_for))
                for one in others
            ),
        )
        for row in experiment.rows
    )
    return TableView(
        label=label,
        first="row",
        base=study.base.id,
        systems=tuple(one.id for one in others),
        rows=rows,
        figure=_figure(study, experiment, others, label),
        has_paper=bool(experiment.values),
        has_up=any(row.up for row in rows),
        has_spread=any(row.has_spread for row in rows),
    )


def _figure(
    study: Study, experiment: Experiment, others: Sequence[System], label: str
) -> FigureView:
    points_df = pd.DataFrame(list(_points(study, experiment, others)), columns=list(POINT_COLUMNS))
    ids = tuple(one.id for one in others)
    wide, narrow = (
        ratio_figure(
            points_df,
            rows=[row.name for row in experiment.rows],
            systems=ids,
            figure_id=f"fig-{experiment.id}-{shape.name}",
            shape=shape,
            title=f"{label}: ratio to native for each row and system, as in the table below",
        )
        for shape in (WIDE, NARROW)
    )
    return FigureView(wide, narrow, ids, has_paper=bool(experiment.values))


def _points(
    study: Study, experiment: Experiment, others: Sequence[System]
) -> Iterator[tuple[str, str, str, float, float, float]]:
    """What the figure draws: (row, system, ours or paper, ratio, its least and greatest)."""
    for row in experiment.rows:
        for system in others:
            ours = study.ratio(system.id, row.ref)
            yield row.name, system.id, "ours", ours.value, ours.low, ours.high
            theirs = paper_ratio(experiment, row, system.stands_for)
            yield row.name, system.id, "paper", theirs, theirs, theirs
