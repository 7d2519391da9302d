"""Samples to values to ratios."""

from __future__ import annotations

import math

from harness.analysis.stats import middle, ratio, sample_value
from harness.model.record import Phase, Sample
from harness.model.workload import MetricKind


def sample(count: int, total_ns: int, overhead_ns: int) -> Sample:
    return Sample("m", Phase.RUN, 0, count, total_ns, overhead_ns)


def test_latency_takes_the_overhead_off() -> None:
    assert sample_value(sample(100, 40_300, 300), MetricKind.LATENCY) == 400.0


def test_rate_is_per_second() -> None:
    assert sample_value(sample(4096, 2_000, 1_000), MetricKind.RATE) == 4096 * 1e6


def test_rate_over_no_time_is_no_number() -> None:
    assert math.isnan(sample_value(sample(4096, 1_000, 1_000), MetricKind.RATE))


def test_latency_below_its_overhead_is_kept_and_has_no_ratio() -> None:
    value = sample_value(sample(10, 100, 300), MetricKind.LATENCY)
    assert value == -20.0
    assert math.isnan(ratio(value, 10.0))
    assert math.isnan(ratio(10.0, value))


def test_middle_is_the_median() -> None:
    assert middle([9.0, 1.0, 2.0]) == 2.0
    assert middle([1.0, 2.0]) == 1.5
    assert math.isnan(middle([]))
