"""A study: everything a report, a verdict or a table is made from, in one frozen value.

The catalogue is handed in (`cli` loads it), the frames are built here. What asks for a number
asks the study, by system and `MetricRef`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.analysis import frame
from harness.analysis.frame import Frames
from harness.analysis.measurements import Measurements
from harness.analysis.stats import Estimate
from harness.errors import StoreError
from harness.model.cell import Coordinates
from harness.model.counts import Counts
from harness.model.experiment import Claim, Experiment, MetricRef, Series
from harness.model.point import Point
from harness.model.record import Record
from harness.model.system import System
from harness.model.workload import Metric, Workload


@dataclass(frozen=True, slots=True)
class Study:
    """Records of one profile beside the catalogue they were measured from; `counts` of those of
    its cells that were counted; `consoles` the end of what a cell said, by its id."""

    frames: Frames
    systems: Mapping[str, System]
    workloads: Mapping[str, Workload]
    experiments: tuple[Experiment, ...]
    claims: tuple[Claim, ...]
    counts: tuple[Counts, ...] = ()
    consoles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        records: Iterable[Record],
        *,
        systems: Mapping[str, System],
        workloads: Mapping[str, Workload],
        experiments: Sequence[Experiment],
        claims: Sequence[Claim],
        counts: Iterable[Counts] = (),
    ) -> Study:
        """`records` holds every attempt of the cells to study; which represents its cell is
        decided here. Raises StoreError if there are none or if they do not combine."""
        frames = frame.build(records, systems, workloads)
        if not frames.representatives:
            raise StoreError("there are no records to report", hint="measure first: rexen run")
        return cls(
            frames, systems, workloads, tuple(experiments), tuple(claims), _of_these(counts, frames)
        )

    @property
    def measured(self) -> Measurements:
        return self.frames.measured

    @property
    def base(self) -> System:
        """The system every ratio divides by."""
        return self.systems[self.measured.base]

    @property
    def profile(self) -> str:
        return self.records[0].profile

    @property
    def records(self) -> tuple[Record, ...]:
        """Of each cell the attempt that represents it."""
        return self.frames.representatives

    @property
    def ran(self) -> frozenset[str]:
        """The systems with any record."""
        return frozenset(record.system for record in self.records)

    def value(self, system: str, ref: MetricRef) -> Estimate:
        """In the natural unit of the metric's kind."""
        return self.measured.value(system, ref)

    def ratio(self, system: str, ref: MetricRef) -> Estimate:
        """How many times the base system's value."""
        return self.measured.ratio(system, ref)

    def metric(self, ref: MetricRef) -> Metric:
        """The catalogue's reader has made sure that it is declared."""
        metric = self.workloads[ref.workload].metric(ref.metric)
        assert metric is not None, ref
        return metric

    def record(self, system: str, workload: str, point: Point) -> Record | None:
        """The record that represents the cell here."""
        return self.frames.by_place.get(Coordinates(system, workload, self.profile, point))

    def systems_of(self, experiment: Experiment) -> tuple[System, ...]:
        """The systems an experiment is about, in the catalogue's order: those that it names,
        or that any of its cells are chosen on."""
        return tuple(
            one
            for one in self.systems.values()
            if (not experiment.systems or one.id in experiment.systems)
            and (not experiment.cells or any(it.wants(one.id) for it in experiment.cells))
        )

    def wanted(self) -> Iterator[Coordinates]:
        """The unperturbed cells that the experiments need, each once, without those that a
        system is unable to run."""
        seen: set[Coordinates] = set()
        for choice in (one for experiment in self.experiments for one in experiment.cells):
            for point in choice.points(self.profile):
                for system in self.systems.values():
                    at = Coordinates(system.id, choice.workload, self.profile, point)
                    if (
                        choice.wants(system.id)
                        and not system.cannot(self.workloads[choice.workload])
                        and at not in seen
                    ):
                        seen.add(at)
                        yield at

    def axis_points(self, experiment: Experiment, series: Series) -> tuple[Point, ...]:
        """Where a series is measured, along its axis; every other coordinate is as its
        reference says."""
        found = {
            point
            for choice in experiment.cells
            if choice.workload == series.ref.workload
            for point in choice.points(self.profile)
            if point.at(series.over) is not None
            and point.without(series.over) == series.ref.point.without(series.over)
        }
        return tuple(sorted(found, key=lambda it: it.at(series.over) or 0))


def _of_these(counts: Iterable[Counts], frames: Frames) -> tuple[Counts, ...]:
    """Those of the cells that are shown: other inputs execute something else."""
    shown = {record.cell_id for record in frames.representatives}
    return tuple(one for one in counts if one.cell_id in shown)
