"""Systems x workloads -> cells, in a fixed order; and what they will take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from harness.errors import BuildError
from harness.measure.images.build import Image
from harness.measure.machines.testbed import EMULATED_PC, container_argv, run_words
from harness.model.cell import Cell, CellInputs
from harness.model.record import SCHEMA_VERSION
from harness.model.system import System
from harness.model.workload import Workload

# A first guess for a cell never run here; after that its own last wall time is used.
GUESS_WALL_S = 40.0
RECORD_BYTES = 60_000
PROFILES = ("quick", "full")


def plan(
    *, systems: Iterable[System], workloads: Iterable[Workload], profile: str, image: Image
) -> list[Cell]:
    """Every workload on every system. Slow systems first, so the last cell is a short one."""
    cells = [
        make_cell(system=system, workload=workload, profile=profile, image=image)
        for system in sorted(systems, key=lambda system: -system.limits.wall_s)
        for workload in workloads
    ]
    return cells


def make_cell(*, system: System, workload: Workload, profile: str, image: Image) -> Cell:
    """One cell. Raises BuildError if the image lacks a file the system boots."""
    system = replace(system, boot=system.boot.of(workload.id))
    missing = [name for name in system.boot.files if name not in image.files]
    if missing:
        raise BuildError(f"system '{system.id}' boots {missing[0]}, which {image.tag} lacks")
    params = cell_params(system, workload, profile)
    inputs = CellInputs(
        record_schema=SCHEMA_VERSION,
        testbed=EMULATED_PC.id,
        emulator=image.emulator,
        argv=tuple(container_argv(EMULATED_PC, system, run_words(workload.id, params))),
        files={name: image.files[name] for name in sorted(system.boot.files)},
        workload=workload.id,
        params=params,
    )
    return Cell.of(system=system.id, workload=workload.id, inputs=inputs)


def cell_params(system: System, workload: Workload, profile: str) -> dict[str, int]:
    """The profile's parameters, and the system's divisor of all loop counts."""
    return {**workload.profiles[profile], "divide": system.guest.divide}


def first_guess_s(
    systems: Iterable[System], workloads: Sequence[Workload]
) -> dict[tuple[str, str], float]:
    """Wall seconds of cells never run here, by (workload, system): a tenth of the boot's limit."""
    return {
        (workload.id, system.id): system.limits.wall_s / 10
        for system in systems
        for workload in workloads
    }


def estimate_wall_s(
    cells: Sequence[Cell], seen_wall_s: Mapping[tuple[str, str], float], jobs: int
) -> float:
    """Wall seconds for these cells; `seen_wall_s` is by (workload, system)."""
    total = sum(seen_wall_s.get((cell.workload, cell.system), GUESS_WALL_S) for cell in cells)
    return total / max(1, min(jobs, len(cells) or 1))


def estimate_bytes(cells: Sequence[Cell]) -> int:
    """Disk the records and consoles of these cells will take."""
    return len(cells) * RECORD_BYTES
