"""One of N parts of the cells, each of which may be measured on another host."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """`part` counts from 1 to `of`."""

    part: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From `2/4`. Raises ValueError."""
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        part, of = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= part <= of:
            raise ValueError(f"{text!r} is no shard: I/N with I from 1 to N, as in 2/4")
        return cls(part, of)

    def __str__(self) -> str:
        return f"{self.part}/{self.of}"
