"""What was measured, by system, metric and seed of perturbation; and how systems are compared.

A seed moves what must not matter: where things lie, when the timer ticks. Seed 0 is the
unperturbed cell, whose number is *the* number; the other seeds say how far to trust it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from harness.analysis.stats import Estimate, at_seed, median, ratio, sample_value
from harness.errors import StoreError
from harness.model.experiment import MetricRef
from harness.model.record import Phase, Record
from harness.model.unit import MetricKind
from harness.model.workload import Metric, Workload

BySeed = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Measurements:
    """`by_place` maps (system, metric at its unperturbed point) to the value under each seed,
    in the natural unit of the metric's kind."""

    base: str
    by_place: Mapping[tuple[str, MetricRef], BySeed]

    def values(self, system: str, ref: MetricRef) -> BySeed:
        """Empty where nothing was measured."""
        return self.by_place.get((system, ref), {})

    def ratios(self, system: str, ref: MetricRef) -> BySeed:
        """Each variant divided by the base system *under the same seed*: what a perturbation
        moves in both is no difference between them. Where the base was not measured under a
        seed, its unperturbed value stands in."""
        base, mine = self.values(self.base, ref), self.values(system, ref)
        return {seed: ratio(value, at_seed(base, seed)) for seed, value in mine.items()}

    def extras(self, system: str, ref: MetricRef) -> BySeed:
        """Each variant minus the base system, paired as in `ratios`."""
        base, mine = self.values(self.base, ref), self.values(system, ref)
        return {seed: value - at_seed(base, seed) for seed, value in mine.items()}

    def value(self, system: str, ref: MetricRef) -> Estimate:
        return Estimate.of(self.values(system, ref))

    def ratio(self, system: str, ref: MetricRef) -> Estimate:
        return Estimate.of(self.ratios(system, ref))

    def extra(self, system: str, ref: MetricRef) -> Estimate:
        return Estimate.of(self.extras(system, ref))


def measurements(
    records: Iterable[Record], kind_of: Callable[[Record, str], MetricKind], base: str
) -> Measurements:
    """From one record of each cell; a failed one gives nothing. `kind_of` tells the kind of a
    record's metric."""
    found: dict[tuple[str, MetricRef], dict[int, float]] = defaultdict(dict)
    for record in records:
        point = record.at.point
        for metric, values in run_values(record, kind_of).items():
            ref = MetricRef(record.workload, metric, point.unperturbed)
            found[record.system, ref][point.perturb] = median(values)
    return Measurements(base, dict(found))


def run_values(
    record: Record, kind_of: Callable[[Record, str], MetricKind]
) -> dict[str, list[float]]:
    """The values of a good record's repetitions, without its warm-ups."""
    found: dict[str, list[float]] = defaultdict(list)
    for sample in record.outcome.samples if record.ok else ():
        if sample.phase is Phase.RUN:
            kind = kind_of(record, sample.metric)
            found[sample.metric].append(sample_value(sample, kind))
    return found


def metric_of(record: Record, metric_id: str, workloads: Mapping[str, Workload]) -> Metric:
    """What the catalogue says of a metric that a record has. Raises StoreError."""
    workload = workloads.get(record.workload)
    metric = workload.metric(metric_id) if workload else None
    if metric is None:
        raise StoreError(
            f"{record.at} measured '{metric_id}', which the catalogue does not declare",
            hint="the record is of another version of the workload; run the cell again",
        )
    return metric
