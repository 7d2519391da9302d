"""A stand-in for QEMU: answers on a monitor socket and writes a scripted console.

    fake_qemu.py FOLDER SCRIPT

SCRIPT is JSON: a list of steps, each one of
    ["print", text]     append to the console
    ["write", name, text]  a file beside it
    ["flood", bytes]    append that many bytes of noise
    ["sleep", seconds]
    ["clock", seconds]  what the machine's RTC says from now on, seconds after its base
    ["event", reason]   a SHUTDOWN event with this reason, then exit 0
    ["exit", code, complaint]
    ["forever"]         stay until told to quit
The steps begin when the monitor says `cont`, as a machine started with -S does.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BASE = datetime(2003, 10, 19, tzinfo=UTC)


class FakeQemu:
    def __init__(self, folder: Path, script: list[list[Any]]) -> None:
        self.folder = folder
        self.script = script
        self.clock_s = 0.0
        self.go = threading.Event()
        self.over = threading.Event()
        self.code = 0
        self.lock = threading.Lock()
        self.peer: socket.socket | None = None

    def main(self) -> int:
        server = socket.socket(socket.AF_UNIX)
        os.chdir(self.folder)  # a short name: socket paths are limited to 107 bytes
        server.bind("monitor")
        server.listen(1)
        threading.Thread(target=self._play, daemon=True).start()
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()
        self.over.wait()
        time.sleep(0.05)
        return self.code

    def _serve(self, server: socket.socket) -> None:
        self.peer, _ = server.accept()
        self._send({"QMP": {"version": {"qemu": {}, "package": ""}, "capabilities": []}})
        for command in self._commands(self.peer):
            name = command["execute"]
            reply: dict[str, Any] = {"return": self._reply(name)}
            if "id" in command:
                reply["id"] = command["id"]
            self._send(reply)
            if name == "cont":
                self.go.set()
            if name == "quit":
                self.over.set()

    def _commands(self, peer: socket.socket) -> Iterator[dict[str, Any]]:
        """JSON documents follow each other without separators."""
        text = ""
        while data := peer.recv(4096):
            text += data.decode()
            while text.strip():
                try:
                    command, used = json.JSONDecoder().raw_decode(text.lstrip())
                except ValueError:
                    break
                text = text.lstrip()[used:]
                yield command

    def _reply(self, name: str) -> dict[str, int]:
        if name != "qom-get":
            return {}
        now = BASE + timedelta(seconds=self.clock_s)
        return {
            "tm_year": now.year - 1900,
            "tm_mon": now.month - 1,
            "tm_mday": now.day,
            "tm_hour": now.hour,
            "tm_min": now.minute,
            "tm_sec": now.second,
        }

    def _send(self, message: dict[str, Any]) -> None:
        with self.lock:
            if self.peer:
                self.peer.sendall(json.dumps(message).encode() + b"\r\n")

    def _play(self) -> None:
        self.go.wait()
        for step in self.script:
            self._take(step)
        self.over.set()

    def _take(self, step: list[Any]) -> None:
        word = step[0]
        if word == "print":
            with (self.folder / "console").open("ab") as console:
                console.write(step[1].encode("latin-1"))
        elif word == "write":
            (self.folder / step[1]).write_text(step[2])
        elif word == "flood":
            with (self.folder / "console").open("ab") as console:
                console.write(b"\xff\x00" * (step[1] // 2))
        elif word == "sleep":
            time.sleep(step[1])
        elif word == "clock":
            self.clock_s = step[1]
        elif word == "event":
            stamp = {"seconds": 0, "microseconds": 0}
            data = {"guest": True, "reason": step[1]}
            self._send({"event": "SHUTDOWN", "data": data, "timestamp": stamp})
            self.over.set()
            threading.Event().wait()
        elif word == "exit":
            self.code = step[1]
            print(step[2], file=sys.stderr, flush=True)
            self.over.set()
            threading.Event().wait()
        elif word == "forever":
            threading.Event().wait()


if __name__ == "__main__":
    sys.exit(FakeQemu(Path(sys.argv[1]), json.loads(sys.argv[2])).main())
