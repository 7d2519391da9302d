"""A system of the catalogue: how the guest root is brought up on the emulated PC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.limits import Limits


@dataclass(frozen=True, slots=True)
class BootModule:
    """One multiboot module: a file of the image, and the arguments behind its name."""

    file: str
    args: str


@dataclass(frozen=True, slots=True)
class Boot:
    """What QEMU is told to load. Files are relative to the image's artefact directory.

    `{run}` in `append` or in a module's arguments is replaced by the words that tell the
    guest what to run.
    """

    kernel: str
    append: str
    initrd: str
    modules: tuple[BootModule, ...]

    @property
    def files(self) -> tuple[str, ...]:
        loaded = (self.kernel, self.initrd, *(module.file for module in self.modules))
        return tuple(name for name in loaded if name)


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """Where a system needs the emulated PC to differ from the testbed's default."""

    cpu: str
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Guest:
    """The measured guest: its memory, and the divisor of its loop counts."""

    memory_mib: int
    divide: int


@dataclass(frozen=True, slots=True)
class Targets:
    """What a system sets itself, as shares of its reference's overhead over native: at most
    this in the geometric mean, and in the worst row. None is no target."""

    overhead_mean: float | None = None
    overhead_worst: float | None = None


@dataclass(frozen=True, slots=True)
class System:
    """One row of the catalogue. `stands_for` is the paper's column it is compared with;
    `reference` the system of the catalogue whose overhead its own is held against; `unable` maps
    workloads it cannot run to the reason."""

    id: str
    title: str
    summary: str
    order: int
    stands_for: str
    color: str
    machine: MachineOptions
    boot: Boot
    guest: Guest
    limits: Limits
    caveat: str
    reference: str = ""
    targets: Targets = Targets()
    unable: Mapping[str, str] = field(default_factory=dict)
