"""The only place that starts a host process: an argv, a log, a deadline; never a shell."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import HarnessError


class ProcessFailed(HarnessError):
    """A host command could not be started, failed, or took too long. `status` is what it exited
    with; 0 if it did not."""

    status = 0


def run(
    argv: Sequence[str],
    *,
    log: Path,
    wall_s: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run to success, in `folder` if one is given, output appended to `log`. Raises
    ProcessFailed."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        file.write(f"$ {' '.join(argv)}\n".encode())
        file.flush()
        try:
            done = subprocess.run(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=wall_s,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                check=False,
            )
        except FileNotFoundError:
            raise ProcessFailed(f"{argv[0]} is not installed") from None
        except subprocess.TimeoutExpired:
            raise ProcessFailed(f"{argv[0]} took longer than {wall_s:g} s", log=log) from None
    if done.returncode:
        failed = ProcessFailed(f"{argv[0]} failed with status {done.returncode}", log=log)
        failed.status = done.returncode
        raise failed


def capture(argv: Sequence[str], *, wall_s: float = 30.0) -> str:
    """What a short command prints. Raises ProcessFailed."""
    return filter_bytes(argv, b"", wall_s=wall_s).decode()


def filter_bytes(argv: Sequence[str], content: bytes, *, wall_s: float) -> bytes:
    """What a command makes of `content`. Raises ProcessFailed."""
    try:
        done = subprocess.run(
            list(argv), input=content, capture_output=True, timeout=wall_s, check=False
        )
    except FileNotFoundError:
        raise ProcessFailed(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise ProcessFailed(f"{argv[0]} took longer than {wall_s:g} s") from None
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip()
        raise ProcessFailed(f"{argv[0]} failed: {complaint or done.returncode}")
    return done.stdout


def spawn_daemon(argv: Sequence[str], *, log: Path) -> int:
    """Start a process that outlives this one, in a session of its own; its process id."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise ProcessFailed(f"{argv[0]} is not installed") from None
    return process.pid


def alive(pid: int) -> bool:
    """Whether a process of ours still runs (reaps it if it does not)."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False
