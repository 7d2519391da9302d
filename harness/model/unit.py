"""Units: how a sample becomes a value, which way is better, and how a value is printed.

The units themselves are data, `workloads/units.toml`; a new one needs no code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """How a sample becomes a value, and what the value is in its natural unit."""

    LATENCY = "latency"  # (total - overhead) / count: ns per operation
    RATE = "rate"  # count in (total - overhead): per second
    AMOUNT = "amount"  # count itself
    SHARE = "share"  # count / total, both ns: a part of CPU time


class Better(StrEnum):
    """Which direction of change is an improvement."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Unit:
    """A value is printed as `value / scale symbol`. With `ladder` the symbol is the smallest of
    ns, us, ms, s to begin with, and a larger one is taken where the number would be long. With
    `bytes` a sample counts bytes, not operations."""

    id: str
    symbol: str
    kind: MetricKind
    better: Better
    scale: float
    ladder: bool
    bytes: bool = False
