"""What all figures share: an SVG text to stand inside the page; same data, same bytes.

A figure knows no page colour. It is drawn in stand-in colours, which are then replaced by
`currentColor` and by the page's CSS variables, so one figure serves light, dark and print.
Letters stay letters (searchable, in the page's own font); the legend is the page's business.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib
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

Margins = tuple[float, float, float, float]


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


@contextmanager
def style(figure_id: str) -> Iterator[None]:
    """Letters as letters, and ids that depend on nothing but the figure's own."""
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": figure_id, "font.size": 12.0}
    ):
        yield


def row_margins(rows: Sequence[str], shape: Shape) -> Margins:
    """Left, right, top, bottom of a figure of rows: room for their names beside them."""
    beside = 20.0 + 7.0 * max(len(row) for row in rows)
    return (14.0, 14.0, 10.0, 34.0) if shape.names_above else (beside, 16.0, 10.0, 34.0)


def canvas(width: float, height: float, margins: Margins) -> tuple[Figure, Axes]:
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


def draw_rows(axes: Axes, rows: Sequence[str], row_height: float, shape: Shape) -> None:
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


def x_ticks(axes: Axes, at: Sequence[float], text: Callable[[float], str]) -> None:
    """Numbers below, a thin line up from each."""
    axes.xaxis.set_major_locator(FixedLocator(at))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: text(tick)))
    axes.tick_params(axis="x", length=0, labelsize=11, labelcolor=SOFT, pad=6)
    axes.grid(axis="x", color=LINE, lw=0.8, zorder=1)
    axes.set_xlabel("")
    axes.set_ylabel("")


def for_page(
    figure: Figure, figure_id: str, systems: Sequence[str], title: str, told: str = ""
) -> str:
    """A drawn figure -> an element of the page: no prolog, no size, ids of its own. The systems
    are in the order of their stand-in colours; `told` is the figure in words, if its title is not
    enough."""
    out = io.StringIO()
    figure.savefig(out, format="svg")
    svg = out.getvalue()
    palette = {stand_in(at): f"var(--sys-{system})" for at, system in enumerate(systems)}
    return _element(svg[svg.index("<svg") :], figure_id, palette, title, told)


def _element(svg: str, figure_id: str, palette: Mapping[str, str], title: str, told: str) -> str:
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    view = re.search(r'viewBox="[^"]*"', svg)
    assert view is not None, "matplotlib wrote no viewBox"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{view.group()} role="img" aria-label="{escape(title)}"'
    )
    # Ids get the figure's own before them further down.
    words = f'<desc id="told">{escape(told)}</desc>' if told else ""
    opening += f' aria-describedby="{figure_id}-told">{words}' if told else ">"
    svg = opening + svg[svg.index(">") + 1 :]
    svg = re.sub(r'\bid="', f'id="{figure_id}-', svg)
    svg = svg.replace("url(#", f"url(#{figure_id}-").replace('href="#', f'href="#{figure_id}-')
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    for color, variable in {**REPLACED, **palette}.items():
        svg = svg.replace(color, variable)
    return re.sub(r"\n\s*", "\n", svg).strip()
