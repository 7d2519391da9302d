"""Counts: what a cell's machine executed in the timed sections, by who executed it.

Time on the emulated PC is instructions and idle waiting; counts say whose instructions. `user` and
`kernel` are the measured guest's. `hypervisor` is what runs below a paravirtual kernel; where the
kernel itself has the processor, there is none. `beside` are other domains of the same hypervisor,
their kernels and their programs as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.cell import Coordinates
from harness.model.point import Point
from harness.model.record import Phase

COUNTS_VERSION = 1
INSTRUCTIONS = ("user", "kernel", "hypervisor", "beside")
# What happened, in the order of a table: `beside_hypercalls` are other domains', `cr3_loads` and
# `irets` are of whoever has the processor.
EVENTS = (
    "syscalls",
    "hypercalls",
    "beside_hypercalls",
    "page_faults",
    "interrupts",
    "exceptions",
    "cr3_loads",
    "tlb_flushes",
    "irets",
    "port_io",
    "halts",
)
NAMES = (*INSTRUCTIONS, *EVENTS)


@dataclass(frozen=True, slots=True)
class Work:
    """What was executed in so many timed sections; a number for each of NAMES."""

    sections: int
    counted: Mapping[str, int]

    @property
    def instructions(self) -> int:
        return sum(self.counted[name] for name in INSTRUCTIONS)


@dataclass(frozen=True, slots=True)
class CountedSample:
    """A sample of `count` operations, or bytes, and the work of its sections."""

    metric: str
    phase: Phase
    count: int
    work: Work


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one cell. `clock` is empty timed sections: what of every section is the method's own."""

    version: int
    cell_id: str
    system: str
    workload: str
    profile: str
    point: Mapping[str, int]
    clock: Work
    samples: tuple[CountedSample, ...]

    @property
    def at(self) -> Coordinates:
        return Coordinates(self.system, self.workload, self.profile, Point.of(self.point))
