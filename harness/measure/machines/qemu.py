"""One run of one cell: start the emulated PC in a container, wait for its end, say how it ended.

The machine is started stopped; when monitor and deadlines are in place it is let go. The console
is a file that QEMU writes and this module polls. At the end line QEMU is told to quit: what the
guest does after it is nobody's business.

Where the file cannot grow, QEMU tries each byte again in the host's time and then drops it: the
guest sees its serial port at another virtual moment, and lines are missing. So a machine does not
run on a disk that is nearly full.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DiskFullError
from harness.host.deadline import Deadline
from harness.measure.images.container import Engine, Running
from harness.measure.machines.monitor import Monitor, MonitorLost
from harness.measure.machines.testbed import CELL_DIR, CONSOLE, EMULATED_PC, MONITOR
from harness.measure.machines.verdict import LAST_WORDS, Stop, Stopped
from harness.model.limits import Limits
from harness.protocol import BEGIN_LINE, END_LINE

POLL_S = 0.05
CLOCK_POLL_S = 1.0
START_WALL_S = 30.0
EXIT_WALL_S = 10.0
# After a panic, time for the rest of its message. Xen spends five virtual seconds and more on a
# reboot, which is minutes of wall time.
PANIC_WALL_S = 5.0
CONSOLE_LIMIT = 8 << 20
# Free space below which a run is given up: this machine's console and its neighbours'.
SPARE_BYTES = 4 * CONSOLE_LIMIT
QEMU_OWN_MIB = 1536


class Interrupted(Exception):
    """The run was told to stop while this machine ran."""


@dataclass(frozen=True, slots=True)
class MachineOrder:
    """All it takes to run a machine: image, command line, memory, limits.

    `boot` holds until the workload begins, `total` for the whole run.
    """

    image: str
    argv: Sequence[str]
    memory_mib: int
    boot: Limits
    total: Limits
    owner: str
    name: str


@dataclass(frozen=True, slots=True)
class MachineRun:
    """How it stopped, and its wall time from being let go: until the workload began, in all."""

    stopped: Stopped
    boot_wall_s: float
    machine_wall_s: float


def run_machine(
    engine: Engine, order: MachineOrder, folder: Path, interrupt: threading.Event
) -> MachineRun:
    """Run to the end line or to whatever comes first. `folder` must be empty and writable.

    Raises EngineError if the engine dies, DiskFullError if the disk of `folder` is nearly full,
    Interrupted if asked to stop.
    """
    return asyncio.run(_run(engine, order, folder, interrupt))


async def _run(
    engine: Engine, order: MachineOrder, folder: Path, interrupt: threading.Event
) -> MachineRun:
    container = engine.start(
        order.image,
        order.argv,
        mounts={folder: CELL_DIR},
        memory_mib=order.memory_mib + QEMU_OWN_MIB,
        owner=order.owner,
        name=order.name,
    )
    monitor = Monitor()
    watch = _Watch(folder / Path(CONSOLE).name, order, interrupt)
    try:
        stop = await _supervise(container, monitor, watch, folder / Path(MONITOR).name)
        stopped_at = time.monotonic()
        exit_code, out_of_memory, complaint = await _end(container, monitor)
    finally:
        container.remove()
    stopped = Stopped(
        stop=stop,
        console=watch.read_all(),
        exit_code=exit_code,
        complaint=complaint,
        cause=monitor.cause,
        out_of_memory=out_of_memory,
        limit_s=watch.limits.virtual_s if stop is Stop.VIRTUAL_DEADLINE else watch.limits.wall_s,
    )
    let_go_at = watch.let_go_at or stopped_at
    return MachineRun(
        stopped,
        boot_wall_s=(watch.begun_at or stopped_at) - let_go_at,
        machine_wall_s=stopped_at - let_go_at,
    )


async def _supervise(container: Running, monitor: Monitor, watch: _Watch, socket: Path) -> Stop:
    """Let the machine go and wait until something ends it."""
    try:
        await _connect(container, monitor, socket)
        watch.let_go()
        await monitor.go()
        return await watch.until_stop(monitor)
    except MonitorLost:
        # QEMU is gone; the last bytes of the console may hold the end line all the same.
        return Stop.END_LINE if watch.look() is Stop.END_LINE else Stop.EXIT


async def _connect(container: Running, monitor: Monitor, socket: Path) -> None:
    """Wait for the monitor, but not for one that can no longer come."""
    deadline = Deadline.after(START_WALL_S)
    while True:
        slice_ = Deadline.after(min(1.0, deadline.left_s))
        try:
            return await monitor.connect(socket, slice_)
        except MonitorLost:
            if deadline.passed or container.ended():
                raise


async def _end(container: Running, monitor: Monitor) -> tuple[int | None, bool, str]:
    """End QEMU if it still runs; its exit code, out-of-memory flag and complaint."""
    await monitor.quit()
    monitor.note_events()
    await monitor.close()
    deadline = Deadline.after(EXIT_WALL_S)
    while not container.ended():
        if deadline.passed:
            return None, False, "QEMU did not obey its monitor"
        await asyncio.sleep(POLL_S)
    return container.result()


class _Watch:
    """Reads the console file as it grows and keeps the deadlines."""

    def __init__(self, console: Path, order: MachineOrder, interrupt: threading.Event) -> None:
        self._console = console
        self._order = order
        self._interrupt = interrupt
        self._seen = 0
        self._tail = b""
        self.let_go_at = 0.0
        self.begun_at = 0.0
        self.panicked_at = 0.0

    def let_go(self) -> None:
        """The machine starts now, and with it the wall deadline."""
        self.let_go_at = time.monotonic()

    @property
    def limits(self) -> Limits:
        return self._order.total if self.begun_at else self._order.boot

    async def until_stop(self, monitor: Monitor) -> Stop:
        next_clock = Deadline.after(CLOCK_POLL_S)
        while True:
            if self._interrupt.is_set():
                raise Interrupted
            stop = self.look()
            if stop:
                return stop
            if self.panicked_at and time.monotonic() > self.panicked_at + PANIC_WALL_S:
                return Stop.PANIC
            if time.monotonic() > self.let_go_at + self.limits.wall_s:
                return Stop.WALL_DEADLINE
            if next_clock.passed:
                next_clock = Deadline.after(CLOCK_POLL_S)
                if await monitor.virtual_s(EMULATED_PC.clock_base) > self.limits.virtual_s:
                    return self.look() or Stop.VIRTUAL_DEADLINE
            await asyncio.sleep(POLL_S)

    def look(self) -> Stop | None:
        """Read what is new. The last lines are kept, so no mark is missed between two looks."""
        _check_space(self._console.parent)
        try:
            size = os.stat(self._console).st_size
        except FileNotFoundError:
            return None
        if size > self._seen:
            with self._console.open("rb") as file:
                file.seek(self._seen)
                fresh = self._tail + file.read()
            self._seen = size
            self._tail = fresh[-4096:]
            if not self.begun_at and BEGIN_LINE.search(fresh):
                self.begun_at = time.monotonic()
            if not self.panicked_at and LAST_WORDS.search(fresh):
                self.panicked_at = time.monotonic()
            if END_LINE.search(fresh):
                return Stop.END_LINE
        return Stop.FLOOD if size > CONSOLE_LIMIT else None

    def read_all(self) -> bytes:
        try:
            with self._console.open("rb") as file:
                return file.read(CONSOLE_LIMIT)
        except FileNotFoundError:
            return b""


def _check_space(folder: Path) -> None:
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < SPARE_BYTES:
        raise DiskFullError(
            f"{free >> 20} MiB are free where {folder} is: a console may lose lines there",
            hint=f"free at least {SPARE_BYTES >> 20} MiB and run again; the cell counts as not run",
        )
