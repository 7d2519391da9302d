"""Where cells are run, and how many at once: below one interface threads of this process
(`threads.py`) and the workers of a Dask cluster (`cluster.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from harness.measure.campaign import Campaign
from harness.model.cell import Cell

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """What is done with each cell. Both are functions of a module, so that another process finds
    them by name.

    `run` raises EngineError or Interrupted. `aside` makes what stands for a cell that could not be
    run because its workers died of it: cell and reason are given.
    """

    run: Callable[[Campaign, Cell], T]
    aside: Callable[[Campaign, Cell, str], T]


class Executor(Protocol):
    """Cells are independent and their numbers exact, so neither where they run nor how many at
    once changes any."""

    @property
    def slots(self) -> int:
        """How many cells run at a time, as far as is known now."""

    def each(self, campaign: Campaign, cells: Sequence[Cell], task: Task[T]) -> Iterator[T]:
        """Do the task for all cells, begun in this order; yields what it makes of each as it ends.

        Raises EngineError if an engine fails, ClusterError if the cluster does, and whatever ends
        a cell unexpectedly, after the other machines were stopped and what they had measured was
        yielded. On KeyboardInterrupt, and when the caller leaves early, the machines are stopped
        too.
        """
