"""Are two runs of one cell the same bits, and if not, where do they part first?

`rexen verify` and the report ask the same function here, so they cannot come to two answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest

from harness.model.record import Outcome, Record, Sample, Status
from harness.protocol import until_end

FIRST_FIELDS = ("status", "reason", "begun_ns", "quiet_ns")


@dataclass(frozen=True, slots=True)
class Repeats:
    """`same` further runs gave the same bits as the representative one; `difference` names the
    first place where one did not, "" if none differed."""

    same: int
    difference: str


def first_difference(a: Outcome, b: Outcome, consoles: tuple[bytes, bytes] | None = None) -> str:
    """The field in which two outcomes of one cell first part, in the order a reader would look,
    and, given both consoles, the line in which those do; "" if the outcomes are the same bits."""
    found = _field(a, b)
    line = _console_line(*consoles) if found and consoles else ""
    return f"{found}; {line}" if line else found


def _field(a: Outcome, b: Outcome) -> str:
    for name in FIRST_FIELDS:
        was, now = getattr(a, name), getattr(b, name)
        if was != now:
            return f"{name}: {was} / {now}"
    for one, other in zip_longest(a.samples, b.samples):
        if one is None or other is None:
            return f"{len(a.samples)} / {len(b.samples)} samples"
        if one != other:
            return _sample(one, other)
    for key in sorted(a.facts.keys() | b.facts.keys()):
        if a.facts.get(key) != b.facts.get(key):
            return f"fact {key}: {a.facts.get(key)} / {b.facts.get(key)}"
    if a.console_sha256 != b.console_sha256:
        return "console: same values, other text"
    return ""


def _sample(one: Sample, other: Sample) -> str:
    name = next(it.name for it in fields(one) if getattr(one, it.name) != getattr(other, it.name))
    where = f"{one.metric} {one.phase} {one.rep}"
    return f"{where}: {name} {getattr(one, name)} / {getattr(other, name)}"


def _console_line(one: bytes, other: bytes) -> str:
    """The first line that differs, with both readings; consoles are cut at their end lines."""
    lines = zip_longest(_lines(one), _lines(other), fillvalue="(nothing)")
    for number, (left, right) in enumerate(lines, start=1):
        if left != right:
            return f"console line {number}: {left!r} / {right!r}"
    return ""


def _lines(console: bytes) -> list[str]:
    return until_end(console).decode("utf-8", errors="replace").splitlines()


def repeats(first: Record, attempts: Sequence[Record]) -> Repeats:
    """Compare every later attempt with the cell's representative one.

    An attempt that failed before the machine could (container engine or QEMU) says nothing
    about the machine, nor does one made before the cell first ran well.
    """
    same, difference = 0, ""
    for other in attempts:
        if other.attempt <= first.attempt or other.outcome.status is Status.ENGINE:
            continue
        found = first_difference(first.outcome, other.outcome)
        if found and not difference:
            difference = f"attempt {other.attempt}: {found}"
        same += not found
    return Repeats(same, difference)
