"""What every verb is given: where things lie, how progress is shown, how results are printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.paths import Paths
from harness.steps import Steps
from harness.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The options all verbs share. With `json` a verb prints one JSON document."""

    paths: Paths
    steps: Steps
    json: bool

    @property
    def store(self) -> Store:
        return Store(self.paths.results)

    @property
    def logs(self) -> Path:
        return self.paths.build / "logs"
