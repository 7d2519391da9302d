"""Numbers -> text, one way for the whole report. No arithmetic is left to the templates."""

from __future__ import annotations

import math

MISSING = "–"
THIN = "\u202f"  # narrow no-break space, between thousands and before a unit
LADDER = (("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9))
LOWEST = {"ns": 0, "us": 1, "ms": 2}  # a metric's display unit, as a step of the ladder
MOST = 9999.5  # in one unit, before the next is taken


def significant(number: float) -> str:
    """At least three significant digits, never more than three decimals."""
    if math.isnan(number):
        return MISSING
    size = abs(number)
    decimals = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    text = f"{number:,.{decimals}f}".replace(",", THIN)
    return text.replace("-", "−")


def ratio_text(ratio: float) -> str:
    """`3.15×`: how many times native."""
    if math.isnan(ratio):
        return MISSING
    return f"{significant(ratio) if ratio < 0.995 or ratio >= 9.995 else f'{ratio:.2f}'}×"


def value_text(value: float, unit: str) -> str:
    """A natural value (ns, or bytes per second) in a metric's display unit, or in a larger
    one where the number would have more than four digits."""
    if math.isnan(value):
        return MISSING
    if unit == "MB/s":
        return f"{significant(value / 1e6)}{THIN}MB/s"
    steps = LADDER[LOWEST[unit] :]
    name, size = next((step for step in steps if abs(value) / step[1] < MOST), steps[-1])
    return f"{significant(value / size)}{THIN}{name}"


def exact_text(value: float, unit: str) -> str:
    """The natural value with all its digits, for whoever points at it."""
    if math.isnan(value):
        return ""
    natural = "B/s" if unit == "MB/s" else "ns"
    return f"{value:.3f} {natural}"


def seconds_text(seconds: float) -> str:
    """Wall or virtual time: `0.84 s`, `12.3 s`, `4 min 05 s`."""
    if math.isnan(seconds):
        return MISSING
    if seconds < 99.95:
        return f"{seconds:.2f}{THIN}s" if seconds < 9.995 else f"{seconds:.1f}{THIN}s"
    whole = round(seconds)
    return f"{whole // 60}{THIN}min{THIN}{whole % 60:02d}{THIN}s"


def percent_text(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}{THIN}%" if whole > 0 else MISSING


def count_text(number: int, one: str, many: str) -> str:
    """`1 cell`, `20 cells`."""
    return f"{number} {one if number == 1 else many}"
