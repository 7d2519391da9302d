"""A system of the catalogue: how the guest root is brought up on the emulated PC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.device import Devices
from harness.model.limits import Limits
from harness.model.workload import Workload

WORKLOAD_PART = "{workload}"


@dataclass(frozen=True, slots=True)
class BootModule:
    """One multiboot module: files of the image, joined, and the arguments behind its name."""

    files: tuple[str, ...]
    args: str


@dataclass(frozen=True, slots=True)
class Boot:
    """What QEMU is told to load. Files are relative to the image's artefact directory.

    `{run}` in `append` or in a module's arguments is replaced by the words that tell the
    guest what to run. `initrd` and each module are parts, joined when a machine starts; a part
    with `{workload}` in its name is the one of the workload that runs.
    """

    kernel: str
    append: str
    initrd: tuple[str, ...]
    modules: tuple[BootModule, ...]

    def of(self, workload: str, beside: tuple[str, ...] = ()) -> Boot:
        """With the parts of this workload, those of `beside` before them; for "" without."""

        def chosen(parts: tuple[str, ...]) -> tuple[str, ...]:
            found: list[str] = []
            for part in parts:
                if WORKLOAD_PART not in part:
                    found.append(part)
                elif workload:
                    found += [it.replace(WORKLOAD_PART, workload) for it in (*beside, part)]
            return tuple(found)

        return Boot(
            kernel=self.kernel,
            append=self.append,
            initrd=chosen(self.initrd),
            modules=tuple(BootModule(chosen(it.files), it.args) for it in self.modules),
        )

    @property
    def files(self) -> tuple[str, ...]:
        """All that is loaded, in the order it is named."""
        modules = (name for module in self.modules for name in module.files)
        return (self.kernel, *self.initrd, *modules)


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
    this in the geometric mean, and in the worst row; and of native's performance: at least this
    on so many of an experiment's groups, and on none below its reference. None is no target."""

    overhead_mean: float | None = None
    overhead_worst: float | None = None
    performance: float | None = None
    performance_groups: int = 0


@dataclass(frozen=True, slots=True)
class OwnerTable:
    """Where in its memory a hypervisor says who owns a page: `entry` bytes for each physical one,
    in the order of their addresses, with the owner's name in the four at `at`."""

    address: int
    entry: int
    at: int


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file of the image: out of which file of the unpacked packages, and how it is made.

    `source` is a pattern that one file must match; `how` is a word of the image's recipe.
    """

    name: str
    source: str
    how: str


@dataclass(frozen=True, slots=True)
class Ingredients:
    """Debian packages a system is made from: unpacked, to take `artefacts` out of them, or
    installed where its overlay is made."""

    unpack: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    artefacts: tuple[Artefact, ...] = ()


@dataclass(frozen=True, slots=True)
class System:
    """One row of the catalogue. `stands_for` is the paper's column it is compared with;
    `reference` the system of the catalogue whose overhead its own is held against; `unable` maps
    workloads it cannot run, whatever its devices, to the reason; `owners` tells its domains apart
    where what they execute is counted."""

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
    ingredients: Ingredients = Ingredients()
    devices: Devices = Devices()
    owners: OwnerTable | None = None

    def cannot(self, workload: Workload) -> str:
        """Why it cannot run the workload; "" if it can."""
        lacking = [need for need in workload.needs if need not in self.devices.by_need]
        without = f"it has no device for '{lacking[0]}'" if lacking else ""
        return self.unable.get(workload.id, without)
