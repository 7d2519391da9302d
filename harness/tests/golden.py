"""Golden files of what decides a cell's identity. Write them anew after a wanted change:

python -m harness.tests.golden
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from harness import catalogue
from harness.measure.machines.testbed import EMULATED_PC, container_argv, run_words
from harness.measure.plan import cell_params, make_cell
from harness.model.cell import Cell
from harness.model.system import System
from harness.paths import Paths, checkout_root
from harness.tests.builders import a_system, a_workload, an_image

DATA = Path(__file__).parent / "data"
ARGV_DIR = DATA / "argv"
CELL_FILE = DATA / "cell.json"
WORKLOAD = "controls"


def argv_text(system: System) -> str:
    """The command of the controls' container on this system, one argument a line."""
    workload = catalogue.load_workloads(Paths.of(checkout_root()))[WORKLOAD]
    run = run_words(WORKLOAD, cell_params(system, workload, "quick"))
    system = replace(system, boot=system.boot.of(WORKLOAD))
    return "\n".join(container_argv(EMULATED_PC, system, run)) + "\n"


def a_cell(**changes: object) -> Cell:
    """A cell of made-up parts."""
    parts: dict[str, object] = {
        "system": a_system("xen"),
        "workload": a_workload(),
        "profile": "quick",
        "image": an_image(),
    }
    return make_cell(**{**parts, **changes})  # type: ignore[arg-type]


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
