"""Golden files of what decides a cell's identity. Write them anew after a wanted change:

python -m harness.tests.golden
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from harness import catalogue
from harness.measure.images.build import Image
from harness.measure.machines.testbed import EMULATED_PC, container_argv, run_words
from harness.measure.plan import cell_params, make_cell
from harness.model.cell import Cell, Coordinates
from harness.model.point import Point
from harness.model.system import System
from harness.model.workload import Workload
from harness.paths import Paths, checkout_root
from harness.tests.builders import a_system, a_workload, an_image

DATA = Path(__file__).parent / "data"
ARGV_DIR = DATA / "argv"
CELL_FILE = DATA / "cell.json"
WORKLOAD = "controls"


def argv_text(system: System) -> str:
    """The command of the controls' container on this system, one argument a line."""
    workload = catalogue.load_workloads(Paths.of(checkout_root()))[WORKLOAD]
    at = Coordinates(system.id, WORKLOAD, "quick")
    run = run_words(WORKLOAD, cell_params(system, workload, at))
    system = replace(system, boot=system.boot.of(WORKLOAD))
    return "\n".join(container_argv(EMULATED_PC, system, run)) + "\n"


def a_cell(
    *,
    system: System | None = None,
    workload: Workload | None = None,
    profile: str = "quick",
    point: Point | None = None,
    image: Image | None = None,
) -> Cell:
    """A cell of made-up parts."""
    system, workload = system or a_system("xen"), workload or a_workload()
    at = Coordinates(system.id, workload.id, profile, point or Point())
    return make_cell(system=system, workload=workload, at=at, image=image or an_image())


def cell_text() -> str:
    """Inputs and identity of the made-up cell."""
    cell = a_cell()
    return json.dumps({"id": cell.id, "inputs": asdict(cell.inputs)}, indent=1) + "\n"


def write() -> None:
    ARGV_DIR.mkdir(parents=True, exist_ok=True)
    for system in catalogue.load_systems(Paths.of(checkout_root())).values():
        (ARGV_DIR / f"{system.id}.txt").write_text(argv_text(system))
    CELL_FILE.write_text(cell_text())


if __name__ == "__main__":
    write()
