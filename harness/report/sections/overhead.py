"""Overheads -> a section of the page (the targets, a figure, a table), and the same as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.overhead import FLOOR, NO_OVERHEAD, Inclusion, Overhead, Reached, Share
from harness.analysis.stats import MISSING, Estimate
from harness.analysis.study import Study
from harness.report.figures.canvas import NARROW, WIDE
from harness.report.figures.shares import SHARE_COLUMNS, share_figure
from harness.report.numbers import THIN, count_text, exact_range, range_text, significant
from harness.report.sections.cell import NO_VALUE, CellView, cell_view
from harness.report.sections.table import FigureView

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
    """The mean or the worst row and its range, with what became of its target."""

    what: str
    found: str
    moved: str
    limit: str
    word: str
    kind: str
    mark: str


@dataclass(frozen=True, slots=True)
class ShareView:
    """One row: native, the reference, the subject, and the share and its range, or why there is
    none."""

    name: str
    base: CellView
    cells: tuple[CellView, CellView]
    share: str
    moved: str
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


def overhead_view(study: Study, overhead: Overhead) -> OverheadView:
    whole = {study.base.id, overhead.reference.id} <= study.ran
    return OverheadView(
        id=f"overhead-{overhead.subject.id}",
        heading=f"Overhead against {overhead.reference.title}",
        base=study.base.id,
        reference=overhead.reference.id,
        subject=overhead.subject.id,
        targets=_targets(overhead),
        figure=_figure(overhead) if whole else None,
        rows=tuple(_row(study, overhead, one) for one in overhead.shares if whole),
        notes=tuple(_notes(overhead)) if whole else (),
    )


def _targets(overhead: Overhead) -> tuple[TargetView, TargetView]:
    count = len(overhead.rows(Inclusion.INCLUDED))
    worst, limits = overhead.worst_row, overhead.subject.targets
    return (
        _target(
            f"geometric mean of {count_text(count, 'row', 'rows')}",
            overhead.mean,
            limits.overhead_mean,
            overhead.mean_reached,
        ),
        _target(
            f"worst row: {worst.row.name}" if worst else "worst row",
            overhead.worst if worst else MISSING,
            limits.overhead_worst,
            overhead.worst_reached,
        ),
    )


def _target(what: str, found: Estimate, limit: float | None, reached: Reached) -> TargetView:
    return TargetView(
        what=what,
        found=significant(found.value),
        moved=range_text(found),
        limit="" if limit is None else f"≤{THIN}{limit:g}",
        word=reached.value,
        kind=KINDS[reached],
        mark=MARKS[reached],
    )


def _row(study: Study, overhead: Overhead, share: Share) -> ShareView:
    found = share.share
    exact = "" if found.missing else f"{found.value:.6f}"
    # The paper's ratios stand in its own tables.
    return ShareView(
        name=share.row.name,
        base=cell_view(study, study.base, share.row.ref),
        cells=(
            cell_view(study, overhead.reference, share.row.ref),
            cell_view(study, overhead.subject, share.row.ref),
        ),
        share=_word(share) or significant(found.value),
        moved=range_text(found),
        exact="; ".join(text for text in (exact, exact_range(found)) if text),
        left_out=share.inclusion in (Inclusion.LEFT_OUT, Inclusion.UNCERTAIN),
    )


def _word(share: Share) -> str:
    """What stands where a share would."""
    words = {
        Inclusion.LEFT_OUT: "left out",
        Inclusion.UNCERTAIN: "left out",
        Inclusion.MISSING: NO_VALUE,
    }
    return words.get(share.inclusion, "")


def _figure(overhead: Overhead) -> FigureView:
    lines = [(one, one.share) for one in overhead.shares]
    shares_df = pd.DataFrame(
        [
            (one.row.name, it.value, it.low, it.high, _word(one) or significant(it.value))
            for one, it in lines
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
    left_out, missing = overhead.rows(Inclusion.LEFT_OUT), overhead.rows(Inclusion.MISSING)
    uncertain = overhead.rows(Inclusion.UNCERTAIN)
    notes = []
    if left_out:
        note = (
            f"Grey, left out of the mean and of the worst row: {_names(left_out)}. There "
            f"{reference} costs at most {NO_OVERHEAD:g} times native, so it has no overhead to "
            "take a share of."
        )
        dearer = [one for one in left_out if one.subject.low > NO_OVERHEAD]
        notes.append(note + (f" {subject} has some in {_names(dearer)}." if dearer else ""))
    if uncertain:
        notes.append(
            f"Grey, left out as well: {_names(uncertain)}. There the overhead of {reference} is "
            "not larger than what perturbations alone move it by."
        )
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
    if overhead.mean.variants > 1:
        notes.append(
            f"The ranges are over {overhead.mean.variants} variants: the cells as they are, and "
            "perturbed in what must not matter; which row is the worst may differ. A target "
            "counts as met only if every variant meets it."
        )
    return notes


def _names(shares: Sequence[Share]) -> str:
    return ", ".join(one.row.name for one in shares)


def overhead_text(views: Sequence[OverheadView]) -> str:
    """The sections without their figures, in columns, to paste where only text goes."""
    return "\n".join(line for view in views for line in _lines(view)).replace(THIN, " ")


def target_line(target: TargetView) -> str:
    """`worst row: 2p/0K: 0.480, 0.478 to 0.482 (≤ 1: met)`."""
    found = ", ".join(text for text in (target.found, target.moved) if text)
    limit = f" ({target.limit}: {target.word})" if target.limit else ""
    return f"{target.what}: {found}{limit}"


def _lines(view: OverheadView) -> list[str]:
    moved = any(row.moved for row in view.rows)
    head = ["row", view.base, view.reference, "", view.subject, "", "share", *([""] * moved)]
    rows = [head] + [
        [
            *(row.name, _value(row.base)),
            *(text for it in row.cells for text in _pair(it)),
            *(row.share, *([row.moved] * moved)),
        ]
        for row in view.rows
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    table = [
        "  ".join(
            text.rjust(width) if at else text.ljust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    targets = [target_line(one) for one in view.targets]
    title = f"{view.heading}: ({view.subject} - {view.base}) / ({view.reference} - {view.base})"
    return [title, "", *(table if view.rows else ["not measured"]), "", *targets, *view.notes, ""]


def _value(cell: CellView) -> str:
    return cell.trouble or cell.value


def _pair(cell: CellView) -> tuple[str, str]:
    return (_value(cell), "" if cell.trouble else cell.ratio)
