"""Counts -> what one operation of a metric executes on a system, beside native and the reference.

An operation of a metric that counts bytes is a packet's worth of them. What reading the clock costs
in each timed section is taken off, as it was seen at the workload's start (later it may take some
28 instructions fewer, twice a section); what a workload itself subtracts (a null handler, a plain
loop) is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.analysis.frame import base_system
from harness.model.counts import INSTRUCTIONS, NAMES, CountedSample, Counts
from harness.model.point import Point
from harness.model.record import Phase
from harness.model.system import System
from harness.model.workload import Metric, Workload

PACKET_BYTES = 1500


@dataclass(frozen=True, slots=True)
class Operation:
    """What one operation executes; a number for each of NAMES. `over_base` and the shares of the
    reference's (of its whole, and of what it adds to native) are None where there is nothing to
    compare with."""

    workload: str
    point: Point
    metric: Metric
    system: str
    counted: Mapping[str, float]
    over_base: float | None = None
    share: float | None = None
    share_of_overhead: float | None = None

    @property
    def instructions(self) -> float:
        return sum(self.counted[name] for name in INSTRUCTIONS)

    @property
    def per(self) -> str:
        return f"{PACKET_BYTES} B" if self.metric.unit.bytes else "operation"


def operations(
    counts: Iterable[Counts],
    *,
    systems: Mapping[str, System],
    workloads: Mapping[str, Workload],
) -> list[Operation]:
    """One for each metric of each cell that was timed: the systems of a metric side by side, in
    the catalogue's order."""
    order = list(systems)
    by_place: dict[tuple[str, Point], dict[str, Counts]] = {}
    for one in sorted(counts, key=lambda it: order.index(it.system)):
        by_place.setdefault((one.workload, one.at.point), {})[one.system] = one
    found: list[Operation] = []
    for (name, point), by_system in sorted(by_place.items()):
        for metric in workloads[name].metrics:
            own = {
                system: _operation(one, point, metric)
                for system, one in by_system.items()
                if _run(one, metric)
            }
            found += [_compared(it, own, systems) for it in own.values()]
    return found


def _run(counts: Counts, metric: Metric) -> list[CountedSample]:
    return [it for it in counts.samples if it.metric == metric.id and it.phase is Phase.RUN]


def _operation(counts: Counts, point: Point, metric: Metric) -> Operation:
    run = _run(counts, metric)
    sections = sum(it.work.sections for it in run) / counts.clock.sections
    size = PACKET_BYTES if metric.unit.bytes else 1
    scale = size / sum(it.count for it in run)
    net = {
        name: sum(it.work.counted[name] for it in run) - sections * counts.clock.counted[name]
        for name in NAMES
    }
    counted = {name: number * scale for name, number in net.items()}
    return Operation(counts.workload, point, metric, counts.system, counted)


def _compared(
    one: Operation, by_system: Mapping[str, Operation], systems: Mapping[str, System]
) -> Operation:
    base, reference = (
        by_system.get(name) for name in (base_system(systems), systems[one.system].reference)
    )
    over_base = one.instructions - base.instructions if base and base is not one else None
    share, share_of_overhead = None, None
    if reference:
        share = one.instructions / reference.instructions
        added = reference.instructions - base.instructions if base else 0.0
        share_of_overhead = over_base / added if over_base is not None and added > 0 else None
    return replace(one, over_base=over_base, share=share, share_of_overhead=share_of_overhead)
