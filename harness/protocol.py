"""Console text -> result lines: the one grammar, for all systems.

A result line is `@rexen <word> <fields...>`; anything else a console prints is kept by the
store and ignored here. What follows the end line does not exist: the request to power off is
asynchronous, and the guest may still print.

    begin <protocol> <workload>
    boot <begun_ns> <quiet_ns>
    fact <key> <value to the end of the line>
    sample <metric> <warm|run> <rep> <count> <total_ns> <overhead_ns>
    fail <metric or -> <reason to the end of the line>
    end <exit status> <number of sample lines>
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from harness.errors import ProtocolError
from harness.model.record import Phase, Sample

PROTOCOL = 1
MARK = "@rexen "
END_LINE = re.compile(rb"@rexen end [0-9]+ [0-9]+\r*\n")
BEGIN_LINE = re.compile(rb"@rexen begin [0-9]+ \S+\r*\n")
METRIC = re.compile(r"[a-z0-9_]+")


@dataclass(slots=True)
class Transcript:
    """What a console said so far. `exit_status` is None until the end line was read."""

    workload: str = ""
    begun_ns: int = 0
    quiet_ns: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    host_failure: str = ""
    exit_status: int | None = None


def until_end(console: bytes) -> bytes:
    """The console up to and with the end line; all of it when there is none."""
    found = END_LINE.search(console)
    return console[: found.end()] if found else console


def parse(console: bytes) -> Transcript:
    """Read a whole console. Raises ProtocolError, naming the line, if the grammar is broken."""
    transcript = Transcript()
    lines = until_end(console).decode("utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        at = line.find(MARK)
        if at < 0:
            continue
        try:
            _take(transcript, line[at + len(MARK) :].rstrip())
        except (ValueError, IndexError) as error:
            raise ProtocolError(
                f"console line {number} is no result line: {line!r}: {error}"
            ) from None
    return transcript


def _take(transcript: Transcript, line: str) -> None:
    """Add one line. Raises ValueError or IndexError if it is malformed."""
    word, _, rest = line.partition(" ")
    if word == "begin":
        version, workload = _fields(rest, 2)
        if _number(version) != PROTOCOL:
            raise ValueError(f"protocol {version}, this harness speaks {PROTOCOL}")
        transcript.workload = workload
    elif word == "boot":
        begun, quiet = _fields(rest, 2)
        transcript.begun_ns, transcript.quiet_ns = _number(begun), _number(quiet)
    elif word == "fact":
        key, _, value = rest.partition(" ")
        transcript.facts[key] = value
    elif word == "sample":
        transcript.samples.append(_sample(_fields(rest, 6)))
    elif word == "fail":
        transcript.failures.append(rest)
    elif word == "host":
        if rest.startswith("fail "):
            transcript.host_failure = rest.removeprefix("fail ")
    elif word == "end":
        status, count = (_number(part) for part in _fields(rest, 2))
        if count != len(transcript.samples):
            raise ValueError(f"{count} samples announced, {len(transcript.samples)} seen")
        transcript.exit_status = status
    else:
        raise ValueError(f"unknown word {word!r}")


def _fields(rest: str, count: int) -> list[str]:
    fields = rest.split(" ")
    if len(fields) != count:
        raise ValueError(f"{len(fields)} fields where {count} belong")
    return fields


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _sample(fields: list[str]) -> Sample:
    metric, phase, rep, count, total_ns, overhead_ns = fields
    if not METRIC.fullmatch(metric):
        raise ValueError(f"{metric!r} is no metric name")
    sample = Sample(
        metric=metric,
        phase=Phase(phase),
        rep=_number(rep),
        count=_number(count),
        total_ns=_number(total_ns),
        overhead_ns=_number(overhead_ns),
    )
    if sample.count == 0:
        raise ValueError("a sample of no operations")
    return sample
