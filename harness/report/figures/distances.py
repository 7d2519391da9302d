"""The figure of the front page: every number's distance from the paper's, experiment by
experiment, a lane for each system."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from harness.report.figures.canvas import (
    GAP,
    INK,
    LABEL,
    Shape,
    canvas,
    draw_rows,
    for_page,
    row_margins,
    stand_in,
    style,
    x_ticks,
)

DISTANCE_COLUMNS = ("experiment", "system", "factor")
LANE = 13.0  # CSS pixels: the dots of a lane lie over each other, and are to be told apart
TICKS = [m * 10.0**e for e in range(-4, 5) for m in (1, 2, 5)]


def distance_figure(
    distances_df: pd.DataFrame,
    *,
    experiments: Sequence[str],
    systems: Sequence[str],
    figure_id: str,
    shape: Shape,
    title: str,
    told: str,
) -> str:
    """`distances_df` has DISTANCE_COLUMNS. A dot for each number, a stroke at the median of a
    lane, the paper at 1 on a logarithmic axis. Returns an <svg>."""
    assert tuple(distances_df.columns) == DISTANCE_COLUMNS, list(distances_df.columns)
    head = LABEL if shape.names_above else 0.0
    row_height = head + LANE * len(systems) + GAP
    with style(figure_id):
        figure, axes = canvas(
            shape.width, row_height * len(experiments), row_margins(experiments, shape)
        )
        draw_rows(axes, experiments, row_height, shape)
        for at, experiment in enumerate(experiments):
            for lane, system in enumerate(systems):
                mine = distances_df["system"] == system
                dots = distances_df[mine & (distances_df["experiment"] == experiment)]["factor"]
                y = at * row_height + head + GAP / 2 + LANE * (lane + 0.5)
                _lane(axes, dots, y, stand_in(lane))
        _scale(axes, [float(one) for one in distances_df["factor"]])
        return for_page(figure, figure_id, systems, title, told)


def _lane(axes: Axes, dots: pd.Series[float], y: float, color: str) -> None:
    if dots.empty:
        return
    axes.plot(
        dots, [y] * len(dots), ls="", marker="o", ms=6, mec="none", color=color, alpha=0.6, zorder=3
    )
    axes.vlines([dots.median()], y - LANE / 2, y + LANE / 2, color=color, lw=2.2, zorder=4)


def _scale(axes: Axes, factors: Sequence[float]) -> None:
    low, high = min([0.5, *factors]), max([2.0, *factors])
    axes.set_xscale("log")
    axes.set_xlim(low / 1.12, high * 1.12)
    inside = [tick for tick in TICKS if low / 1.12 <= tick <= high * 1.12]
    decades = [tick for tick in inside if math.isclose(math.log10(tick) % 1, 0, abs_tol=1e-9)]
    x_ticks(axes, inside if len(inside) <= 8 else decades, lambda tick: f"{tick:g}×")
    axes.axvline(1.0, color=INK, lw=1.1, zorder=1.5)
