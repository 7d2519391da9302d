"""Figures as SVG text, to stand inside the page: same data, same bytes.

A figure knows no page colour. It is drawn in stand-in colours, which are then replaced by
`currentColor` and by the page's CSS variables, so one figure serves light, dark and print.
Letters stay letters (searchable, in the page's own font); the legend is the page's business.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

INK, LINE, BAND, SOFT, PAGE = "#c0c0c1", "#c0c0c2", "#c0c0c3", "#c0c0c4", "#c0c0c5"
REPLACED = {
    INK: "currentColor",
    LINE: "var(--line)",
    BAND: "var(--band)",
    SOFT: "var(--soft)",
    PAGE: "var(--page)",
}
LANE, GAP, LABEL = 10.0, 10.0, 17.0  # CSS pixels: one system's lane, between rows, a row's name
PX = 1 / 72  # an SVG unit is a point of matplotlib's; shown at full width it is a CSS pixel
TICKS = [m * 10.0**e for e in range(-4, 7) for m in (1, 2, 5)]

POINT_COLUMNS = ("row", "system", "source", "ratio")
SHARE_COLUMNS = ("row", "share", "word")
SHORTEST, LONGEST = -0.5, 2.0  # a share beyond is cut there, and bears its number


@dataclass(frozen=True, slots=True)
class Shape:
    """How wide the figure is, and whether a row's name stands above it or beside it."""

    name: str
    width: float
    names_above: bool


WIDE = Shape("wide", 760.0, names_above=False)
NARROW = Shape("narrow", 340.0, names_above=True)


def stand_in(index: int) -> str:
    """The colour a system is drawn in before the page's variable takes its place."""
    return f"#a0b0{index:02x}"


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
    margins = (14.0, 14.0, 10.0, 34.0) if shape.names_above else (_beside(rows), 16.0, 10.0, 34.0)
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": figure_id, "font.size": 12.0}
    ):
        figure, axes = _canvas(shape.width, height, margins)
        _rows(axes, rows, row_height, shape)
        top = {row: at * row_height for at, row in enumerate(rows)}
        for lane, system in enumerate(systems):
            lane_df = points_df[points_df["system"] == system]
            tops = lane_df["row"].map(top).astype(float)
            lane_df = lane_df.assign(y=tops + head + GAP / 2 + LANE * (lane + 0.5))
            _lane(axes, lane_df, stand_in(lane))
        _scale(axes, points_df["ratio"], shape)
        svg = _svg(figure)
    palette = {stand_in(at): f"var(--sys-{system})" for at, system in enumerate(systems)}
    return _for_page(svg, figure_id, palette, title)


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
    margins = (14.0, 14.0, 10.0, 34.0) if shape.names_above else (_beside(rows), 16.0, 10.0, 34.0)
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": figure_id, "font.size": 12.0}
    ):
        figure, axes = _canvas(shape.width, row_height * len(rows), margins)
        _rows(axes, rows, row_height, shape)
        shares = [float(share) for share in shares_df["share"]]
        for at, (share, word) in enumerate(zip(shares, shares_df["word"], strict=True)):
            _bar(axes, share, str(word), at * row_height + head + (GAP + LANE) / 2)
        seen = [share for share in shares if not math.isnan(share)]
        low, high = max(min([0.0, *seen]), SHORTEST), min(max([1.0, *seen]), LONGEST)
        axes.set_xlim(low, high + (0.3 if high == LONGEST else 0.08))
        step = 0.25 if high - low < 1.5 else 0.5
        _ticks(axes, [at * step for at in range(-2, 9) if low <= at * step <= high], "")
        # Over the bars, under the names.
        axes.axvline(0.0, color=INK, lw=1.1, zorder=2.5)
        axes.axvline(0.5, color=INK, lw=1.1, ls=(0, (4, 3)), zorder=2.5)
        axes.axvline(1.0, color=INK, lw=1.1, zorder=2.5)
        svg = _svg(figure)
    return _for_page(svg, figure_id, {stand_in(0): f"var(--sys-{system})"}, title)


def _bar(axes: Axes, share: float, word: str, y: float) -> None:
    """One row's share; a word for one that cannot be drawn, or not to its end."""
    if math.isnan(share):
        axes.text(0.012, y, word, va="center", ha="left", size=11, color=SOFT)
        return
    drawn = min(max(share, SHORTEST), LONGEST)
    axes.barh(y, drawn, height=LANE, color=stand_in(0), zorder=2)
    if drawn != share:
        end = max(drawn, 0.0) + 0.02
        axes.text(end, y, word, va="center", ha="left", size=11, color=INK, zorder=4)


