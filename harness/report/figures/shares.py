"""The figure of an overhead: each row's share of the reference's, as a bar."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from harness.report.figures.canvas import (
    GAP,
    INK,
    LABEL,
    LANE,
    SOFT,
    Shape,
    canvas,
    draw_rows,
    for_page,
    row_margins,
    stand_in,
    style,
    x_ticks,
)

SHARE_COLUMNS = ("row", "share", "low", "high", "word")
SHORTEST, LONGEST = -0.5, 2.0  # a share beyond is cut there, and bears its number


def share_figure(
    shares_df: pd.DataFrame, *, system: str, figure_id: str, shape: Shape, title: str
) -> str:
    """One bar from 0 in each row, in the order given; lines at 1 and, dashed, at a half.

    `shares_df` has SHARE_COLUMNS; where there is no share the word stands in its place.
    Returns an <svg>.
    """
    assert tuple(shares_df.columns) == SHARE_COLUMNS, list(shares_df.columns)
    rows = [str(row) for row in shares_df["row"]]
    head = LABEL if shape.names_above else 0.0
    row_height = head + LANE + GAP
    with style(figure_id):
        figure, axes = canvas(shape.width, row_height * len(rows), row_margins(rows, shape))
        draw_rows(axes, rows, row_height, shape)
        for at, line in enumerate(shares_df.itertuples(index=False)):
            _bar(axes, line, at * row_height + head + (GAP + LANE) / 2)
        columns = ("share", "low", "high")
        ends = [float(share) for name in columns for share in shares_df[name]]
        seen = [share for share in ends if not math.isnan(share)]
        low, high = max(min([0.0, *seen]), SHORTEST), min(max([1.0, *seen]), LONGEST)
        axes.set_xlim(low, high + (0.3 if high == LONGEST else 0.08))
        step = 0.25 if high - low < 1.5 else 0.5
        x_ticks(axes, [it * step for it in range(-2, 9) if low <= it * step <= high], "{:g}".format)
        # Over the bars, under the names.
        axes.axvline(0.0, color=INK, lw=1.1, zorder=2.5)
        axes.axvline(0.5, color=INK, lw=1.1, ls=(0, (4, 3)), zorder=2.5)
        axes.axvline(1.0, color=INK, lw=1.1, zorder=2.5)
        return for_page(figure, figure_id, [system], title)


def _bar(axes: Axes, line: Any, y: float) -> None:  # noqa: ANN401  (a row of the frame)
    """One row's share, and its spread as a thin line; a word for one that cannot be drawn, or
    not to its end."""
    share, word = float(line.share), str(line.word)
    if math.isnan(share):
        axes.text(0.012, y, word, va="center", ha="left", size=11, color=SOFT)
        return
    drawn = _cut(share)
    axes.barh(y, drawn, height=LANE, color=stand_in(0), zorder=2)
    if line.high > line.low:
        axes.plot([_cut(line.low), _cut(line.high)], [y, y], color=INK, lw=1.3, zorder=3)
    if drawn != share:
        end = max(drawn, 0.0) + 0.02
        axes.text(end, y, word, va="center", ha="left", size=11, color=INK, zorder=4)


def _cut(share: float) -> float:
    return min(max(share, SHORTEST), LONGEST)
