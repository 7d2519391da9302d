"""How long a machine may take before it counts as hung."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Virtual seconds of the machine's own clock, and wall seconds."""

    virtual_s: float
    wall_s: float

    def plus(self, other: Limits) -> Limits:
        return Limits(self.virtual_s + other.virtual_s, self.wall_s + other.wall_s)
