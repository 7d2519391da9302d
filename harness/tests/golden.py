"""Golden files of what decides a cell's identity, and of what asv reads. Write them anew
after a wanted change:

python -m harness.tests.golden
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from harness import catalogue
from harness.measure.images.build import Image
from harness.measure.machines.devices import ROOT_IMAGE
from harness.measure.plan import make_cell
from harness.model.cell import Cell, Coordinates
from harness.model.point import Point
from harness.model.system import System
from harness.model.workload import Workload
from harness.paths import Paths, checkout_root
from harness.tests.builders import a_system, a_workload, an_image
from harness.tests.history import a_night
from harness.tracking import asv
from harness.tracking.ledger import Ledger

DATA = Path(__file__).parent / "data"
ARGV_DIR = DATA / "argv"
CELL_FILE = DATA / "cell.json"
ASV_DIR = DATA / "asv"
# One workload without needs, one that needs all devices.
WORKLOADS = ("controls", "devices")


def argv_files() -> Iterator[tuple[Path, str]]:
    """Each golden file of a command line, and what it must hold: one argument a line."""
    paths = Paths.of(checkout_root())
    workloads = catalogue.load_workloads(paths)
    for system in catalogue.load_systems(paths).values():
        for name in WORKLOADS:
            if not system.cannot(workloads[name]):
                stem = system.id if name == WORKLOADS[0] else f"{system.id}-{name}"
                yield ARGV_DIR / f"{stem}.txt", argv_text(system, workloads[name])


def argv_text(system: System, workload: Workload) -> str:
    files = (*system.boot.of(workload.id, system.devices.parts).files, ROOT_IMAGE)
    image = replace(an_image(), files=dict.fromkeys(files, "0" * 64))
    cell = make_cell(
        system=system,
        workload=workload,
        at=Coordinates(system.id, workload.id, "quick"),
        image=image,
    )
    return "\n".join(cell.inputs.argv) + "\n"


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


def asv_files() -> dict[str, str]:
    """By name, what `tracking.asv` makes of a made-up night in a ledger at /ledger."""
    night = replace(a_night(0, metrics=6, systems=("native", "rexen")), entry="e" * 40)
    known = asv.benchmarks(night.numbers)
    documents: dict[str, object] = {
        "asv.conf.json": asv.config(Ledger(Path("/ledger")), Path("/html"), ""),
        "benchmarks.json": asv.benchmarks_document(known),
        "machine.json": asv.machine_document(),
        "result.json": asv.result(night, known),
    }
    return {name: asv.as_text(one) for name, one in documents.items()}


def write() -> None:
    ASV_DIR.mkdir(parents=True, exist_ok=True)
    for name, text in asv_files().items():
        (ASV_DIR / name).write_text(text)
    ARGV_DIR.mkdir(parents=True, exist_ok=True)
    for file, text in argv_files():
        file.write_text(text)
    CELL_FILE.write_text(cell_text())


if __name__ == "__main__":
    write()
