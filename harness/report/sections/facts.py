"""Facts of the guest whose key has a dot, `<group>.<name>`: one table for each group."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.study import Study
from harness.report.numbers import MISSING

HEADINGS = {"hv": "Hypervisor calls"}  # a group without one here is its own heading


@dataclass(frozen=True, slots=True)
class FactTable:
    """One group: a column for each unperturbed cell that has a fact of it, as its name and its
    system."""

    id: str
    heading: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def fact_tables(study: Study) -> tuple[FactTable, ...]:
    """Groups and names in alphabetical order, values as the guest printed them."""
    found: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
    for record in (one for one in study.records if not one.at.point.perturb):
        for key, value in record.outcome.facts.items():
            group, dot, name = key.partition(".")
            if dot:
                cells = found.setdefault(group, {})
                cells.setdefault((str(record.at), record.system), {})[name] = value
    return tuple(_table(group, cells) for group, cells in sorted(found.items()))


def _table(group: str, cells: dict[tuple[str, str], dict[str, str]]) -> FactTable:
    names = sorted({name for facts in cells.values() for name in facts})
    return FactTable(
        id=f"facts-{group}",
        heading=HEADINGS.get(group, group),
        columns=tuple(cells),
        rows=tuple(
            (name, tuple(facts.get(name, MISSING) for facts in cells.values())) for name in names
        ),
    )
