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
class Driver:
    """What a kernel calls a device (two names for `net`), and the modules that bring it up, in the
    order they are loaded."""

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Device:
    """The device in the measured guest; in the first level, where the guest is not the kernel that
    the machine loads; and the words it adds to that kernel's line."""

    guest: Driver
    host: Driver | None = None
    append: str = ""


@dataclass(frozen=True, slots=True)
class Devices:
    """Devices by need. `parts` join the workload's part of what is booted where any is needed."""

    parts: tuple[str, ...] = ()
    by_need: Mapping[str, Device] = field(default_factory=dict)
