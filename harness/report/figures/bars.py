"""The figure of groups: in each a bar for every system, its height the performance relative to
native, and around it the outline of the paper's.

Wide, the groups stand side by side and bars grow upwards, as the paper draws them; narrow, they
stand below each other and bars grow to the right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from harness.report.figures.canvas import (
    BAND,
    INK,
    LINE,
    PAGE,
    SOFT,
    Margins,
    Shape,
    canvas,
    for_page,
    stand_in,
    style,
)

BAR_COLUMNS = ("group", "system", "ours", "low", "high", "paper", "text", "hole")
LETTERS = 10.0  # CSS pixels, the size of a bar's number
LETTER = 5.9  # a letter's width at most
HIGHEST = 1.5  # a bar beyond is cut there, and its number says how high it is
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
BAR, OUTLINE = 0.5, 0.8  # of a lane's width


@dataclass(frozen=True, slots=True)
class Frame:
    """From (group, lane, performance) to CSS pixels: the only place that knows which way bars
    grow."""

    upwards: bool
    room: float  # across, for one group
    head: float  # across, before a group's first lane
    lane: float
    unit: float  # along, for a performance of 1
    length: float  # along, for the whole axis

    def across(self, group: int, lane: float) -> float:
        return self.room * group + self.head + self.lane * lane

    def point(self, across: float, along: float) -> tuple[float, float]:
        return (across, self.length - along) if self.upwards else (along, across)

    def box(self, middle: float, width: float, start: float, end: float) -> Rectangle:
        """From `start` to `end` along the axis."""
        left, top = self.point(middle - width / 2, end if self.upwards else start)
        size = (width, end - start) if self.upwards else (end - start, width)
        return Rectangle((left, top), *size)

    def line(self, axes: Axes, along: float, start: float, end: float, **how: Any) -> None:  # noqa: ANN401
        """Across the figure at one performance."""
        xs, ys = zip(self.point(start, along), self.point(end, along), strict=True)
        axes.plot(xs, ys, solid_capstyle="butt", **how)


def bar_figure(
    bars_df: pd.DataFrame,
    *,
    groups: Sequence[tuple[str, str]],
    systems: Sequence[str],
    figure_id: str,
    shape: Shape,
    title: str,
    told: str,
) -> str:
    """`bars_df` has BAR_COLUMNS: `text` stands on a bar; where it is a `hole`, in its place.
    `groups` are names and the units of their numbers; `told` is the figure in words. Returns an
    <svg>."""
    assert tuple(bars_df.columns) == BAR_COLUMNS, list(bars_df.columns)
    highest = _highest([*bars_df["ours"], *bars_df["paper"]])
    frame, width, height, margins = _layout(shape, len(groups), len(systems), highest)
    with style(figure_id):
        figure, axes = canvas(shape.width, height, margins)
        axes.set_xlim(0, width)
        axes.set_xticks([])
        axes.set_yticks([])
        _scale(axes, frame, len(groups), highest)
        for at, (name, unit) in enumerate(groups):
            _name(axes, frame, at, name, unit)
            group_df = bars_df[bars_df["group"] == name]
            for bar in group_df.itertuples(index=False):
                lane = list(systems).index(str(bar.system))
                _bar(axes, frame, frame.across(at, lane + 0.5), bar, stand_in(lane))
        return for_page(figure, figure_id, systems, title, told)


def _highest(seen: Sequence[float]) -> float:
    return min(max([1.0, *(it for it in seen if not math.isnan(it))]), HIGHEST)


def _layout(
    shape: Shape, groups: int, systems: int, highest: float
) -> tuple[Frame, float, float, Margins]:
    """The frame, the width and height inside the margins, and these."""
    if shape.names_above:
        margins = (10.0, 8.0, 22.0, 8.0)
        width, lane, head = shape.width - 18.0, 15.0, 24.0
        room = head + lane * systems + 9.0
        unit = (width - 62.0) / highest
        return Frame(False, room, head, lane, unit, width), width, room * groups, margins
    margins = (40.0, 6.0, 4.0, 44.0)
    width = shape.width - 46.0
    room = width / groups
    lane = min((room - 12.0) / systems, 24.0)
    height = 250.0
    frame = Frame(True, room, (room - lane * systems) / 2, lane, (height - 58.0) / highest, height)
    return frame, width, height, margins


def _scale(axes: Axes, frame: Frame, groups: int, highest: float) -> None:
    """A band behind every other group, a line at each tick, native's own 1 in ink."""
    end = frame.room * groups
    for at in range(0, groups, 2):
        band = frame.box(frame.room * (at + 0.5), frame.room, 0, frame.length)
        band.set(facecolor=BAND, edgecolor="none", zorder=0)
        axes.add_patch(band)
    for tick in (it for it in TICKS if it <= highest + 1e-9):
        strong = tick in (0.0, 1.0)
        color, wide = (INK, 1.1) if strong else (LINE, 0.8)
        frame.line(axes, frame.unit * tick, 0, end, color=color, lw=wide, zorder=1)
        x, y = frame.point(0, frame.unit * tick)
        beside: dict[str, Any] = {"ha": "right", "va": "center"}
        if not frame.upwards:
            beside = {"ha": "center", "va": "bottom"}
        x, y = (x - 7, y) if frame.upwards else (x, y - 5)
        axes.text(x, y, f"{tick:g}×", size=11, color=SOFT, **beside)


