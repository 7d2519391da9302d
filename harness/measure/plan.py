"""Experiments -> cells, in a seeded order; what is left out and why; what the rest will take."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.errors import BuildError, UsageError
from harness.measure.images.build import Image
from harness.measure.machines import devices
from harness.measure.machines.testbed import EMULATED_PC, container_argv, run_words
from harness.model.cell import Cell, CellInputs, Coordinates, Run
from harness.model.device import DISK_AXIS, Disk
from harness.model.experiment import Experiment
from harness.model.record import SCHEMA_VERSION
from harness.model.shard import Shard
from harness.model.system import System
from harness.model.workload import Workload

# A first guess for a cell never run here is this part of its boot limit; after that its own last
# wall time is used.
GUESSED_PART = 0.1
RECORD_BYTES = 60_000
ORDER_SEED = 2003

# The wall time of a cell hardly depends on its point.
Known = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A cell that is wanted and cannot be: the system's own reason."""

    system: str
    workload: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The cells to measure, in order, and what is left out."""

    cells: tuple[Cell, ...]
    excluded: tuple[Exclusion, ...]


def plan(
    *,
    experiments: Iterable[Experiment],
    systems: Iterable[System],
    workloads: Iterable[Workload],
    profile: str,
    image: Image,
    perturb: int | None = None,
) -> Plan:
    """The union of what these experiments need of these systems and workloads.

    `perturb` overrides how many perturbations of each cell are measured. Slow systems come first,
    so the last cell is a short one; otherwise the order is shuffled, the same way every time.
    """
    by_id = {workload.id: workload for workload in workloads}
    wanted: dict[Coordinates, None] = {}
    excluded: dict[tuple[str, str], Exclusion] = {}
    chosen = list(systems)
    limits = {system.id: system.limits.wall_s for system in chosen}
    for choice in (one for experiment in experiments for one in experiment.cells):
        for system in chosen:
            if choice.workload not in by_id or not choice.wants(system.id):
                continue
            reason = system.cannot(by_id[choice.workload])
            if reason:
                key = (system.id, choice.workload)
                excluded[key] = Exclusion(system.id, choice.workload, reason)
                continue
            seeds = choice.seeds(system.id, profile) if perturb is None else perturb
            for point in choice.points(profile):
                for seed in range(seeds + 1):
                    at = Coordinates(system.id, choice.workload, profile, point.perturbed(seed))
                    wanted[at] = None
    order = sorted(wanted, key=str)
    random.Random(ORDER_SEED).shuffle(order)
    order.sort(key=lambda at: -limits[at.system])
    known = {system.id: system for system in chosen}
    cells = [
        make_cell(system=known[at.system], workload=by_id[at.workload], at=at, image=image)
        for at in order
    ]
    return Plan(tuple(cells), tuple(excluded.values()))


def make_cell(*, system: System, workload: Workload, at: Coordinates, image: Image) -> Cell:
    """One cell, of a workload the system can run. Raises BuildError if the image lacks a file the
    system boots, UsageError for a disk that is none."""
    needs = workload.needs
    disk = chosen_disk(at)
    system = replace(system, boot=devices.boot_with(system, workload.id, needs, disk))
    files = (*system.boot.files, *devices.image_files(needs))
    missing = [name for name in files if name not in image.files]
    if missing:
        raise BuildError(f"system '{system.id}' boots {missing[0]}, which {image.tag} lacks")
    params = cell_params(system, workload, at)
    more = devices.guest_words(needs, system.devices.by_need, disk)
    words = " ".join(it for it in (run_words(workload.id, params, at.point.perturb), more) if it)
    inputs = CellInputs(
        record_schema=SCHEMA_VERSION,
        testbed=EMULATED_PC.id,
        emulator=image.emulator,
        argv=tuple(container_argv(EMULATED_PC, system, words, needs=needs)),
        files={name: image.files[name] for name in sorted(files)},
        workload=workload.id,
        params=params,
    )
    run = Run(
        memory_mib=system.machine.memory_mib + devices.extra_memory_mib(needs),
        boot=system.limits,
        total=system.limits.plus(workload.limits[at.profile]),
        metrics=tuple(metric.id for metric in workload.metrics),
    )
    return Cell.of(at=at, run=run, inputs=inputs)


def cell_params(system: System, workload: Workload, at: Coordinates) -> dict[str, int]:
    """The profile's parameters, the point's, and the system's divisor of all loop counts."""
    profile = workload.profiles[at.profile]
    point = at.point.without(DISK_AXIS).parameters
    return {**profile, **point, "divide": system.guest.divide}


def chosen_disk(at: Coordinates) -> Disk:
    """The disk that the point names. Raises UsageError."""
    name = at.point.at(DISK_AXIS)
    name = devices.DEFAULT_DISK if name is None else name
    if name not in devices.DISKS:
        known = ", ".join(str(it) for it in devices.DISKS)
        raise UsageError(f"unknown disk {name} of {at}", hint=f"known: {known}")
    return devices.DISKS[name]


def first_guess_s(
    systems: Iterable[System], workloads: Sequence[Workload]
) -> dict[tuple[str, str], float]:
    """Wall seconds of cells never run here, by (workload, system)."""
    return {
        (workload.id, system.id): system.limits.wall_s * GUESSED_PART
        for system in systems
        for workload in workloads
    }


def shard_of(cells: Sequence[Cell], shard: Shard) -> list[Cell]:
    """One part of these cells, in their order. The parts of the same cells cover them exactly, take
    about the same time by the catalogue's limits, and are the same on every host: what a host has
    measured has no say."""
    loads = [(0.0, part) for part in range(1, shard.of + 1)]
    mine = set()
    for cell in sorted(cells, key=lambda it: (-weight_s(it), it.id)):
        load, part = heapq.heappop(loads)
        heapq.heappush(loads, (load + weight_s(cell), part))
        if part == shard.part:
            mine.add(cell.id)
    return [cell for cell in cells if cell.id in mine]


def weight_s(cell: Cell) -> float:
    """Wall seconds that a cell may take, by its limits alone."""
    workload_s = cell.run.total.wall_s - cell.run.boot.wall_s
    return cell.run.boot.wall_s * GUESSED_PART + workload_s * GUESSED_PART**2


def estimate_wall_s(cells: Sequence[Cell], seen_wall_s: Known, jobs: int) -> float:
    """Wall seconds for these cells; `seen_wall_s` is by (workload, system)."""
    total = sum(seen_wall_s[cell.at.workload, cell.at.system] for cell in cells)
    return total / max(1, min(jobs, len(cells) or 1))


def estimate_bytes(cells: Sequence[Cell]) -> int:
    """Disk the records and consoles of these cells will take."""
    return len(cells) * RECORD_BYTES
