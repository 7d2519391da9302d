"""This host as workers of a cluster: a process for each slot, started again if it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from pathlib import Path

import dask
from distributed import Nanny

from harness.errors import ClusterError

MEMORY = "MiB"  # the resource that workers offer and cells take
JOIN_S = 20


def serve(address: str, *, slots: int, memory_mib: int, scratch: Path) -> None:
    """Work for the scheduler at this address until it ends, or until interrupted; `memory_mib` is
    for all slots together. Raises ClusterError if there is none, KeyboardInterrupt."""
    quieten()
    asyncio.run(_serve(address, slots, memory_mib // slots, scratch))


def quieten() -> None:
    """Dask tells in its log what we tell in a line. Processes to come read their environment."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    dask.config.set({"distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical"})


async def _serve(address: str, slots: int, slot_mib: int, scratch: Path) -> None:
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    here = f"{socket.gethostname()}-{os.getpid()}"
    nannies = [_nanny(address, f"{here}-{slot}", slot_mib, scratch) for slot in range(slots)]
    started = await asyncio.gather(*nannies, return_exceptions=True)
    joined = [it for it in started if isinstance(it, Nanny)]
    failed = [it for it in started if isinstance(it, BaseException)]
    if not joined:
        what = (str(failed[0]).strip() or type(failed[0]).__name__).splitlines()[0]
        raise ClusterError(
            f"no scheduler answers at {address}: {what}", hint="start one: dask scheduler"
        )
    try:
        ends = [asyncio.ensure_future(_end_of(it)) for it in joined]
        asked = asyncio.ensure_future(interrupted.wait())
        over = asyncio.ensure_future(asyncio.wait(ends))
        await asyncio.wait([over, asked], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await asyncio.gather(*(it.close() for it in joined), return_exceptions=True)
    if interrupted.is_set():
        raise KeyboardInterrupt


async def _nanny(address: str, name: str, slot_mib: int, scratch: Path) -> Nanny:
    """A started one. The name stays when its worker starts again."""
    nanny = Nanny(
        address,
        name=name,
        nthreads=1,
        resources={MEMORY: slot_mib},
        memory_limit=None,  # the machines' memory is not the workers'
        local_directory=str(scratch),
        death_timeout=JOIN_S,
        silence_logs=logging.CRITICAL,
    )
    await nanny
    return nanny


async def _end_of(nanny: Nanny) -> None:
    await nanny.finished()
