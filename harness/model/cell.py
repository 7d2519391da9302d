"""A cell: one workload, with its parameters, on one system, on one testbed.

Its identity is the SHA-256 of everything that can change its numbers. Nothing of the host and
nothing about when or why it runs is part of it, so two hosts name the same cell alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


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
class Cell:
    """One point of the matrix."""

    system: str
    workload: str
    inputs: CellInputs
    id: str

    @classmethod
    def of(cls, *, system: str, workload: str, inputs: CellInputs) -> Cell:
        return cls(system=system, workload=workload, inputs=inputs, id=inputs.identity())

    @property
    def name(self) -> str:
        """For people; the identity is what counts."""
        return f"{self.workload}@{self.system}"
