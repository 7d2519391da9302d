"""Samples to values to ratios."""

from __future__ import annotations

import math

from harness.analysis.stats import Estimate, at_seed, median, ratio, sample_value
from harness.model.record import Phase, Sample
from harness.model.unit import MetricKind


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


def test_an_amount_is_what_was_counted() -> None:
    assert sample_value(sample(4096, 2_000, 1_000), MetricKind.AMOUNT) == 4096.0


def test_a_share_is_a_part_of_the_time() -> None:
    assert sample_value(sample(250, 1_000, 0), MetricKind.SHARE) == 0.25
    assert math.isnan(sample_value(sample(250, 0, 0), MetricKind.SHARE))


def test_median() -> None:
    assert median([9.0, 1.0, 2.0]) == 2.0
    assert median([1.0, 2.0]) == 1.5
    assert math.isnan(median([]))


def test_an_estimate_is_of_the_unperturbed_cell_and_reaches_over_all() -> None:
    found = Estimate.of({0: 2.0, 1: 1.5, 2: 2.25, 3: math.nan})
    assert (found.value, found.low, found.high, found.variants) == (2.0, 1.5, 2.25, 3)
    assert found.spread == 0.75
    assert Estimate.of({0: 2.0}).spread == 0.0


def test_without_the_unperturbed_cell_there_is_no_number() -> None:
    assert Estimate.of({1: 2.0}).missing
    assert Estimate.of({}).missing and Estimate.of({0: math.nan, 1: 1.0}).variants == 0


def test_a_seed_that_was_not_measured_takes_the_unperturbed_number() -> None:
    assert at_seed({0: 1.0, 2: 3.0}, 2) == 3.0
    assert at_seed({0: 1.0, 2: 3.0}, 1) == 1.0
    assert math.isnan(at_seed({}, 1))