def _name(axes: Axes, frame: Frame, at: int, name: str, unit: str) -> None:
    if frame.upwards:
        middle = frame.room * (at + 0.5)
        axes.text(middle, frame.length + 17, name, ha="center", va="baseline", size=12, color=INK)
        axes.text(middle, frame.length + 33, unit, ha="center", va="baseline", size=11, color=SOFT)
        return
    top = frame.room * at + 16
    backing = {"facecolor": PAGE if at % 2 else BAND, "edgecolor": "none", "pad": 1.5}
    label = f"{name}, {unit}" if unit else name
    axes.text(4, top, label, va="baseline", size=12, color=INK, bbox=backing, zorder=2)


def _bar(axes: Axes, frame: Frame, middle: float, bar: Any, color: str) -> None:  # noqa: ANN401
    """Ours filled, with a line over it from the least to the greatest under perturbations; the
    paper's as an outline; the number, or the word in its place."""
    ours, paper = (0.0 if math.isnan(it) else it for it in (bar.ours, bar.paper))
    end, theirs = (frame.unit * min(it, HIGHEST) for it in (ours, paper))
    if theirs:
        outline = frame.box(middle, frame.lane * OUTLINE, 0, theirs)
        outline.set(facecolor="none", edgecolor=color, linewidth=1.1, zorder=3)
        axes.add_patch(outline)
    if ours:
        filled = frame.box(middle, frame.lane * BAR, 0, end)
        filled.set(facecolor=color, edgecolor="none", zorder=4)
        axes.add_patch(filled)
    if bar.high > bar.low:
        low, high = (frame.unit * min(it, HIGHEST) for it in (bar.low, bar.high))
        moved = frame.box(middle, 1.6, low, high)
        moved.set(facecolor=INK, edgecolor="none", zorder=5)
        axes.add_patch(moved)
    text = f"{bar.text} ({ours:.1f}×)" if ours > HIGHEST else str(bar.text)
    x, y = frame.point(middle, clear_of(end, LETTER * len(text), (theirs, frame.unit)) + 4)
    turned: dict[str, Any] = {"rotation": 90, "ha": "center", "va": "bottom"}
    if not frame.upwards:
        turned = {"ha": "left", "va": "center"}
    ink = SOFT if bar.hole else INK
    axes.text(x, y, text, size=LETTERS, color=ink, zorder=6, **turned)


def clear_of(end: float, length: float, lines: Sequence[float]) -> float:
    """Where a text of this length may begin: at the bar's end, or at the next line beyond it that
    it would otherwise run across."""
    start = end
    for line in sorted(lines):
        if start < line < start + length + 8:
            start = line
    return start
