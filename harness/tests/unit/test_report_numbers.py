"""How numbers are written, and that a system's colour can be seen."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from harness.report.colors import LEAST_DARK, LEAST_LIGHT, PAGE_DARK, PAGE_LIGHT, contrast, legible
from harness.report.figures import NARROW, POINT_COLUMNS, WIDE, ratio_figure
from harness.report.numbers import (
    count_text,
    percent_text,
    ratio_text,
    seconds_text,
    significant,
    value_text,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.1234, "0.123"),
        (0.9999, "1.00"),
        (1.005, "1.00"),
        (9.996, "10.0"),
        (99.96, "100"),
        (1234.5, "1 234"),
        (-20.04, "−20.0"),
        (math.nan, "–"),
    ],
)
def test_significant(number: float, text: str) -> None:
    assert significant(number).replace("\u202f", " ") == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.953, "0.953×"), (0.9951, "1.00×"), (1.0, "1.00×"), (54.94, "54.9×"), (math.nan, "–")],
)
def test_ratio(ratio: float, text: str) -> None:
    assert ratio_text(ratio) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (334.0, "us", "0.334 µs"),
        (334.0, "ns", "334 ns"),
        (9_999_400.0, "us", "9 999 µs"),
        (9_999_600.0, "us", "10.0 ms"),
        (21e9, "us", "21.0 s"),
        (-2e7, "us", "−20.0 ms"),
        (4.1e9, "MB/s", "4 100 MB/s"),
        (math.nan, "ms", "–"),
    ],
)
def test_value(value: float, unit: str, text: str) -> None:
    assert value_text(value, unit).replace("\u202f", " ") == text


def test_times_and_counts() -> None:
    assert seconds_text(0.842).replace("\u202f", " ") == "0.84 s"
    assert seconds_text(20.44).replace("\u202f", " ") == "20.4 s"
    assert seconds_text(125.0).replace("\u202f", " ") == "2 min 05 s"
    assert percent_text(1, 8).replace("\u202f", " ") == "12.5 %"
    assert percent_text(1, 0) == "–"
    assert (count_text(1, "cell", "cells"), count_text(3, "cell", "cells")) == ("1 cell", "3 cells")


@pytest.mark.parametrize("color", ["#ffffff", "#000000", "#f0e442", "#0072b2", "#4d4d4d"])
def test_any_colour_shows_on_either_page(color: str) -> None:
    assert contrast(legible(color, PAGE_LIGHT, LEAST_LIGHT), PAGE_LIGHT) >= LEAST_LIGHT
    assert contrast(legible(color, PAGE_DARK, LEAST_DARK), PAGE_DARK) >= LEAST_DARK


def test_a_colour_that_shows_is_left_alone() -> None:
    assert legible("#0072b2", PAGE_LIGHT, LEAST_LIGHT) == "#0072b2"


def points(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(POINT_COLUMNS))


def figure(points_df: pd.DataFrame, figure_id: str = "f") -> str:
    return ratio_figure(
        points_df,
        rows=["fork", "exec"],
        systems=["xen", "uml"],
        figure_id=figure_id,
        shape=WIDE,
        title="a <title>",
    )


PAIR = (("fork", "xen", "ours", 3.4), ("fork", "xen", "paper", 1.8))


def test_figure_leaves_colours_to_the_page() -> None:
    svg = figure(points(*PAIR, ("exec", "uml", "ours", 24.0), ("exec", "uml", "paper", math.nan)))
    assert "var(--sys-xen)" in svg and "var(--sys-uml)" in svg and "currentColor" in svg
    assert "#c0c0c" not in svg and "#a0b0" not in svg
    assert "a &lt;title&gt;" in svg
    assert "<metadata" not in svg and "<?xml" not in svg


def test_a_missing_ratio_is_not_drawn() -> None:
    """Dots and joining lines are paths in the system's colour."""
    both = figure(points(*PAIR)).count("var(--sys-xen)")
    alone = figure(points(PAIR[1], ("fork", "xen", "ours", math.nan))).count("var(--sys-xen)")
    none = figure(points(("fork", "xen", "ours", math.nan))).count("var(--sys-xen)")
    assert both > alone > none == 0


def test_figures_share_no_ids() -> None:
    one, other = figure(points(*PAIR), "one"), figure(points(*PAIR), "other")
    assert 'id="one-' in one and 'id="one-' not in other
    assert one.replace("one-", "").count("#other") == 0


def test_nothing_to_draw_is_still_a_figure() -> None:
    for shape in (WIDE, NARROW):
        svg = ratio_figure(
            points(), rows=["fork"], systems=[], figure_id="f", shape=shape, title="t"
        )
        assert ">1×<" in svg.replace("\n", "")
