"""A record: what one run of a cell gave. Immutable; raw samples and warm-ups are kept.

`Outcome` is the part that must be the same bits on every host and at every repetition;
`HostSide` is the part that never is. `verify` compares the first and ignores the second.

History of the format
    1   first version
    2   `point`: the cell's place on its axes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from harness.model.cell import Coordinates
from harness.model.point import Point

SCHEMA_VERSION = 2

# The key of a record's host side that says how its inputs stand to inputs.lock, and what it says
# where nothing differs.
INPUTS = "inputs"
AS_LOCKED = "as locked"


class Status(StrEnum):
    """How a run ended. Everything but OK is a failed cell, which is a result too."""

    OK = "ok"
    BOOT = "boot"  # never reached the workload, but the machine stopped by itself
    PANIC = "panic"  # the guest kernel (or hypervisor) said so
    HANG = "hang"  # a deadline passed, virtual or wall
    WORKLOAD = "workload"  # the workload itself failed
    GARBAGE = "garbage"  # the console breaks the grammar
    ENGINE = "engine"  # container engine or QEMU failed
    OUT_OF_MEMORY = "out-of-memory"  # the container, or the guest, ran out


class Phase(StrEnum):
    """A warm-up is kept, and left out of every value."""

    WARM = "warm"
    RUN = "run"


class Purpose(StrEnum):
    """Why the cell was run."""

    MEASURE = "measure"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Sample:
    """`count` operations (latency) or bytes (rate) took `total_ns`, of which `overhead_ns` is the
    method's own, measured cost. Of an amount, `count` is the amount; of a share, `count` ns of
    `total_ns`."""

    metric: str
    phase: Phase
    rep: int
    count: int
    total_ns: int
    overhead_ns: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The deterministic part. `begun_ns` and `quiet_ns` are the guest's own clock when its
    init began and when its kernel had become quiet; `console_sha256` covers every console
    byte up to and with the end line."""

    status: Status
    reason: str
    samples: tuple[Sample, ...]
    facts: Mapping[str, str]
    begun_ns: int
    quiet_ns: int
    console_sha256: str


@dataclass(frozen=True, slots=True)
class HostSide:
    """What differs from run to run: wall clock, host, when."""

    started_at: str
    boot_wall_s: float
    total_wall_s: float
    machine_wall_s: float
    host: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """`inputs` is the cell's, as a plain mapping, so a record explains itself alone."""

    schema_version: int
    cell_id: str
    attempt: int
    purpose: Purpose
    system: str
    workload: str
    profile: str
    point: Mapping[str, int]
    inputs: Mapping[str, object]
    outcome: Outcome
    host: HostSide
    rerun: str

    @property
    def at(self) -> Coordinates:
        return _place(self.system, self.workload, self.profile, tuple(sorted(self.point.items())))

    @property
    def ok(self) -> bool:
        return self.outcome.status is Status.OK


@cache
def _place(
    system: str, workload: str, profile: str, point: tuple[tuple[str, int], ...]
) -> Coordinates:
    """One value for all who ask: a report asks some hundred times a record, and the same value
    is found in a mapping without being compared field by field."""
    return Coordinates(system, workload, profile, Point(point))
