"""Every way the harness refuses or fails, each with the exit code the command line gives it.

A message says what happened and where; `hint` says what to do about it; `log` names the file
that holds the details. Only `cli` prints them. A traceback is a bug in the harness.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What `rexen` exits with; the README's table is tested against this list."""

    OK = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    ENGINE = 4
    BUILD = 5
    CELL_FAILED = 6
    DIFFERENT = 7
    STORE = 8
    DISK_FULL = 9
    INCOMPLETE = 10
    OTHER_INPUTS = 11
    CLAIM_CHANGED = 12
    REGRESSION = 13
    INTERRUPTED = 130


EXIT_CODES = {
    ExitCode.OK: "all well",
    ExitCode.BUG: "a bug in rexen",
    ExitCode.USAGE: "usage: an unknown name or option",
    ExitCode.CONFIG: "a broken catalogue file",
    ExitCode.ENGINE: "no container engine or cluster, or it went away",
    ExitCode.BUILD: "the image could not be built, saved or loaded",
    ExitCode.CELL_FAILED: "a cell failed",
    ExitCode.DIFFERENT: "results differ",
    ExitCode.STORE: "the store is locked, damaged or empty",
    ExitCode.DISK_FULL: "disk full",
    ExitCode.INCOMPLETE: "nothing differs, but values are missing on one side",
    ExitCode.OTHER_INPUTS: "inputs are not those of the lock, reference, worker or last night",
    ExitCode.CLAIM_CHANGED: "the verdict of a claim is not the last night's",
    ExitCode.REGRESSION: "a number is worse than in the last night",
    ExitCode.INTERRUPTED: "interrupted",
}


class HarnessError(Exception):
    """Base of all expected failures."""

    code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "", log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log

    def __str__(self) -> str:
        parts = [self.message]
        if self.hint:
            parts.append(self.hint)
        if self.log is not None:
            parts.append(f"details in {self.log}")
        return "; ".join(parts)


class UsageError(HarnessError):
    """The command line names something that does not exist."""

    code = ExitCode.USAGE


class ConfigError(HarnessError):
    """A catalogue or experiment file is broken: the message names file and key."""

    code = ExitCode.CONFIG


class EngineError(HarnessError):
    """No container engine, or it went away."""

    code = ExitCode.ENGINE


class ClusterError(HarnessError):
    """No cluster at that address, none of its workers can do the work, or it went away."""

    code = ExitCode.ENGINE


class UnlikeError(HarnessError):
    """A worker of the cluster has another image or other sources than this checkout."""

    code = ExitCode.OTHER_INPUTS


class BuildError(HarnessError):
    """An image could not be built."""

    code = ExitCode.BUILD


class StoreError(HarnessError):
    """The store is locked, unreadable, or of another version."""

    code = ExitCode.STORE


class DiskFullError(HarnessError):
    """No space where the records go; what was measured before is intact."""

    code = ExitCode.DISK_FULL


class ProtocolError(HarnessError):
    """A guest's console breaks the grammar of result lines."""

    code = ExitCode.CELL_FAILED


class CountingError(HarnessError):
    """What a cell executed could not be counted."""

    code = ExitCode.CELL_FAILED
