"""What changed between two nights, number by number, and which inputs changed with it. Exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.model.unit import Better
from harness.tracking.night import CellState, Night, Number, Place

# A number moved far enough to be called a step: this part of it, and beyond the spread.
STEP = 0.001
# Behind a commit: the work tree had changes beyond it.
UNCOMMITTED = "+"
ABSENT = "absent"


class Cause(StrEnum):
    """What a change comes from. The value is what the summary prints."""

    OURS = "a change of ours"
    LOCK = "the renewed lock"
    BOTH = "both, each by itself"
    TOGETHER = "only both together"
    OPEN = "a change of ours or the renewed lock: not told apart"
    NEITHER = "other inputs than commit and lock"
    NOTHING = "nothing: the same inputs gave other bits"


@dataclass(frozen=True, slots=True)
class Change:
    """A number that is not what it was; a side is None where it is absent. `inputs` names the
    inputs of its cell that changed, and is empty for a cell of the same inputs."""

    old: Number | None
    new: Number | None
    inputs: tuple[str, ...]
    cause: Cause

    @property
    def number(self) -> Number:
        """The newer of the two."""
        one = self.new or self.old
        assert one is not None
        return one

    @property
    def place(self) -> Place:
        return self.number.place

    @property
    def relative(self) -> float | None:
        """`new / old - 1`; None where that cannot be said."""
        if self.old is None or self.new is None or not self.old.value:
            return None
        return self.new.value / self.old.value - 1

    @property
    def worse(self) -> bool:
        if self.old is None or self.new is None:
            return self.new is None
        grew = self.new.value > self.old.value
        return grew is (self.new.direction is Better.LOWER)

    @property
    def within_spread(self) -> bool:
        """No further apart than perturbations of what must not matter move it."""
        if self.old is None or self.new is None or not self.inputs:
            return False
        return abs(self.new.value - self.old.value) <= max(self.old.spread, self.new.spread)

    @property
    def is_step(self) -> bool:
        relative = self.relative
        far = relative is None or abs(relative) >= STEP
        return far and not self.within_spread


@dataclass(frozen=True, slots=True)
class ClaimChange:
    """A verdict that is not what it was; ABSENT on the side that has none."""

    id: str
    system: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """From one night to the next of its profile."""

    old: Night
    new: Night
    numbers: tuple[Change, ...]
    claims: tuple[ClaimChange, ...]
    broken: tuple[CellState, ...]

    @property
    def ours(self) -> bool:
        """Whether Rexen itself changed; of two work trees that no commit has, nobody can tell."""
        now = self.new.source.commit
        return self.old.source.commit != now or now.endswith(UNCOMMITTED)

    @property
    def lock(self) -> bool:
        """Whether the packages changed: those locked, or what was taken in their place."""
        was, now = self.old.source, self.new.source
        return was.lock != now.lock or was.differs != now.differs

    @property
    def steps(self) -> tuple[Change, ...]:
        return tuple(one for one in self.numbers if one.is_step)

    @property
    def regressions(self) -> tuple[Change, ...]:
        """Steps for the worse. A number that is gone is one where its cell is still planned."""
        planned = {(one.system, one.workload, one.point) for one in self.new.cells}
        return tuple(
            one
            for one in self.steps
            if one.worse
            and (one.new or (one.number.system, one.number.workload, one.number.point) in planned)
        )

    @property
    def undetermined(self) -> tuple[Change, ...]:
        """Numbers that other bits came of than before, of the same inputs."""
        return tuple(one for one in self.numbers if one.cause is Cause.NOTHING)

    @property
    def turned(self) -> tuple[ClaimChange, ...]:
        """Claims that both nights judge, and otherwise."""
        return tuple(one for one in self.claims if ABSENT not in (one.old, one.new))

    @property
    def inputs(self) -> dict[str, int]:
        """Inputs that changed, with the number of cells each changed for."""
        was = {_at(one): one.inputs for one in self.old.cells}
        found: dict[str, int] = {}
        for cell in self.new.cells:
            for name in other_names(was.get(_at(cell), cell.inputs), cell.inputs):
                found[name] = found.get(name, 0) + 1
        return dict(sorted(found.items()))


def compare(old: Night, new: Night) -> Changes:
    """Causes are as far as the two nights tell by themselves; `attribution` knows more."""
    was, now = old.by_place, new.by_place
    inputs = {one.id: one.inputs for night in (old, new) for one in night.cells}
    changes = Changes(old, new, (), (), ())
    found = []
    for place in sorted(was.keys() | now.keys()):
        one, other = was.get(place), now.get(place)
        if one and other and one.value == other.value and one.unit == other.unit:
            continue
        names: tuple[str, ...] = ()
        if one and other:
            names = other_names(inputs.get(one.cell, {}), inputs.get(other.cell, {}))
        found.append(Change(one, other, names, _cause(changes, one, other)))
    return Changes(old, new, tuple(found), _claims(old, new), _broken(old, new))


def other_names(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The names of inputs that are not the same."""
    return tuple(name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name))


def _cause(changes: Changes, old: Number | None, new: Number | None) -> Cause:
    if old and new and old.cell == new.cell:
        return Cause.NOTHING
    match changes.ours, changes.lock:
        case True, True:
            return Cause.OPEN
        case True, False:
            return Cause.OURS
        case False, True:
            return Cause.LOCK
    return Cause.NEITHER


def _claims(old: Night, new: Night) -> tuple[ClaimChange, ...]:
    was = {(one.id, one.system): one for one in old.claims}
    now = {(one.id, one.system): one for one in new.claims}
    found = []
    for key in sorted(was.keys() | now.keys()):
        one, other = was.get(key), now.get(key)
        before, after = (it.verdict if it else ABSENT for it in (one, other))
        if before != after:
            found.append(ClaimChange(*key, before, after, other.reason if other else ""))
    return tuple(found)


def _broken(old: Night, new: Night) -> tuple[CellState, ...]:
    """Cells without a good record that had one, or are new."""
    was = {_at(one): one.status for one in old.cells}
    return tuple(one for one in new.cells if one.status != "ok" and was.get(_at(one)) != one.status)


def _at(cell: CellState) -> tuple[str, str, str]:
    return cell.system, cell.workload, cell.point
