"""This host as workers of a cluster: a process for each slot, started again if it dies."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from distributed import Nanny

from harness.errors import ClusterError

MEMORY = "MiB"  # the resource that workers offer and cells take
JOIN_S = 20


def serve(address: str, *, slots: int, memory_mib: int, scratch: Path) -> None:
    """Work for the scheduler at this address until it ends, or until interrupted; `memory_mib` is
    for all slots together. Raises ClusterError if there is none, KeyboardInterrupt."""
    asyncio.run(_serve(address, slots, memory_mib // slots, scratch))


async def _serve(address: str, slots: int, slot_mib: int, scratch: Path) -> None:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    async with AsyncExitStack() as stack:
        nannies = []
        for _ in range(slots):
            try:
                nanny = Nanny(
                    address,
                    nthreads=1,
                    resources={MEMORY: slot_mib},
                    memory_limit=None,  # the machines' memory is not the workers'
                    local_directory=str(scratch),
                    death_timeout=JOIN_S,
                    silence_logs=logging.CRITICAL,
                )
                nannies.append(await stack.enter_async_context(nanny))
            except (OSError, ValueError, RuntimeError, TimeoutError) as error:
                what = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise ClusterError(
                    f"no scheduler answers at {address}: {what}", hint="start one: dask scheduler"
                ) from None
        over = asyncio.ensure_future(asyncio.wait([_ended(it) for it in nannies]))
        asked = asyncio.ensure_future(interrupted.wait())
        await asyncio.wait([over, asked], return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        asked.cancel()
    if interrupted.is_set():
        raise KeyboardInterrupt


def _ended(nanny: Nanny) -> asyncio.Task[None]:
    async def finished() -> None:
        await nanny.finished()

    return asyncio.ensure_future(finished())
