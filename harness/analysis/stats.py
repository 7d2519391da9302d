"""Samples -> values -> ratios. Values are kept in ns per operation or bytes per second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from harness.model.record import Sample
from harness.model.workload import MetricKind

NS_PER_S = 1_000_000_000


def sample_value(sample: Sample, kind: MetricKind) -> float:
    """One sample's value; NaN for a rate over no time at all.

    A latency may come out at or below zero when the method's own cost was larger than what it
    timed. It is kept as it is: `ratio` refuses it.
    """
    elapsed_ns = sample.total_ns - sample.overhead_ns
    if kind is MetricKind.LATENCY:
        return elapsed_ns / sample.count
    return sample.count * NS_PER_S / elapsed_ns if elapsed_ns > 0 else math.nan


def middle(values: Sequence[float]) -> float:
    """The median of a cell's repetitions; NaN of none."""
    return float(median(values)) if values else math.nan


def ratio(value: float, base: float) -> float:
    """`value / base`; NaN unless both are above zero, since nothing else can be compared."""
    return value / base if value > 0 and base > 0 else math.nan
