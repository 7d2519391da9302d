"""A night: what one run of the whole matrix gave, and everything it was made from.

Two nights tell what changed without a store beside them: the numbers, the verdicts, the packages
that were locked, and for each cell its inputs by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.unit import Better

Place = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Number:
    """One number of one unperturbed cell. `value` and `spread` (of the perturbed variants; 0 where
    there are none) are in `unit`, the symbol that the catalogue prints behind them: `µs`, `MB/s`.
    `point` is spelled as everywhere, "" for the empty one; `cell` is the cell's id."""

    system: str
    workload: str
    metric: str
    point: str
    unit: str
    direction: Better
    value: float
    spread: float
    cell: str

    @property
    def place(self) -> Place:
        """What stays the same from night to night, in the order numbers are sorted by."""
        return self.system, self.workload, self.metric, self.point

    @property
    def name(self) -> str:
        """`lmbench-process/null_call@block=4096`, without the system."""
        name = f"{self.workload}/{self.metric}"
        return f"{name}@{self.point}" if self.point else name


@dataclass(frozen=True, slots=True)
class ClaimState:
    """The verdict of a claim for one system; `system` is "" where it does not depend on one."""

    id: str
    system: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class CellState:
    """One cell, perturbed ones too: how it ended ("ok", else its status; "not run"), and its inputs
    by name (`file kernel/cloud/vmlinuz`, `emulator`, `command line`), each a digest or the value
    itself."""

    id: str
    system: str
    workload: str
    point: str
    status: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """What a night was made from. `commit` is Rexen's, with `+` behind it where the work tree had
    other changes; `image` its tag; `artefacts` digests by name; `lock` is the SHA-256 of the text
    of inputs.lock; `differs` has one line for each package that was not as locked."""

    commit: str
    subject: str
    image: str
    emulator: str
    artefacts: Mapping[str, str]
    lock: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """`cells` are all of the night, `run` those that were run in it rather than taken from the
    store, `failed` those without a good record, `changed` the numbers that are not the last
    night's."""

    cells: int
    run: int
    failed: int
    changed: int


@dataclass(frozen=True, slots=True)
class Night:
    """`date` is `2026-11-24`, UTC. `lock_text`, `cells` and `summary` (Markdown) are empty where
    only the rest was read."""

    date: str
    profile: str
    source: Source
    counts: Counts
    numbers: tuple[Number, ...]
    claims: tuple[ClaimState, ...]
    cells: tuple[CellState, ...] = ()
    lock_text: str = ""
    summary: str = ""
    # The ledger's commit; "" before it has one.
    entry: str = field(default="", compare=False)

    @property
    def by_place(self) -> dict[Place, Number]:
        return {one.place: one for one in self.numbers}
