"""A point: the named whole numbers that place a cell on its axes, beside system and workload.

A series over 1, 2, 4 ... 128 domains is one workload at eight points. One name is reserved:
`perturb` is the seed of a perturbation, which moves what must not matter (see `workloads/init`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PERTURB = "perturb"
TEXT = re.compile(r"[a-z][a-z0-9_]*=[0-9]+(,[a-z][a-z0-9_]*=[0-9]+)*")


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Pairs of name and value in order of name; spelled `block=4096,perturb=2`."""

    values: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, int]) -> Point:
        return cls(tuple(sorted(values.items())))

    @classmethod
    def parse(cls, text: str) -> Point:
        """The point of a spelling; "" is the empty one. Raises ValueError."""
        if not text:
            return cls()
        if not TEXT.fullmatch(text):
            raise ValueError(f"{text!r} is no point: must be like 'block=4096,perturb=2'")
        pairs = [pair.split("=") for pair in text.split(",")]
        values = {name: int(value) for name, value in pairs}
        if len(values) != len(pairs):
            raise ValueError(f"{text!r} names one axis twice")
        return cls.of(values)

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.values)

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def perturb(self) -> int:
        """The seed of the perturbation; 0 where there is none."""
        return dict(self.values).get(PERTURB, 0)

    @property
    def parameters(self) -> dict[str, int]:
        """What the workload's program is told: everything but the perturbation."""
        return {name: value for name, value in self.values if name != PERTURB}

    @property
    def unperturbed(self) -> Point:
        return self.without(PERTURB) if self.perturb else self

    def perturbed(self, seed: int) -> Point:
        """This point under a perturbation; seed 0 is none."""
        return Point.of({**self.parameters, PERTURB: seed}) if seed else self.unperturbed

    def without(self, axis: str) -> Point:
        return Point(tuple(pair for pair in self.values if pair[0] != axis))

    def at(self, axis: str) -> int | None:
        """The value on one axis; None if the point does not name it."""
        return dict(self.values).get(axis)
