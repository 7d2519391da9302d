"""Overheads -> a section of the page (the targets, a figure, a table), and the same as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from harness.analysis.frame import Frames
from harness.analysis.overhead import FLOOR, NO_OVERHEAD, Overhead, Reached, Share, Standing
from harness.model.system import System
from harness.model.workload import Workload
from harness.report.figures import NARROW, SHARE_COLUMNS, WIDE, share_figure
from harness.report.numbers import THIN, count_text, significant
from harness.report.tables import NO_VALUE, CellView, FigureView, cell_view, metric_of

MARKS = {Reached.MET: "●", Reached.NOT_MET: "○", Reached.OPEN: "…", Reached.NO_TARGET: "–"}
# The classes the page gives to verdicts.
KINDS = {
    Reached.MET: "reproduced",
    Reached.NOT_MET: "not-reproduced",
    Reached.OPEN: "not-measured",
    Reached.NO_TARGET: "not-testable",
}


@dataclass(frozen=True, slots=True)
class TargetView:
    """The mean or the worst row, with what became of its target."""

    what: str
    found: str
    limit: str
    word: str
    kind: str
    mark: str


@dataclass(frozen=True, slots=True)
class ShareView:
    """One row: native, the reference, the subject, and the share or why there is none."""

    name: str
    base: CellView
    cells: tuple[CellView, CellView]
    share: str
    exact: str
    left_out: bool


@dataclass(frozen=True, slots=True)
class OverheadView:
    """One system against its reference; without a figure if the reference was never run."""

    id: str
    heading: str
    base: str
    reference: str
    subject: str
    targets: tuple[TargetView, ...]
    figure: FigureView | None
    rows: tuple[ShareView, ...]
    notes: tuple[str, ...]


def overhead_view(
    overhead: Overhead,
    *,
    frames: Frames,
    systems: Mapping[str, System],
    workloads: Mapping[str, Workload],
) -> OverheadView:
    ran = {record.system for record in frames.standing}
    whole = {frames.base, overhead.reference.id} <= ran
    three = (systems[frames.base], overhead.reference, overhead.subject)
    return OverheadView(
        id=f"overhead-{overhead.subject.id}",
        heading=f"Overhead against {overhead.reference.title}",
        base=frames.base,
        reference=overhead.reference.id,
        subject=overhead.subject.id,
        targets=_targets(overhead),
        figure=_figure(overhead) if whole else None,
        rows=tuple(_row(one, three, frames, workloads) for one in overhead.shares if whole),
        notes=tuple(_notes(overhead)) if whole else (),
    )


def _targets(overhead: Overhead) -> tuple[TargetView, TargetView]:
    count = len(overhead.rows(Standing.COUNTED))
    worst, limits = overhead.worst, overhead.subject.targets
    return (
        _target(
            f"geometric mean of {count_text(count, 'row', 'rows')}",
            overhead.mean,
            limits.overhead_mean,
            overhead.mean_reached,
        ),
        _target(
            f"worst row: {worst.row.name}" if worst else "worst row",
            worst.share if worst else math.nan,
            limits.overhead_worst,
            overhead.worst_reached,
        ),
    )


def _target(what: str, found: float, limit: float | None, reached: Reached) -> TargetView:
    return TargetView(
        what=what,
        found=significant(found),
        limit="" if limit is None else f"≤{THIN}{limit:g}",
        word=reached.value,
        kind=KINDS[reached],
        mark=MARKS[reached],
    )


def _row(
    share: Share,
    three: tuple[System, System, System],
    frames: Frames,
    workloads: Mapping[str, Workload],
) -> ShareView:
    metric = metric_of(share.row, share.experiment, workloads)
    base, reference, subject = (
        # The paper's ratios stand in its own tables.
        replace(cell_view(system, share.experiment, share.row, metric, frames), paper="")
        for system in three
    )
    return ShareView(
        name=share.row.name,
        base=base,
        cells=(reference, subject),
        share=_word(share) or significant(share.share),
        exact="" if math.isnan(share.share) else f"{share.share:.6f}",
        left_out=share.standing is Standing.LEFT_OUT,
    )


def _word(share: Share) -> str:
    """What stands where a share would."""
    words = {Standing.LEFT_OUT: "left out", Standing.MISSING: NO_VALUE}
    return words.get(share.standing, "")


def _figure(overhead: Overhead) -> FigureView:
    shares_df = pd.DataFrame(
        [
            (one.row.name, one.share, _word(one) or significant(one.share))
            for one in overhead.shares
        ],
        columns=list(SHARE_COLUMNS),
    )
    subject, reference = overhead.subject.id, overhead.reference.id
    wide, narrow = (
        share_figure(
            shares_df,
            system=subject,
            figure_id=f"fig-overhead-{subject}-{shape.name}",
            shape=shape,
            title=f"Overhead of {subject} as a share of that of {reference}, for each row, "
            "as in the table below",
        )
        for shape in (WIDE, NARROW)
    )
    return FigureView(wide, narrow, (subject,), has_paper=False)


def _notes(overhead: Overhead) -> list[str]:
    """What a reader must know of rows that do not count as they stand."""
    subject, reference = overhead.subject.id, overhead.reference.id
    left_out, missing = overhead.rows(Standing.LEFT_OUT), overhead.rows(Standing.MISSING)
    notes = []
    if left_out:
        note = (
            f"Grey, left out of the mean and of the worst row: {_names(left_out)}. There "
            f"{reference} costs at most {NO_OVERHEAD:g} times native, so it has no overhead to "
            "take a share of."
        )
        dearer = [one for one in left_out if one.subject > NO_OVERHEAD]
        notes.append(note + (f" {subject} has some in {_names(dearer)}." if dearer else ""))
    if overhead.floored:
        notes.append(
            f"A geometric mean needs numbers above zero: the share of {_names(overhead.floored)} "
            f"({subject} about as fast as native, or faster) enters it as {FLOOR:g}."
        )
    if missing:
        notes.append(
            f"Without a value: {_names(missing)}. The mean is that of the other rows, and "
            "no target counts as met while a row is missing."
        )
    return notes


def _names(shares: Sequence[Share]) -> str:
    return ", ".join(one.row.name for one in shares)


def overhead_text(views: Sequence[OverheadView]) -> str:
    """The sections without their figures, in columns, to paste where only text goes."""
    return "\n".join(line for view in views for line in _lines(view)).replace(THIN, " ")


def _lines(view: OverheadView) -> list[str]:
    head = ["row", view.base, view.reference, "", view.subject, "", "share"]
    rows = [head] + [
        [row.name, _value(row.base), *(text for it in row.cells for text in _pair(it)), row.share]
        for row in view.rows
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    table = [
        "  ".join(
            text.rjust(width) if at else text.ljust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    targets = [
        f"{one.what}: {one.found}" + (f" ({one.limit}: {one.word})" if one.limit else "")
        for one in view.targets
    ]
    title = f"{view.heading}: ({view.subject} - {view.base}) / ({view.reference} - {view.base})"
    return [title, "", *(table if view.rows else ["not measured"]), "", *targets, *view.notes, ""]


def _value(cell: CellView) -> str:
    return cell.trouble or cell.value


def _pair(cell: CellView) -> tuple[str, str]:
    return (_value(cell), "" if cell.trouble else cell.ratio)
