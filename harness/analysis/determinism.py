"""Is a cell's number the same bits every time? Judged from the runs that repeated it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.diff import first_difference
from harness.model.record import Record, Status


@dataclass(frozen=True, slots=True)
class Repeats:
    """`same` further runs gave the same bits as the counting one; `difference` names the first
    place where one did not, "" if none differed."""

    same: int
    difference: str


def repeats(standing: Record, attempts: Sequence[Record]) -> Repeats:
    """Compare every other attempt with the record that stands for the cell.

    An attempt that failed before the machine could (container engine or QEMU) says nothing
    about the machine, nor does one made before the cell first ran well.
    """
    same, difference = 0, ""
    for other in attempts:
        if other.attempt <= standing.attempt or other.outcome.status is Status.ENGINE:
            continue
        found = first_difference(standing.outcome, other.outcome)
        if found and not difference:
            difference = f"attempt {other.attempt}: {found}"
        same += not found
    return Repeats(same, difference)
