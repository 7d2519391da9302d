"""Numbers -> text, one way for the whole report. No arithmetic is left to the templates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.analysis.stats import Estimate
from harness.model.unit import MetricKind, Unit

MISSING = "–"
THIN = "\u202f"  # narrow no-break space, between thousands and before a unit
LADDER = (("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9))
MOST = 9999.5  # in one step of the ladder, before the next is taken


def significant(number: float) -> str:
    """At least three significant digits, never more than three decimals."""
    if math.isnan(number):
        return MISSING
    return _fixed(number, _decimals(number))


def _decimals(number: float) -> int:
    size = abs(number)
    return 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3


def _fixed(number: float, decimals: int) -> str:
    return f"{number:,.{decimals}f}".replace(",", THIN).replace("-", "−")


def ratio_text(ratio: float) -> str:
    """`3.15×`: how many times native."""
    return MISSING if math.isnan(ratio) else f"{_fixed(ratio, _ratio_decimals(ratio))}×"


def _ratio_decimals(ratio: float) -> int:
    return 2 if 0.995 <= ratio < 9.995 else _decimals(ratio)


def spread_text(estimate: Estimate) -> str:
    """`±0.02`: how far perturbations move a ratio at most, in the digits it is written in and
    never understated; "" if nothing moves it."""
    if estimate.missing or not estimate.spread:
        return ""
    decimals = _ratio_decimals(estimate.value)
    step = 10.0**-decimals
    furthest = max(estimate.high - estimate.value, estimate.value - estimate.low)
    return f"±{_fixed(math.ceil(furthest / step - 1e-9) * step, decimals)}"


def range_text(estimate: Estimate) -> str:
    """`0.066 to 0.070`: the least and the greatest under perturbations; "" if nothing moves it."""
    if estimate.missing or not estimate.spread:
        return ""
    return f"{significant(estimate.low)} to {significant(estimate.high)}"


def exact_range(estimate: Estimate) -> str:
    """The same with more digits and the number of variants, for whoever points at it."""
    if estimate.missing or not estimate.spread:
        return ""
    return f"{estimate.low:.6f} to {estimate.high:.6f} in {estimate.variants} variants"


def value_text(value: float, unit: Unit) -> str:
    """A value in its unit; a time on a ladder in a larger one where the number would have more
    than four digits."""
    if math.isnan(value):
        return MISSING
    symbol, scale = _step(value, unit)
    return f"{_digits(value / scale, unit)}{THIN if symbol else ''}{symbol}"


def in_one_unit(values: Sequence[float], unit: Unit) -> tuple[str, tuple[str, ...]]:
    """Values that stand beside each other: the symbol that suits the first there is, and each
    in it, bare."""
    there = [value for value in values if not math.isnan(value)]
    symbol, scale = _step(there[0], unit) if there else (unit.symbol, unit.scale)
    return symbol, tuple(
        MISSING if math.isnan(value) else _digits(value / scale, unit) for value in values
    )


def axis_text(value: int, unit: Unit) -> str:
    """A value of an axis, without its unit, which stands in the axis' title."""
    return _digits(value / unit.scale, unit)


def _step(value: float, unit: Unit) -> tuple[str, float]:
    if not unit.ladder:
        return unit.symbol, unit.scale
    steps = [step for step in LADDER if step[1] >= unit.scale]
    return next((step for step in steps if abs(value) / step[1] < MOST), steps[-1])


def _digits(number: float, unit: Unit) -> str:
    """A whole amount is written whole."""
    whole = unit.kind is MetricKind.AMOUNT and number.is_integer()
    return _fixed(number, 0) if whole else significant(number)


def exact_text(value: float, unit: Unit) -> str:
    """The value with all its digits, for whoever points at it: a time in ns, all else in its
    unit."""
    if math.isnan(value):
        return ""
    if unit.kind is MetricKind.LATENCY:
        return f"{value:.3f} ns"
    return f"{value / unit.scale:.6f} {unit.symbol}".rstrip()


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