def _canvas(
    width: float, height: float, margins: tuple[float, float, float, float]
) -> tuple[Figure, Axes]:
    """An axes of exact size: y grows downwards, one unit a CSS pixel."""
    left, right, top, bottom = margins
    whole = height + top + bottom
    figure = Figure(figsize=(width * PX, whole * PX))
    axes = figure.add_axes(
        (left / width, bottom / whole, 1 - (left + right) / width, height / whole)
    )
    axes.set_ylim(height, 0)
    axes.patch.set_visible(False)
    figure.patch.set_visible(False)
    for side in ("top", "left", "right", "bottom"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _beside(rows: Sequence[str]) -> float:
    """Room for the longest name to the left of the lanes."""
    return 20.0 + 7.0 * max(len(row) for row in rows)


def _rows(axes: Axes, rows: Sequence[str], row_height: float, shape: Shape) -> None:
    """Names, and a band behind every other row."""
    axes.set_yticks([])
    for at, row in enumerate(rows):
        top = at * row_height
        if at % 2 == 0:
            axes.axhspan(top, top + row_height, facecolor=BAND, edgecolor="none", zorder=0)
        inside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "color": INK}
        if shape.names_above:
            inside["bbox"] = {
                "facecolor": PAGE if at % 2 else BAND,
                "edgecolor": "none",
                "pad": 1.5,
            }
            axes.text(0.012, top + 15, row, va="baseline", ha="left", size=12, **inside)
        else:
            middle = top + row_height / 2
            axes.text(-0.012, middle, row, va="center", ha="right", size=12.5, **inside)


def _lane(axes: Axes, lane_df: pd.DataFrame, color: str) -> None:
    """One system: its filled and hollow dots, joined where a row has both."""
    for _, pair_df in lane_df.dropna(subset=["ratio"]).groupby("row", sort=False):
        if len(pair_df) == 2:
            axes.plot(pair_df["ratio"], pair_df["y"], color=color, lw=1.1, alpha=0.55, zorder=2)
    for source, filled in (("paper", False), ("ours", True)):
        sns.scatterplot(
            data=lane_df[lane_df["source"] == source],
            x="ratio",
            y="y",
            ax=axes,
            s=34 if filled else 30,
            facecolor=color if filled else "none",
            edgecolor=color,
            linewidth=1.3,
            legend=False,
            zorder=4 if filled else 3,
        )


def _scale(axes: Axes, ratios: pd.Series[float], shape: Shape) -> None:
    """A log axis around the data, always with native's own 1 on it."""
    seen = [float(ratio) for ratio in ratios if ratio > 0 and math.isfinite(ratio)] or [1.0]
    low, high = min(*seen, 0.8), max(*seen, 2.0)
    axes.set_xscale("log")
    axes.set_xlim(low / 1.12, high * 1.18)
    inside = [tick for tick in TICKS if low / 1.12 <= tick <= high * 1.18]
    most = 6 if shape.names_above else 12
    decades = [tick for tick in inside if math.isclose(math.log10(tick) % 1, 0, abs_tol=1e-9)]
    _ticks(axes, inside if len(inside) <= most else decades, "×")
    axes.axvline(1.0, color=INK, lw=1.1, zorder=1.5)


def _ticks(axes: Axes, at: Sequence[float], unit: str) -> None:
    """Numbers below, a thin line up from each."""
    axes.xaxis.set_major_locator(FixedLocator(at))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}{unit}"))
    axes.tick_params(axis="x", length=0, labelsize=11, labelcolor=SOFT, pad=6)
    axes.grid(axis="x", color=LINE, lw=0.8, zorder=1)
    axes.set_xlabel("")
    axes.set_ylabel("")


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg")
    return out.getvalue()


def _for_page(svg: str, figure_id: str, palette: Mapping[str, str], title: str) -> str:
    """Matplotlib's file -> an element of the page: no prolog, no size, ids of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    view = re.search(r'viewBox="[^"]*"', svg)
    assert view is not None, "matplotlib wrote no viewBox"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{view.group()} role="img" aria-label="{escape(title)}">'
    )
    svg = opening + svg[svg.index(">") + 1 :]
    svg = re.sub(r'\bid="', f'id="{figure_id}-', svg)
    svg = svg.replace("url(#", f"url(#{figure_id}-").replace('href="#', f'href="#{figure_id}-')
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    for color, variable in {**REPLACED, **palette}.items():
        svg = svg.replace(color, variable)
    return re.sub(r"\n\s*", "\n", svg).strip()
