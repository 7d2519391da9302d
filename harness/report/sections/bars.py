"""A study -> an experiment's groups: the figure, the performances in a table, the targets, and
what each benchmark shares with the paper's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.overhead import Reached
from harness.analysis.performance import (
    Standing,
    mean_value,
    paper_performance,
    performance,
    standings,
)
from harness.analysis.study import Study
from harness.model.experiment import Experiment, Group
from harness.model.system import System
from harness.report.figures.bars import BAR_COLUMNS, bar_figure
from harness.report.figures.canvas import NARROW, WIDE
from harness.report.numbers import THIN, in_one_unit, ratio_text
from harness.report.sections.cell import group_cell
from harness.report.sections.overhead import KINDS, MARKS, TargetView
from harness.report.sections.table import FigureView, RowView, TableView

# A line of BAR_COLUMNS.
Bar = tuple[str, str, float, float, float, float, str, bool]


@dataclass(frozen=True, slots=True)
class StandingView:
    """One system's targets over the groups."""

    subject: str
    reference: str
    targets: tuple[TargetView, TargetView]


@dataclass(frozen=True, slots=True)
class BarsView:
    """The table's rows are the groups, its ratios performances. `differs` are names and texts;
    `unable` has a system, the groups it cannot run, and the reason."""

    table: TableView
    standings: tuple[StandingView, ...]
    differs: tuple[tuple[str, str], ...]
    unable: tuple[tuple[str, str, str], ...]
    measured: bool


def bars_view(study: Study, experiment: Experiment, label: str) -> BarsView:
    systems = study.systems_of(experiment)
    others = [one for one in systems if one.id != study.base.id]
    rows = tuple(
        RowView(
            name=group.name,
            what=group.what,
            up=True,
            base=group_cell(study, study.base, group.refs),
            cells=tuple(
                group_cell(study, one, group.refs, _paper(experiment, group, one)) for one in others
            ),
        )
        for group in experiment.groups
    )
    return BarsView(
        table=TableView(
            label=label,
            first="benchmark",
            base=study.base.id,
            systems=tuple(one.id for one in others),
            rows=rows,
            figure=_figure(study, experiment, systems, label),
            has_paper=True,
            has_up=False,
            has_spread=any(row.has_spread for row in rows),
        ),
        standings=tuple(_standing(one) for one in standings(study, experiment)),
        differs=tuple((group.name, group.differs) for group in experiment.groups),
        unable=tuple(it for one in systems for it in _unable(study, experiment, one)),
        measured=any(not cell.trouble for row in rows for cell in (row.base, *row.cells)),
    )


def _unable(study: Study, experiment: Experiment, system: System) -> Iterator[tuple[str, str, str]]:
    """Each reason once, with all the groups that it keeps the system from."""
    found: dict[str, list[str]] = {}
    for group in experiment.groups:
        reasons = {system.cannot(study.workloads[ref.workload]) for ref in group.refs} - {""}
        for reason in sorted(reasons):
            found.setdefault(reason, []).append(group.name)
    for reason, names in found.items():
        yield system.id, ", ".join(names), reason


def _paper(experiment: Experiment, group: Group, system: System) -> float:
    return paper_performance(experiment, group, group.paper_better, system.stands_for)


def _figure(
    study: Study, experiment: Experiment, systems: Sequence[System], label: str
) -> FigureView:
    lines: list[Bar] = []
    names, told = [], []
    for group in experiment.groups:
        unit, bars = _bars(study, experiment, group, systems)
        lines += bars
        names.append((group.name, unit))
        said = "; ".join(_said(bar) for bar in bars)
        told.append(f"{group.name}{f', in {unit}' if unit else ''}: {said}.")
    bars_df = pd.DataFrame(lines, columns=list(BAR_COLUMNS))
    ids = tuple(one.id for one in systems)
    wide, narrow = (
        bar_figure(
            bars_df,
            groups=names,
            systems=ids,
            figure_id=f"fig-{experiment.id}-bars-{shape.name}",
            shape=shape,
            title=f"{label}: performance relative to {study.base.id}, a bar for each system",
            told=" ".join(told),
        )
        for shape in (WIDE, NARROW)
    )
    return FigureView(wide, narrow, ids, has_paper=True)


def _bars(
    study: Study, experiment: Experiment, group: Group, systems: Sequence[System]
) -> tuple[str, list[Bar]]:
    """One group: the unit of its numbers, and a line of BAR_COLUMNS for each system."""
    values = [mean_value(study, one.id, group.refs).value for one in systems]
    unit, texts = in_one_unit(values, group.unit)
    bars = []
    for one, text in zip(systems, texts, strict=True):
        found = performance(study, one.id, group.refs)
        trouble = group_cell(study, one, group.refs).trouble
        ends = (found.value, found.low, found.high, _paper(experiment, group, one))
        bars.append((group.name, one.id, *ends, trouble or text, bool(trouble)))
    return unit, bars


def _said(bar: Bar) -> str:
    """`xen 1 690 (0.986× native, the paper 0.953×)`."""
    _, system, ours, _, _, paper, text, _ = bar
    found = [] if math.isnan(ours) else [f"{ratio_text(ours)} native"]
    found += [] if math.isnan(paper) else [f"the paper {ratio_text(paper)}"]
    return f"{system} {text}" + (f" ({', '.join(found)})" if found else "")


def _standing(standing: Standing) -> StandingView:
    subject, reference = standing.subject, standing.reference
    least, need = subject.targets.performance, subject.targets.performance_groups
    of = f"of {standing.groups}"
    behind = ", ".join(group.name for group in standing.behind)
    return StandingView(
        subject=subject.id,
        reference=reference.id,
        targets=(
            _target(
                f"benchmarks at {least:g}× native or better",
                f"{len(standing.near)} {of}",
                f"≥{THIN}{need}",
                standing.near_reached,
            ),
            _target(
                f"benchmarks below {reference.id}{f': {behind}' if behind else ''}",
                f"{len(standing.behind)} {of}",
                "0",
                standing.behind_reached,
            ),
        ),
    )


def _target(what: str, found: str, limit: str, reached: Reached) -> TargetView:
    return TargetView(
        what=what,
        found=found,
        moved="",
        limit=limit,
        word=reached.value,
        kind=KINDS[reached],
        mark=MARKS[reached],
    )
