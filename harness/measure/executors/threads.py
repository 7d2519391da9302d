"""Cells in threads of this process: each waits for a machine that runs elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from harness.measure.campaign import Campaign
from harness.measure.executors import Task
from harness.model.cell import Cell

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Threads:
    """`slots` machines at a time, on this host."""

    slots: int

    def each(self, campaign: Campaign, cells: Sequence[Cell], task: Task[T]) -> Iterator[T]:
        """As Executor.each says."""
        with ThreadPoolExecutor(max_workers=max(1, self.slots)) as pool:
            waiting = list(cells)
            running: set[Future[T]] = set()
            failure: BaseException | None = None
            try:
                while waiting or running:
                    while waiting and len(running) < self.slots:
                        running.add(pool.submit(task.run, campaign, waiting.pop(0)))
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        error = future.exception()
                        if error is None:
                            yield future.result()
                            continue
                        # The others are stopped, so what they raise from now on is an echo.
                        failure = failure or error
                        waiting.clear()
                        campaign.interrupt.set()
            except BaseException:
                campaign.interrupt.set()
                raise
        if failure:
            raise failure
