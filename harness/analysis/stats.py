"""Samples -> values -> ratios, and how far a number moves under perturbations.

A value is in the natural unit of its kind: ns per operation, counted per second, the amount
itself, or a part of the time.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.model.record import Sample
from harness.model.unit import MetricKind

NS_PER_S = 1_000_000_000


def sample_value(sample: Sample, kind: MetricKind) -> float:
    """One sample's value; NaN for what was taken over no time at all.

    A latency may come out at or below zero when the method's own cost was larger than what it
    timed. It is kept as it is: `ratio` refuses it.
    """
    elapsed_ns = sample.total_ns - sample.overhead_ns
    if kind is MetricKind.LATENCY:
        return elapsed_ns / sample.count
    if kind is MetricKind.RATE:
        return sample.count * NS_PER_S / elapsed_ns if elapsed_ns > 0 else math.nan
    if kind is MetricKind.SHARE:
        return sample.count / sample.total_ns if sample.total_ns > 0 else math.nan
    return float(sample.count)


def median(values: Sequence[float]) -> float:
    """Of a cell's repetitions; NaN of none."""
    return float(statistics.median(values)) if values else math.nan


def ratio(value: float, base: float) -> float:
    """`value / base`; NaN unless both are above zero, since nothing else can be compared."""
    return value / base if value > 0 and base > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of the unperturbed cell, and the least and the greatest that it was in
    `variants` cells: that one and its perturbations. All NaN where there is no number."""

    value: float
    low: float
    high: float
    variants: int

    @classmethod
    def of(cls, by_seed: Mapping[int, float]) -> Estimate:
        """From the numbers by seed of perturbation; seed 0 is the unperturbed cell."""
        value = by_seed.get(0, math.nan)
        if math.isnan(value):
            return MISSING
        seen = [one for one in by_seed.values() if not math.isnan(one)]
        return cls(value, min(seen), max(seen), len(seen))

    @property
    def missing(self) -> bool:
        return math.isnan(self.value)

    @property
    def spread(self) -> float:
        """How far apart the variants are; 0 if there is but one."""
        return self.high - self.low


MISSING = Estimate(math.nan, math.nan, math.nan, 0)


def at_seed(by_seed: Mapping[int, float], seed: int) -> float:
    """The number under this perturbation, or the unperturbed one where it was not measured."""
    return by_seed.get(seed, by_seed.get(0, math.nan))
