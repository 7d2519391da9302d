"""The whole command line without a container: the real catalogue, a made-up image, fake machines.

`enter` puts it in place of the engine for `harness.cli.main.main`. Run as a program it is a `rexen`
of its own process, for tests that kill it:

    python -m harness.tests.world STARTS PAUSE_S VERB ...

STARTS is a file that gets one line for every machine started.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness import catalogue
from harness.cli import session
from harness.cli.main import main
from harness.measure.images.build import Image
from harness.measure.images.container import Engine
from harness.measure.machines.devices import ROOT_IMAGE
from harness.measure.plan import plan
from harness.model.cell import Coordinates
from harness.model.point import Point
from harness.model.workload import Workload
from harness.paths import Paths, checkout_root
from harness.steps import Steps
from harness.tests.builders import FakeEngine

IMAGE = "rexen:world"
Script = list[list[Any]]
# What most tests of the command line run, and a machine that dies.
CELL = ("--system", "native", "--workload", "controls")
PANIC: Script = [
    ["print", "[ 1.0] Kernel panic - not syncing: No init\n"],
    ["event", "guest-reset"],
]


def unwrapped(text: str) -> str:
    """The terminal's wrapping undone."""
    return " ".join(text.split())


def world_image(paths: Paths) -> Image:
    """Every file that some cell of the catalogue boots, with a digest of its name."""
    workloads = catalogue.load_workloads(paths)
    names = {
        name
        for system in catalogue.load_systems(paths).values()
        for workload in workloads
        for name in (*system.boot.of(workload, system.devices.parts).files, ROOT_IMAGE)
    }
    files = {name: hashlib.sha256(name.encode()).hexdigest() for name in sorted(names)}
    return Image(tag=IMAGE, files=files, emulator="QEMU 10 world")


def console_of(workload: Workload, *, factor: int = 1) -> str:
    """A good console: one warm-up and one sample of each metric the workload declares."""
    samples = [
        f"@rexen sample {metric.id} {phase} {rep} 1000 {1000 * factor * (place + 2)} 0\n"
        for place, metric in enumerate(workload.metrics)
        for rep, phase in enumerate(("warm", "run"))
    ]
    return "".join(
        [
            "[    0.1] booting\n",
            f"@rexen begin 1 {workload.id}\n",
            "@rexen boot 840000000 900000000\n@rexen fact kernel 6.12\n",
            *samples,
            f"@rexen end 0 {len(samples)}\n",
        ]
    )


def cell_name(at: Coordinates) -> str:
    """`controls@native`, or `controls@native:perturb=1` for a cell at a point."""
    name = f"{at.workload}@{at.system}"
    return f"{name}:{at.point}" if at.point else name


class WorldEngine(FakeEngine):
    """Plays a good console for every cell, unless `scripts` has another for its name.

    In another process it is what `wishes` says there, and a cell that `deadly` names kills that
    process so many times (which needs `starts`, to know how often it did).
    """

    def __init__(
        self, *, pause_s: float = 0.0, starts: Path | None = None, catalogues: Sequence[Path] = ()
    ) -> None:
        super().__init__([])
        self.paths = Paths.of(checkout_root(), catalogues=catalogues)
        self.systems = catalogue.load_systems(self.paths)
        self.workloads = catalogue.load_workloads(self.paths)
        self.pause_s = pause_s
        self.starts = starts
        self.scripts: dict[str, Script] = {}
        self.deadly: dict[str, int] = {}
        self.abroad = False
        self.wishes: dict[str, object] = {}
        self.manifest = b"manifest of the world"
        self.names: list[str] = []
        self.swept: list[str] = []
        self._lock = threading.Lock()

    def script_of(self, argv: Sequence[str], name: str) -> Script:
        words = " ".join(argv)
        found = re.search(r"rexen\.run=([a-z0-9-]+)", words)
        assert found, argv
        workload = self.workloads[found[1]]
        system = name.removeprefix("rexen-").partition(f"-{workload.id}")[0]
        cell = f"{workload.id}@{system}"
        point = [axis for axis in workload.axes if f",{axis}=" in words]
        values = {axis: int(re.findall(rf",{axis}=([0-9]+)", words)[0]) for axis in point}
        seed = re.search(r"rexen\.perturb=([0-9]+)", words)
        values |= {"perturb": int(seed[1])} if seed else {}
        cell += f":{Point.of(values)}" if values else ""
        with self._lock:
            self.names.append(cell)
            if self.starts:
                with self.starts.open("a") as file:
                    file.write(f"{cell}\n")
            if self.abroad and self.starts and cell in self.deadly:
                if self.starts.read_text().split().count(cell) <= self.deadly[cell]:
                    os.kill(os.getpid(), signal.SIGKILL)
        good = console_of(workload, factor=self.systems[system].order)
        return self.scripts.get(cell, [["sleep", self.pause_s], ["print", good], ["sleep", 5]])

    def elsewhere(self) -> Callable[[], Engine]:
        wishes = {"scripts": self.scripts, "deadly": self.deadly, "abroad": True}
        return partial(_elsewhere, self.pause_s, self.starts, {**wishes, **self.wishes})

    def has_image(self, tag: str) -> bool:
        return tag == IMAGE

    def output_of(self, image: str, argv: Sequence[str]) -> bytes:
        return self.manifest

    def planned(self, *systems: str) -> list[str]:
        """The names of all cells that the real experiments want of these systems, in order of
        name; as they stand in `names` and `scripts`."""
        cells = plan(
            experiments=catalogue.load_experiments(self.paths.experiments, self.workloads),
            systems=[self.systems[name] for name in systems or self.systems],
            workloads=self.workloads.values(),
            profile="quick",
            image=world_image(self.paths),
        ).cells
        return sorted(cell_name(cell.at) for cell in cells)

    def sweep(self, owner: str) -> int:
        self.swept.append(owner)
        return 0

    def version(self) -> str:
        return "world 1"


def _elsewhere(pause_s: float, starts: Path | None, wishes: Mapping[str, object]) -> Engine:
    engine = WorldEngine(pause_s=pause_s, starts=starts)
    vars(engine).update(wishes)
    return engine


def enter(engine: Engine, patch: Callable[[object, str, object], None]) -> None:
    """Put the world in place of the real engine and image."""

    def ensure_engine(logs: Path, steps: Steps) -> Engine:
        return engine

    def ensure_image(engine: Engine, paths: Paths, steps: Steps) -> Image:
        return world_image(Paths.of(checkout_root(), catalogues=paths.catalogues))

    patch(session, "ensure_engine", ensure_engine)
    patch(session, "ensure_image", ensure_image)


def program() -> None:
    """This file as a program."""
    enter(WorldEngine(pause_s=float(sys.argv[2]), starts=Path(sys.argv[1])), setattr)
    sys.exit(main(sys.argv[3:]))


if __name__ == "__main__":
    program()
