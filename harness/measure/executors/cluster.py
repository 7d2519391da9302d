"""Cells on the workers of a Dask cluster: one of this host's own, or one at an address.

Dask places a cell where its memory is to be had, and gives the cell of a worker that is lost to
another one; when the workers of several tries died over a cell, that cell is set aside. Only as
many cells are handed out as there are slots: whatever a worker holds when it dies is suspected.
"""

from __future__ import annotations

import logging
import multiprocessing
import pickle
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, Status, get_worker

from harness.errors import ClusterError, UnlikeError, UsageError
from harness.host.deadline import Deadline
from harness.host.info import memory_mib
from harness.measure.campaign import Campaign, Interrupted
from harness.measure.executors import Task
from harness.measure.executors.errand import (
    Errand,
    errand_abroad,
    errand_here,
    fitness,
    side_of,
    stop,
)
from harness.measure.executors.worker import MEMORY, quieten
from harness.measure.machines.qemu import QEMU_OWN_MIB
from harness.model.cell import Cell

T = TypeVar("T")
CONNECT_S = 10
# How long cells may wait for a worker that could run them: one restarts, one is on its way.
NOBODY_S = 60.0
STOP_S = 15
LOOK_S = 1.0
# A cell is tried once more than this before it is set aside. (A scheduler of its own has its own.)
DEATHS = 2
ENDING = (Status.closing, Status.closing_gracefully, Status.closed, Status.failed)
LOCAL_CONFIG = {
    "distributed.scheduler.allowed-failures": DEATHS,
    # Half the time to start: see _prepare_processes().
    "distributed.worker.multiprocessing-method": "forkserver",
}


