"""The figure of a table: each system's ratio to native, row by row, beside the paper's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from harness.report.figures.canvas import (
    GAP,
    INK,
    LABEL,
    LANE,
    Shape,
    canvas,
    draw_rows,
    for_page,
    row_margins,
    stand_in,
    style,
    x_ticks,
)

TICKS = [m * 10.0**e for e in range(-4, 7) for m in (1, 2, 5)]
POINT_COLUMNS = ("row", "system", "source", "ratio", "low", "high")


def ratio_figure(
    points_df: pd.DataFrame,
    *,
    rows: Sequence[str],
    systems: Sequence[str],
    figure_id: str,
    shape: Shape,
    title: str,
) -> str:
    """One lane per system in each row: ours filled, the paper's hollow, a line between them.

    `points_df` has POINT_COLUMNS; a missing ratio is simply not drawn. Returns an <svg>.
    """
    assert tuple(points_df.columns) == POINT_COLUMNS, list(points_df.columns)
    head = LABEL if shape.names_above else 0.0
    row_height = head + LANE * len(systems) + GAP
    height = row_height * len(rows)
    with style(figure_id):
        figure, axes = canvas(shape.width, height, row_margins(rows, shape))
        draw_rows(axes, rows, row_height, shape)
        top = {row: at * row_height for at, row in enumerate(rows)}
        lane = points_df["system"].map({system: at for at, system in enumerate(systems)})
        tops = points_df["row"].map(top).astype(float)
        placed_df = points_df.assign(
            lane=lane,
            color=lane.map(stand_in),
            y=tops + head + GAP / 2 + LANE * (lane.astype(float) + 0.5),
        ).sort_values("lane", kind="stable")
        for _, lane_df in placed_df.groupby("lane"):
            _lines(axes, lane_df, str(lane_df["color"].iloc[0]))
        _dots(axes, placed_df.dropna(subset=["ratio"]))
        _scale(axes, [*points_df["ratio"], *points_df["low"], *points_df["high"]], shape)
        return for_page(figure, figure_id, systems, title)


def _lines(axes: Axes, lane_df: pd.DataFrame, color: str) -> None:
    """One system: a line from ours to the paper's where a row has both; a bar over ours from the
    least to the greatest under perturbations."""
    ours_df = lane_df[(lane_df["source"] == "ours") & (lane_df["high"] > lane_df["low"])]
    axes.hlines(ours_df["y"], ours_df["low"], ours_df["high"], color=color, lw=2.6, alpha=0.55)
    for _, pair_df in lane_df.dropna(subset=["ratio"]).groupby("row", sort=False):
        if len(pair_df) == 2:
            axes.plot(pair_df["ratio"], pair_df["y"], color=color, lw=1.1, alpha=0.55, zorder=2)


def _dots(axes: Axes, seen_df: pd.DataFrame) -> None:
    """Of all systems at once, since every call of seaborn's costs as much as hundreds of dots:
    the paper's hollow, ours filled."""
    paper_df = seen_df[seen_df["source"] == "paper"]
    axes.scatter(
        paper_df["ratio"],
        paper_df["y"],
        s=30,
        facecolor="none",
        edgecolor=list(paper_df["color"]),
        linewidth=1.3,
        zorder=3,
    )
    ours_df = seen_df[seen_df["source"] == "ours"]
    if ours_df.empty:
        return
    sns.scatterplot(
        data=ours_df,
        x="ratio",
        y="y",
        ax=axes,
        s=34,
        hue="color",
        palette={color: color for color in ours_df["color"]},
        edgecolor="face",
        linewidth=1.3,
        legend=False,
        zorder=4,
    )


def _scale(axes: Axes, ratios: Sequence[float], shape: Shape) -> None:
    """A log axis around the data, always with native's own 1 on it."""
    seen = [float(ratio) for ratio in ratios if ratio > 0 and math.isfinite(ratio)] or [1.0]
    low, high = min(*seen, 0.8), max(*seen, 2.0)
    axes.set_xscale("log")
    axes.set_xlim(low / 1.12, high * 1.18)
    inside = [tick for tick in TICKS if low / 1.12 <= tick <= high * 1.18]
    most = 6 if shape.names_above else 12
    decades = [tick for tick in inside if math.isclose(math.log10(tick) % 1, 0, abs_tol=1e-9)]
    x_ticks(axes, inside if len(inside) <= most else decades, lambda tick: f"{tick:g}×")
    axes.axvline(1.0, color=INK, lw=1.1, zorder=1.5)
