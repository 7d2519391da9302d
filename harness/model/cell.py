"""A cell: one workload at one point, with its parameters, on one system, on one testbed.

Its identity is the SHA-256 of everything that can change its numbers. Nothing of the host and
nothing about when or why it runs is part of it, so two hosts name the same cell alike. Beside the
identity a cell carries all it takes to run it, so nothing needs to be looked up again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from harness.model.limits import Limits
from harness.model.point import Point


@dataclass(frozen=True, slots=True)
class CellInputs:
    """All that can change a cell's numbers; `files` maps artefact names to SHA-256."""

    record_schema: int
    testbed: str
    emulator: str
    argv: tuple[str, ...]
    files: Mapping[str, str]
    workload: str
    params: Mapping[str, int]

    def identity(self) -> str:
        """SHA-256, in hex, of the canonical JSON of these inputs."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Where a cell lies in the matrix, in the words of the catalogue."""

    system: str
    workload: str
    profile: str
    point: Point = Point()

    def __str__(self) -> str:
        """For people: `lmbench-memory on xen`, `pipe-bandwidth on native at block=4096`."""
        name = f"{self.workload} on {self.system}"
        return f"{name} at {self.point}" if self.point else name


@dataclass(frozen=True, slots=True)
class Run:
    """How a cell is run: memory of its machine, limits until the workload begins and in all,
    and the metrics it must print."""

    memory_mib: int
    boot: Limits
    total: Limits
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: where it lies, how it is run, and its identity."""

    at: Coordinates
    run: Run
    inputs: CellInputs
    id: str

    @classmethod
    def of(cls, *, at: Coordinates, run: Run, inputs: CellInputs) -> Cell:
        return cls(at=at, run=run, inputs=inputs, id=inputs.identity())
