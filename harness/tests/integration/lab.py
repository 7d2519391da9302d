"""Real machines for tests: the engine, the image and one way to run a cell."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness import catalogue
from harness.measure.campaign import Campaign, Measured, run_cell
from harness.measure.images.build import Image, ensure_image
from harness.measure.images.container import Engine
from harness.measure.images.host import ensure_engine
from harness.measure.plan import make_cell
from harness.model.cell import Cell, Coordinates
from harness.model.record import Outcome, Phase, Purpose, Sample
from harness.model.system import System
from harness.model.workload import Workload
from harness.paths import Paths, checkout_root
from harness.steps import Steps

OWNER = "guest-tests"


@dataclass(frozen=True, slots=True)
class Lab:
    """What all guest tests share."""

    engine: Engine
    image: Image
    systems: Mapping[str, System]
    workloads: Mapping[str, Workload]
    scratch: Path

    @classmethod
    def open(cls, scratch: Path) -> Lab:
        """Raises HarnessError if there is no engine or no image to be had."""
        paths, steps = Paths.of(checkout_root()), Steps()
        engine = ensure_engine(paths.build / "logs", steps)
        return cls(
            engine=engine,
            image=ensure_image(engine, paths, steps),
            systems=catalogue.load_systems(paths),
            workloads=catalogue.load_workloads(paths),
            scratch=scratch,
        )

    def cell(
        self, system: System, *, workload: str = "controls", params: dict[str, int] | None = None
    ) -> Cell:
        """A cell of the quick profile, or of parameters of the test's own."""
        found = self.workloads[workload]
        if params is not None:
            found = replace(found, profiles={"quick": params})
        return make_cell(
            system=system,
            workload=found,
            at=Coordinates(system.id, workload, "quick"),
            image=self.image,
        )

    @property
    def campaign(self) -> Campaign:
        """A run of its own, without a store."""
        return Campaign(
            engine=self.engine,
            image=self.image.tag,
            inputs="",
            purpose=Purpose.MEASURE,
            scratch=self.scratch,
            owner=OWNER,
            interrupt=threading.Event(),
        )

    def run(self, cell: Cell) -> Measured:
        """Run a cell, of a system that need not be in the catalogue."""
        return run_cell(self.campaign, cell)

    def outcome(
        self, system: System, *, workload: str = "controls", params: dict[str, int] | None = None
    ) -> Outcome:
        """What a cell comes to when it is run."""
        cell = self.cell(system, workload=workload, params=params)
        return self.run(cell).record.outcome


def sample_of(outcome: Outcome, metric: str) -> Sample:
    """The first recorded sample of a metric."""
    return next(it for it in outcome.samples if it.metric == metric and it.phase is Phase.RUN)
