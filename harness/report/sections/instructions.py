"""Counts -> a section of the page: what an operation executes, and who executes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.instructions import PACKET_BYTES, Operation, operations
from harness.analysis.study import Study
from harness.model.cell import Coordinates
from harness.model.counts import INSTRUCTIONS
from harness.report.numbers import MISSING, significant
from harness.report.sections.cell import cell_anchor

EVENTS = {
    "hypercalls": "hypercalls",
    "page_faults": "faults",
    "interrupts": "interrupts",
    "cr3_loads": "CR3 loads",
}
COLUMNS = ("user", "kernel", "hypervisor", "others", "all", "added", *EVENTS.values())


@dataclass(frozen=True, slots=True)
class OperationView:
    """One metric on one system; `cell` is the place of the cell that was counted, `numbers` are in
    the order of the section's columns."""

    name: str
    system: str
    cell: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstructionTable:
    """One workload's metrics, the systems of each under each other."""

    heading: str
    rows: tuple[OperationView, ...]


@dataclass(frozen=True, slots=True)
class InstructionsView:
    """The section. `notes` say how systems stand to their references."""

    id: str
    heading: str
    base: str
    packet: str
    columns: tuple[str, ...]
    tables: tuple[InstructionTable, ...]
    notes: tuple[str, ...]


def instruction_views(study: Study) -> list[InstructionsView]:
    """The section, or none if no cell of the study was counted."""
    found = operations(study.counts, systems=study.systems, workloads=study.workloads)
    if not found:
        return []
    names = list(dict.fromkeys(one.workload for one in found))
    view = InstructionsView(
        id="instructions",
        heading="Where the instructions go",
        base=study.base.id,
        packet=f"{PACKET_BYTES} bytes",
        columns=COLUMNS,
        tables=tuple(
            InstructionTable(
                study.workloads[name].title,
                tuple(_row(one, study.profile) for one in found if one.workload == name),
            )
            for name in names
        ),
        notes=tuple(_notes(study, found)),
    )
    return [view]


def _row(one: Operation, profile: str) -> OperationView:
    added = MISSING if one.over_base is None else significant(one.over_base)
    return OperationView(
        name=_name(one),
        system=one.system,
        cell=cell_anchor(Coordinates(one.system, one.workload, profile, one.point)),
        numbers=(
            *(_number(one.counted[name]) for name in INSTRUCTIONS),
            significant(one.instructions),
            added,
            *(_number(one.counted[name]) for name in EVENTS),
        ),
    )


def _number(number: float) -> str:
    return significant(number) if number else "0"


def _name(one: Operation) -> str:
    return f"{one.metric.title}, {one.point}" if one.point else one.metric.title


def _notes(study: Study, found: Sequence[Operation]) -> list[str]:
    """For each system with a reference: its part of what that executes, and of what that adds."""
    notes = []
    for system in study.systems.values():
        parts = [
            f"{_name(one)} {significant(one.share)}"
            + (f" ({significant(one.share_of_overhead)})" if one.share_of_overhead else "")
            for one in found
            if one.system == system.id and one.share is not None
        ]
        if parts:
            notes.append(
                f"What {system.id} executes as a part of what {system.reference} does, in brackets "
                f"what it adds to {study.base.id} as a part of what that adds: {', '.join(parts)}."
            )
    return notes
