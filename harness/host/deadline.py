"""A point on the monotonic clock, handed down instead of timeout numbers."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at_s` is on `time.monotonic()`'s scale."""

    at_s: float

    @classmethod
    def after(cls, seconds_s: float) -> Deadline:
        return cls(time.monotonic() + seconds_s)

    @property
    def left_s(self) -> float:
        return max(0.0, self.at_s - time.monotonic())

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self.at_s
