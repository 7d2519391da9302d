"""The figure of a series: a metric over one axis, a line for each system."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from harness.report.figures.canvas import (
    INK,
    LINE,
    SOFT,
    Shape,
    canvas,
    for_page,
    stand_in,
    style,
    x_ticks,
)

SERIES_COLUMNS = ("x", "system", "value", "low", "high")
HEIGHT = 260.0
LETTER = 6.6  # CSS pixels, a letter of a tick's label at most
WIDE_RANGE = 30.0  # beyond this many times its least a value is drawn on a logarithmic scale
TICKS = [m * 10.0**e for e in range(-6, 13) for m in (1, 2, 5)]


def series_figure(
    series_df: pd.DataFrame,
    *,
    systems: Sequence[str],
    figure_id: str,
    shape: Shape,
    title: str,
    axis_title: str,
    value_title: str,
    axis_text: Callable[[float], str],
) -> str:
    """`series_df` has SERIES_COLUMNS, values in the unit they are shown in; a missing one is not
    drawn. Returns an <svg>."""
    assert tuple(series_df.columns) == SERIES_COLUMNS, list(series_df.columns)
    with style(figure_id):
        figure, axes = canvas(shape.width, HEIGHT, (62.0, 18.0, 30.0, 52.0))
        for at, system in enumerate(systems):
            _line(axes, series_df[series_df["system"] == system], stand_in(at))
        _x_axis(axes, sorted(set(series_df["x"].tolist())), axis_text, shape)
        _y_axis(axes, [*series_df["value"], *series_df["low"], *series_df["high"]])
        axes.set_xlabel(axis_title, size=12, color=SOFT, labelpad=7)
        axes.set_title(value_title, size=12, color=SOFT, loc="left", x=0.0, pad=12)
        return for_page(figure, figure_id, systems, title)


def _line(axes: Axes, line_df: pd.DataFrame, color: str) -> None:
    """One system: dots, joined where neighbours both have a value, and a bar over each from the
    least to the greatest under perturbations."""
    line_df = line_df.sort_values("x")
    axes.plot(line_df["x"], line_df["value"], color=color, lw=1.8, zorder=3)
    axes.plot(line_df["x"], line_df["value"], color=color, ls="", marker="o", ms=5, zorder=4)
    moved_df = line_df[line_df["high"] > line_df["low"]]
    axes.vlines(moved_df["x"], moved_df["low"], moved_df["high"], color=color, lw=2.6, alpha=0.55)


def _x_axis(
    axes: Axes, places: Sequence[float], text: Callable[[float], str], shape: Shape
) -> None:
    """A tick at each measured place, as many as there is room for; logarithmic where the places
    are spaced by factors."""
    even = len(places) < 3 or places[-1] - places[-2] <= 1.5 * (places[1] - places[0])
    if places and not even:
        axes.set_xscale("log", base=2)
    labels = [text(place) for place in places]
    room = (shape.width - 80.0) / (LETTER * max(map(len, labels), default=1) + 10.0)
    every = math.ceil(len(places) / max(room, 1.0)) or 1
    # Counted from the last, so that the largest has its label.
    x_ticks(axes, list(places)[::-1][::every][::-1], text)
    axes.margins(x=0.04)


def _y_axis(axes: Axes, numbers: Sequence[float]) -> None:
    """From 0, or logarithmic where the values lie far apart."""
    seen = [float(one) for one in numbers if math.isfinite(one)] or [1.0]
    low, high = min(seen), max(seen)
    if low > 0 and high / low > WIDE_RANGE:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.3, high * 1.3)
        axes.yaxis.set_major_locator(FixedLocator([it for it in TICKS if low <= it <= high]))
    else:
        axes.set_ylim(min(low * 1.06, 0.0), max(high * 1.06, 0.0) or 1.0)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda tick, _: f"{tick:,g}".replace(",", "\u202f"))
    )
    axes.tick_params(axis="y", length=0, labelsize=11, labelcolor=SOFT, pad=6)
    axes.grid(axis="y", color=LINE, lw=0.8, zorder=1)
    axes.axhline(axes.get_ylim()[0], color=INK, lw=1.1, zorder=2)
