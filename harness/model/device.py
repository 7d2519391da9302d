"""The devices a workload may need, as one system's guest sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The axis of a point that chooses the data disk.
DISK_AXIS = "disk"


@dataclass(frozen=True, slots=True)
class Disk:
    """A speed of the data disk: the time of every request, and the rate of all together."""

    latency_ns: int
    rate_mib_s: int


@dataclass(frozen=True, slots=True)
class Device:
    """What the guest kernel calls it (two names for `net`), the modules that bring it up, in the
    order they are loaded, and the words it adds to the line of the kernel the machine loads."""

    name: str
    modules: tuple[str, ...]
    append: str


@dataclass(frozen=True, slots=True)
class Devices:
    """Devices by need. `parts` join the workload's part of what is booted where any is needed."""

    parts: tuple[str, ...] = ()
    by_need: Mapping[str, Device] = field(default_factory=dict)
