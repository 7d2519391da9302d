"""How a machine stopped -> status and one clear sentence. Pure; every branch has a test."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import ProtocolError
from harness.model.record import Phase, Status
from harness.protocol import BEGIN_LINE, Transcript, parse, until_end

# Xen says why on the line after.
PANIC = re.compile(
    r"Kernel panic - not syncing: .*|Panic on CPU \d+:.*(?:\s+\(XEN\) [^*\s].*)?|PANIC: .*|Oops: .*"
)
# What a kernel or hypervisor says when it is certain that nothing more will come.
LAST_WORDS = re.compile(rb"Kernel panic - not syncing: .*\n|Panic on CPU \d+:.*\n")
GUEST_OOM = re.compile(r"Out of memory: Killed process \d+ \((\S+)\)")


class Stop(StrEnum):
    """What ended the wait for the machine."""

    END_LINE = "end-line"
    EXIT = "exit"
    PANIC = "panic"
    VIRTUAL_DEADLINE = "virtual-deadline"
    WALL_DEADLINE = "wall-deadline"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Stopped:
    """All that is known of a machine that no longer runs.

    `exit_code` is QEMU's (None while unknown), `complaint` its last words on stderr,
    `cause` the monitor's reason of the shutdown event ("" if there was none).
    """

    stop: Stop
    console: bytes
    exit_code: int | None
    complaint: str
    cause: str
    out_of_memory: bool
    limit_s: float = 0.0


def judge(stopped: Stopped, metrics: Collection[str]) -> tuple[Status, str, Transcript]:
    """Status, reason ("" when all is well), and what could be read of the console."""
    try:
        transcript = parse(stopped.console)
    except ProtocolError as error:
        return Status.GARBAGE, error.message, Transcript()
    status, reason = _judge(stopped, transcript, metrics)
    return status, reason, transcript


def _judge(
    stopped: Stopped, transcript: Transcript, metrics: Collection[str]
) -> tuple[Status, str]:
    text = until_end(stopped.console).decode("utf-8", errors="replace")
    if transcript.exit_status is not None:
        return _finished(transcript, text, metrics)
    where = "after the workload began" if BEGIN_LINE.search(stopped.console) else "while booting"
    if stopped.out_of_memory:
        return Status.OUT_OF_MEMORY, f"the machine's container ran out of memory {where}"
    panic = PANIC.search(text)
    if panic:
        words = " ".join(panic[0].replace("(XEN) ", "").split())
        return Status.PANIC, f"{words} ({where})"
    if transcript.host_failure:
        return Status.BOOT, f"the inner guest did not start: {transcript.host_failure}"
    if stopped.stop is Stop.FLOOD:
        return Status.GARBAGE, f"console flooded with {len(stopped.console)} bytes {where}"
    early = Status.HANG if BEGIN_LINE.search(stopped.console) else Status.BOOT
    last = f"last console line: {_last_line(text)!r}"
    if stopped.stop is Stop.VIRTUAL_DEADLINE:
        return early, f"no end line within {stopped.limit_s:g} virtual s ({where}); {last}"
    if stopped.stop is Stop.WALL_DEADLINE:
        return early, f"no end line within {stopped.limit_s:g} wall s ({where}); {last}"
    if not stopped.cause:
        complaint = stopped.complaint or f"exit code {stopped.exit_code}"
        return Status.ENGINE, f"QEMU ended by itself {where}: {complaint}"
    return early, f"the machine stopped ({stopped.cause}) {where}; {last}"


def _finished(transcript: Transcript, text: str, metrics: Collection[str]) -> tuple[Status, str]:
    """The end line was seen: did the workload do all it declares?"""
    killed = GUEST_OOM.search(text)
    if transcript.exit_status and killed:
        return Status.OUT_OF_MEMORY, f"the guest ran out of memory and killed {killed[1]}"
    if transcript.exit_status:
        why = "; ".join(transcript.failures) or "it did not say why"
        return Status.WORKLOAD, f"the workload ended with status {transcript.exit_status}: {why}"
    run = {sample.metric for sample in transcript.samples if sample.phase is Phase.RUN}
    missing = sorted(set(metrics) - run)
    unknown = sorted({sample.metric for sample in transcript.samples} - set(metrics))
    if missing or unknown:
        return Status.WORKLOAD, _mismatch(missing, unknown)
    if transcript.failures:
        return Status.WORKLOAD, "; ".join(transcript.failures)
    if not transcript.workload or not transcript.begun_ns:
        return Status.GARBAGE, "the console ends well, but its begin and boot lines are lost"
    return Status.OK, ""


def _mismatch(missing: list[str], unknown: list[str]) -> str:
    parts = []
    if missing:
        parts.append(f"no sample of {', '.join(missing)}")
    if unknown:
        parts.append(f"undeclared metric {', '.join(unknown)}")
    return "; ".join(parts)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-160:] if lines else "(nothing at all)"
