"""Whose change it was, where Rexen and the locked packages changed in one night.

Two nights differ in a commit and a lock. Halfway between them lie two variants: our change with the
old packages, and the new packages with our old commit. The cells whose numbers changed are run in
both; a number that moves in one of them only comes from what that one changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.tracking.changes import UNCOMMITTED, Cause, Change, Changes
from harness.tracking.night import Place

CellPlace = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Half:
    """A variant with one of the two changes: a commit of Rexen's, the text of inputs.lock, and the
    cells to run, as (system, workload, point), in order."""

    name: str
    commit: str
    lock_text: str
    profile: str
    cells: tuple[CellPlace, ...]


@dataclass(frozen=True, slots=True)
class Halves:
    """`ours` has only our change, `packages` only the new lock."""

    ours: Half
    packages: Half


def halves(changes: Changes) -> Halves | None:
    """The two variants to run; None where nothing is open, or where a night was made from a work
    tree that no commit has."""
    cells = tuple(
        sorted(
            {(one.number.system, one.number.workload, one.number.point) for one in _open(changes)}
        )
    )
    was, now = changes.old, changes.new
    commits = was.source.commit, now.source.commit
    if not cells or not all(commits) or any(one.endswith(UNCOMMITTED) for one in commits):
        return None
    return Halves(
        Half("ours", now.source.commit, was.lock_text, now.profile, cells),
        Half("packages", was.source.commit, now.lock_text, now.profile, cells),
    )


def attribute(
    changes: Changes, ours: Mapping[Place, float], packages: Mapping[Place, float]
) -> Changes:
    """The same changes with their causes, from the numbers that the two halves gave. Where a half
    has no number, a cause stays open."""
    numbers = tuple(
        replace(one, cause=_cause(one, ours.get(one.place), packages.get(one.place)))
        if one.cause is Cause.OPEN
        else one
        for one in changes.numbers
    )
    return replace(changes, numbers=numbers)


def _open(changes: Changes) -> Iterable[Change]:
    """Of a number that one night lacks, no half could say more."""
    return (it for it in changes.numbers if it.cause is Cause.OPEN and it.old and it.new)


def _cause(change: Change, ours: float | None, packages: float | None) -> Cause:
    if change.old is None or ours is None or packages is None:
        return Cause.OPEN
    was = change.old.value
    match ours != was, packages != was:
        case True, True:
            return Cause.BOTH
        case True, False:
            return Cause.OURS
        case False, True:
            return Cause.LOCK
    return Cause.TOGETHER
