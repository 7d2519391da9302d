"""How numbers are written, and that a system's colour can be seen."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from harness.analysis.stats import Estimate
from harness.catalogue.workloads import read_units
from harness.model.unit import Unit
from harness.paths import checkout_root
from harness.report.colors import LEAST_DARK, LEAST_LIGHT, PAGE_DARK, PAGE_LIGHT, contrast, legible
from harness.report.figures.canvas import NARROW, WIDE
from harness.report.figures.ratios import POINT_COLUMNS, ratio_figure
from harness.report.numbers import (
    count_text,
    exact_text,
    percent_text,
    range_text,
    ratio_text,
    seconds_text,
    significant,
    spread_text,
    value_text,
)

UNITS = read_units(checkout_root() / "workloads" / "units.toml")


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
        (334.0, UNITS["us"], "0.334 µs"),
        (334.0, UNITS["ns"], "334 ns"),
        (9_999_400.0, UNITS["us"], "9 999 µs"),
        (9_999_600.0, UNITS["us"], "10.0 ms"),
        (21e9, UNITS["us"], "21.0 s"),
        (-2e7, UNITS["us"], "−20.0 ms"),
        (4.1e9, UNITS["MB/s"], "4 100 MB/s"),
        (812.4, UNITS["tuples/s"], "812 tuples/s"),
        (128.0, UNITS["connections"], "128 connections"),
        (4.0, UNITS["score"], "4"),
        (4.5, UNITS["score"], "4.50"),
        (65536.0, UNITS["bytes"], "65 536 B"),
        (0.1234, UNITS["share"], "12.3 %"),
        (math.nan, UNITS["ms"], "–"),
    ],
)
def test_value(value: float, unit: Unit, text: str) -> None:
    assert value_text(value, unit).replace("\u202f", " ") == text


def test_exact_values_have_all_their_digits() -> None:
    assert exact_text(334.07, UNITS["us"]) == "334.070 ns"
    assert exact_text(4.1e9, UNITS["MB/s"]) == "4100.000000 MB/s"
    assert exact_text(4.0, UNITS["score"]) == "4.000000"
    assert exact_text(math.nan, UNITS["us"]) == ""


@pytest.mark.parametrize(
    ("low", "value", "high", "text", "ranged"),
    [
        (1.08, 1.08, 1.08, "", ""),
        (1.0799, 1.08, 1.08, "±0.01", "1.08 to 1.08"),
        (1.06, 1.08, 1.09, "±0.02", "1.06 to 1.09"),
        (0.980, 0.982, 0.9901, "±0.009", "0.980 to 0.990"),
        (23.0, 24.0, 24.4, "±1.0", "23.0 to 24.4"),
        (math.nan, math.nan, math.nan, "", ""),
    ],
)
def test_a_spread_is_written_in_the_digits_of_its_ratio_and_never_understated(
    low: float, value: float, high: float, text: str, ranged: str
) -> None:
    assert spread_text(Estimate(value, low, high, 3)) == text
    assert range_text(Estimate(value, low, high, 3)) == ranged


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
    """Ratios that nothing moves."""
    lines = [(*row, row[-1], row[-1]) for row in rows]
    return pd.DataFrame(lines, columns=list(POINT_COLUMNS))


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


def test_a_spread_is_a_bar_of_its_own() -> None:
    still = figure(points(PAIR[0])).count("var(--sys-xen)")
    lines = [("fork", "xen", "ours", 3.4, 3.1, 3.9)]
    moved = figure(pd.DataFrame(lines, columns=list(POINT_COLUMNS))).count("var(--sys-xen)")
    assert moved == still + 1


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
