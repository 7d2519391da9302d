"""QEMU's monitor over its socket, by QEMU's own client library."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from qemu.qmp import QMPClient
from qemu.qmp.error import QMPError

from harness.host.deadline import Deadline

CONNECT_PAUSE_S = 0.02
# A healthy QEMU answers at once even on a loaded host; one that does not is lost.
ANSWER_WALL_S = 60.0

# The library logs every refused connection; what matters of it comes back as an exception.
logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL + 1)


@contextmanager
def _short_name(socket: Path) -> Iterator[str]:
    """The socket by way of its open directory: unix(7) allows a path of 107 bytes, and a store
    may lie deeper."""
    folder = os.open(socket.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{socket.name}"
    finally:
        os.close(folder)


class MonitorLost(Exception):
    """The monitor's other end is gone: QEMU ended, or its container did."""


class Monitor:
    """One machine's monitor. Keeps the cause of its shutdown event."""

    def __init__(self) -> None:
        self._client = QMPClient("rexen")
        self.cause = ""

    async def connect(self, socket: Path, deadline: Deadline) -> None:
        """Raises MonitorLost when nobody listens before the deadline."""
        with _short_name(socket) as name:
            while True:
                try:
                    await asyncio.wait_for(self._client.connect(name), ANSWER_WALL_S)
                    return
                except (QMPError, OSError, TimeoutError):
                    if deadline.passed:
                        raise MonitorLost(f"no monitor at {socket}") from None
                    await asyncio.sleep(CONNECT_PAUSE_S)

    async def go(self) -> None:
        await self._ask("cont")

    async def virtual_s(self, base: str) -> float:
        """Virtual seconds since power-on, whole seconds, read off the machine's own RTC.

        Reading it updates nothing the guest could see; a test compares polled and unpolled runs.
        """
        reply = await self._ask("qom-get", {"path": "/machine", "property": "rtc-time"})
        assert isinstance(reply, dict)
        now = datetime(
            reply["tm_year"] + 1900,
            reply["tm_mon"] + 1,
            reply["tm_mday"],
            reply["tm_hour"],
            reply["tm_min"],
            reply["tm_sec"],
            tzinfo=UTC,
        )
        return (now - datetime.fromisoformat(base).replace(tzinfo=UTC)).total_seconds()

    async def quit(self) -> None:
        """Ask QEMU to end; that it is gone already is fine."""
        try:
            await self._ask("quit")
        except MonitorLost:
            pass

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._client.disconnect(), ANSWER_WALL_S)
        except (QMPError, OSError, EOFError, TimeoutError):
            pass

    async def _ask(self, command: str, arguments: dict[str, object] | None = None) -> object:
        try:
            answer = self._client.execute(command, arguments)
            return await asyncio.wait_for(answer, ANSWER_WALL_S)
        except (QMPError, OSError, EOFError, TimeoutError) as error:
            self.note_events()
            raise MonitorLost(str(error)) from None

    def note_events(self) -> None:
        """Look through the events that have come in for the cause of a shutdown."""
        for event in self._client.events.clear():
            data = event.get("data")
            if event.get("event") == "SHUTDOWN" and isinstance(data, dict):
                self.cause = str(data.get("reason", "shutdown"))
            elif event.get("event") == "GUEST_PANICKED":
                self.cause = "guest-panic"
