"""A person at the console of a system: the same machine, its serial line joined to a terminal."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import sys
import tempfile
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from harness.errors import EngineError
from harness.host.deadline import Deadline
from harness.measure.images.container import Engine, Running
from harness.measure.machines.monitor import Monitor, MonitorLost
from harness.measure.machines.qemu import QEMU_OWN_MIB, START_WALL_S
from harness.measure.machines.testbed import (
    CELL_DIR,
    EMULATED_PC,
    MONITOR,
    SHELL_WORDS,
    TERMINAL,
    container_argv,
)
from harness.model.system import System

LEAVE = b"\x1d"

# With sleep=off an idle machine races from timer to timer, hours in a second; a person wants idle
# time to pass as it does for them. Nothing here is measured.
AT_THE_CONSOLE = replace(EMULATED_PC, icount="shift=0,sleep=on")


def join_console(engine: Engine, image: str, system: System) -> None:
    """Until the machine ends or Ctrl-] is typed. Raises EngineError."""
    with tempfile.TemporaryDirectory(prefix="rexen-shell-") as scratch:
        folder = Path(scratch)
        argv = container_argv(
            AT_THE_CONSOLE,
            replace(system, boot=system.boot.of("")),
            SHELL_WORDS,
            serial=f"unix:{TERMINAL},server=on,wait=off",
        )
        container = engine.start(
            image,
            argv,
            mounts={folder: CELL_DIR},
            memory_mib=system.machine.memory_mib + QEMU_OWN_MIB,
            owner="shell",
            name=f"rexen-shell-{system.id}-{os.getpid()}",
        )
        try:
            with _connected(folder / Path(TERMINAL).name, container) as line:
                asyncio.run(_let_go(folder / Path(MONITOR).name))
                _relay(line)
        finally:
            container.remove()


@contextmanager
def _connected(path: Path, container: Running) -> Iterator[socket.socket]:
    line = socket.socket(socket.AF_UNIX)
    deadline = Deadline.after(START_WALL_S)
    while True:
        try:
            line.connect(str(path))
            break
        except OSError:
            if deadline.passed or container.ended():
                raise EngineError(f"QEMU did not start: {container.result()[2]}") from None
            select.select([], [], [], 0.05)
    with line:
        yield line


async def _let_go(path: Path) -> None:
    monitor = Monitor()
    try:
        await monitor.connect(path, Deadline.after(START_WALL_S))
        await monitor.go()
    except MonitorLost as error:
        raise EngineError(f"the monitor does not answer: {error}") from None
    finally:
        await monitor.close()


def _relay(line: socket.socket) -> None:
    """Bytes both ways. Without a terminal, standard input is passed on as it comes."""
    stdin, stdout = sys.stdin.fileno(), sys.stdout.fileno()
    sources = [line.fileno(), stdin]
    with _raw(stdin):
        while True:
            ready, _, _ = select.select(sources, [], [])
            if line.fileno() in ready:
                data = line.recv(4096)
                if not data:
                    return
                os.write(stdout, data)
            if stdin in ready:
                typed = os.read(stdin, 4096)
                if LEAVE in typed:
                    return
                if not typed:
                    sources.remove(stdin)
                line.sendall(typed)


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
