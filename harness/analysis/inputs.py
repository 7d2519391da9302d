"""Which inputs of cells differ between two sets of records, each named once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.model.record import Record


class InputKind(StrEnum):
    """What a cell's identity is made of. The value is the word that is printed."""

    ARTEFACT = "artefact"
    EMULATOR = "QEMU"
    PARAMETER = "parameter"
    OPTIONS = "command line"
    TESTBED = "testbed"
    FORMAT = "record format"
    WORKLOAD = "workload"
    PACKAGE = "package"  # of the lock; no record names one


KINDS = {
    "emulator": InputKind.EMULATOR,
    "testbed": InputKind.TESTBED,
    "record_schema": InputKind.FORMAT,
    "workload": InputKind.WORKLOAD,
}


@dataclass(frozen=True, slots=True)
class InputChange:
    """One input as it is in A and in B; "" on a side that does not have it. `cells` counts those
    in which it differs, 0 for a package."""

    kind: InputKind
    name: str
    a: str
    b: str
    cells: int

    @property
    def key(self) -> str:
        """`artefact root/base.cpio`."""
        return f"{self.kind} {self.name}".rstrip()


Difference = tuple[InputKind, str, str, str]


def differences(a: Record, b: Record) -> Iterator[Difference]:
    """Kind, name and both readings of every input in which two records differ."""
    if a.cell_id == b.cell_id:
        return
    for key, kind in KINDS.items():
        was, now = a.inputs.get(key), b.inputs.get(key)
        if was != now:
            yield kind, "", _text(was), _text(now)
    for key, kind in (("files", InputKind.ARTEFACT), ("params", InputKind.PARAMETER)):
        one, other = _mapping(a.inputs.get(key)), _mapping(b.inputs.get(key))
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name):
                where = name if kind is InputKind.ARTEFACT else f"{a.workload}.{name}"
                yield kind, where, _text(one.get(name)), _text(other.get(name))
    was, now = _words(a.inputs.get("argv")), _words(b.inputs.get("argv"))
    if was != now:
        yield InputKind.OPTIONS, a.system, *_first_other(was, now)


def counted(found: Iterable[Difference]) -> tuple[InputChange, ...]:
    """Each difference once, with the number of cells that have it."""
    cells: dict[Difference, int] = {}
    for one in found:
        cells[one] = cells.get(one, 0) + 1
    order = list(InputKind)
    return tuple(
        InputChange(*one, cells=cells[one])
        for one in sorted(cells, key=lambda it: (order.index(it[0]), it[1:]))
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _words(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list | tuple) else []


def _first_other(was: list[str], now: list[str]) -> tuple[str, str]:
    """The first argument that is not the same; of a long one, the first word that is not."""
    for one, other in zip(was, now, strict=False):
        if one != other:
            parts = one.split(), other.split()
            return _first_other(*parts) if min(map(len, parts)) > 1 else (one, other)
    return f"{len(was)} words", f"{len(now)} words"


def _text(value: object) -> str:
    return "" if value is None else str(value)