@contextmanager
def local_cluster(
    slots: int, cells: Sequence[Cell], scratch: Path, say: Callable[[str], None]
) -> Iterator[Cluster]:
    """Workers on this host, a process for each slot with its part of the memory; fewer where the
    largest cell takes more than such a part."""
    host_mib = memory_mib(Path("/proc/meminfo"))
    fits = max(1, host_mib // max(map(needed_mib, cells), default=1))
    workers = max(1, min(slots, fits))
    if workers < slots:
        say(f"memory for {workers} cells at a time, not for {slots}")
    quieten()
    _prepare_processes()
    with (
        dask.config.set(LOCAL_CONFIG),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            resources={MEMORY: host_mib // workers},
            memory_limit=None,  # the machines' memory is not the workers'
            local_directory=str(scratch),
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield Cluster(client, errand_here, say)


def _prepare_processes() -> None:
    """Start what workers are forked from, with all that they import. A terminal's Ctrl-C goes to
    every process; the workers are not to die of it but to be told what to stop."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([__name__])
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def cluster_at(address: str, say: Callable[[str], None]) -> Iterator[Cluster]:
    """The cluster of a scheduler that runs somewhere. Raises ClusterError if none answers."""
    quieten()
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"no scheduler answers at {address}: {_short(error)}",
            hint="start one (dask scheduler), or use --cluster local",
        ) from None
    with client:
        yield Cluster(client, errand_abroad, say)


def needed_mib(cell: Cell) -> int:
    """What a cell's machine may take of its host's memory."""
    return cell.run.memory_mib + QEMU_OWN_MIB


@dataclass(frozen=True, slots=True)
class Worker:
    """What the scheduler knows of one."""

    slots: int
    memory_mib: int


class Cluster:
    """An executor on a connected cluster."""

    def __init__(
        self, client: Client, errand: Callable[[Campaign], Errand], say: Callable[[str], None]
    ) -> None:
        self._client = client
        self._errand = errand
        self._say = say
        self._workers: Mapping[str, Worker] = {}
        self._looked_at = 0.0
        self._fit_at = 0.0

    @property
    def slots(self) -> int:
        self._look()
        return sum(it.slots for it in self._workers.values())

    def each(self, campaign: Campaign, cells: Sequence[Cell], task: Task[T]) -> Iterator[T]:
        """As Executor.each says. Raises UnlikeError too, if a worker is no like of this host."""
        errand = self._errand(campaign)
        self._begin(errand, cells)
        waiting = list(cells)
        running: dict[Future[T], Cell] = {}
        ended: SimpleQueue[Future[T]] = SimpleQueue()
        failure: BaseException | None = None
        try:
            while waiting or running:
                self._look()
                # With no worker there, one cell at least, for the first that comes.
                while waiting and len(running) < max(1, self.slots):
                    cell = waiting.pop(0)
                    future = self._submit(errand, task, cell)
                    running[future] = cell
                    future.add_done_callback(ended.put)
                try:
                    future = ended.get(timeout=LOOK_S)
                except Empty:
                    self._still_possible(list(running.values()))
                    continue
                cell = running.pop(future)
                if future.status == "finished":
                    yield _result(future)
                    continue
                error = future.exception() if future.status == "error" else None
                if error is None:
                    raise _went_away(CancelledError(f"it gave up {cell.at}"))
                if isinstance(error, KilledWorker):
                    yield task.aside(campaign, cell, _deaths(error))
                    continue
                if isinstance(error, Interrupted) and failure is None:
                    waiting.insert(0, cell)  # its worker was told to end
                    continue
                # The others are stopped, so what they raise from now on is an echo.
                failure = failure or error
                waiting.clear()
                self._stop(errand)
        finally:
            if running:
                self._stop(errand)
                _wait_for(len(running), ended)
            # What killed workers have left on this host.
            campaign.engine.sweep(campaign.owner)
        if failure:
            raise failure

    def _begin(self, errand: Errand, cells: Sequence[Cell]) -> None:
        """Wait for a first worker; see that the workers are alike, and can hold the cells."""
        deadline = time.monotonic() + NOBODY_S
        while not self.slots:
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"the cluster has had no worker for {NOBODY_S:.0f} s",
                    hint="start some: rexen worker ADDRESS",
                )
            time.sleep(LOOK_S)
        self._say(
            f"cluster: {len(self._workers)} workers, {self.slots} cells at a time; "
            f"dashboard at {self._client.dashboard_link}"
        )
        self._fit_at = time.monotonic()
        if errand.sources:
            found = self._client.run(fitness, errand, on_error="return")
            for address, difference in found.items():
                if isinstance(difference, Exception):
                    difference = f"cannot run this harness: {_short(difference)}"
                if difference:
                    raise UnlikeError(f"worker {address} {difference}")
        most = max(cells, key=needed_mib)
        if needed_mib(most) > self._room_mib():
            raise UsageError(
                f"{most.at} takes {needed_mib(most)} MiB, which no worker has "
                f"(the largest has {self._room_mib()})",
                hint="start workers by rexen worker, fewer of them or with more --memory",
            )

    def _submit(self, errand: Errand, task: Task[T], cell: Cell) -> Future[T]:
        # The scheduler opens what it is handed, and need not have the harness: it gets bytes, and a
        # function that, being local, travels by value.
        def opened(packed: bytes) -> T:
            import pickle

            result: T = pickle.loads(packed)()
            return result

        return self._client.submit(
            opened,
            pickle.dumps(partial(_on_worker, errand, task, cell)),
            key=f"{cell.at.workload}@{cell.at.system}-{cell.id[:16]}-{errand.token}",
            resources={MEMORY: needed_mib(cell)},
            pure=False,
        )

    def _look(self) -> None:
        """Ask the scheduler for its workers, once in a while; say who is gone."""
        now = time.monotonic()
        if self._workers and now < self._looked_at + LOOK_S:
            return
        self._looked_at = now
        try:
            known = self._client.sync(self._asked)["workers"]
        except OSError as error:
            raise _went_away(error) from None
        workers = {
            address: Worker(int(it["nthreads"]), int(it["resources"].get(MEMORY, 0)))
            for address, it in known.items()
        }
        for address in self._workers.keys() - workers.keys():
            self._say(f"lost worker {address}: what it ran is run again")
        self._workers = workers

    async def _asked(self) -> Any:  # noqa: ANN401  (Dask's own)
        """What the scheduler says of itself. Client.scheduler_info() may lose the workers to an
        update of the client's own that asks for none."""
        if self._client.scheduler is None:
            raise OSError("the connection is closed")
        return await self._client.scheduler.identity(n_workers=-1)

    def _room_mib(self) -> int:
        return max((it.memory_mib for it in self._workers.values()), default=0)

    def _still_possible(self, running: Sequence[Cell]) -> None:
        """Raises ClusterError if for too long no worker could run what is to be run."""
        if self._client.status != "running":
            raise _went_away(OSError("the connection is closed"))
        now = time.monotonic()
        if max(map(needed_mib, running)) <= self._room_mib():
            self._fit_at = now
        elif now > self._fit_at + NOBODY_S:
            raise ClusterError(
                f"no worker is left that could run {running[0].at}",
                hint="start some and run again: what was measured is kept",
            )

    def _stop(self, errand: Errand) -> None:
        try:
            self._client.run(stop, errand.token, on_error="ignore")
        except (OSError, ValueError):
            pass  # nobody is there to be stopped


def _on_worker(errand: Errand, task: Task[T], cell: Cell) -> T:
    """What is sent to a worker."""
    worker = get_worker()
    return task.run(
        side_of(errand, str(worker.name), lambda: worker.status in ENDING),
        cell,
    )


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except (CancelledError, OSError) as error:
        raise _went_away(error) from None


def _wait_for(count: int, ended: SimpleQueue[Future[T]]) -> None:
    """Until so many cells more have ended, or for too long."""
    deadline = Deadline.after(STOP_S)
    try:
        for _ in range(count):
            ended.get(timeout=deadline.left_s)
    except Empty:
        pass


def _deaths(error: KilledWorker) -> str:
    return (
        f"{error.allowed_failures + 1} workers died while they ran it, "
        f"the last at {error.last_worker.address}"
    )


def _went_away(error: BaseException) -> ClusterError:
    return ClusterError(
        f"the cluster's scheduler went away: {_short(error)}",
        hint="see that it runs, then run again: nothing measured is lost",
    )


def _short(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
