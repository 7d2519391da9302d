"""Every unperturbed cell behind the tables: how to repeat it, what went in, what it said."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from harness.analysis.instructions import Operation, operations
from harness.analysis.study import Study
from harness.model.cell import Coordinates
from harness.model.counts import NAMES
from harness.model.record import Purpose, Record
from harness.report.numbers import count_text, seconds_text, significant
from harness.report.sections.cell import cell_anchor

DIGITS = 12  # of an identity or a digest; the whole one is in records.json
# Characters of consoles that the page has room for, in all and of each cell.
ROOM, MOST, LEAST = 1_500_000, 1_600, 240
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\n\t\x20-\x7e\xa0-\uffff]")


@dataclass(frozen=True, slots=True)
class CellBlock:
    """One cell. `inputs` and `facts` are names and texts, `counts` lines of text; `console` is
    its end, "" where the store has none."""

    anchor: str
    system: str
    name: str
    status: str
    ok: bool
    told: str
    rerun: str
    identity: str
    inputs: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    counts: tuple[str, ...]
    console: str


def cell_blocks(study: Study) -> tuple[CellBlock, ...]:
    """In the order of the records: by workload, then by system."""
    shown = [one for one in study.records if not one.at.point.perturb]
    order = list(study.systems)
    shown.sort(key=lambda one: (one.workload, order.index(one.system), one.at.point))
    variants: dict[Coordinates, int] = defaultdict(int)
    for one in study.records:
        at = one.at
        variants[Coordinates(at.system, at.workload, at.profile, at.point.unperturbed)] += 1
    counted: dict[tuple[str, str, str], list[Operation]] = defaultdict(list)
    found = operations(study.counts, systems=study.systems, workloads=study.workloads)
    for it in found:
        counted[it.workload, it.system, str(it.point)].append(it)
    room = min(MOST, max(LEAST, ROOM // max(len(shown), 1)))
    return tuple(
        CellBlock(
            anchor=cell_anchor(one.at),
            system=one.system,
            name=str(one.at),
            status=one.outcome.status.value,
            ok=one.ok,
            told=_told(one, variants[one.at] - 1),
            rerun=one.rerun,
            identity=one.cell_id,
            inputs=tuple(_inputs(one)),
            facts=tuple(it for it in sorted(one.outcome.facts.items()) if "." not in it[0]),
            counts=tuple(_count(it) for it in counted[one.workload, one.system, str(one.at.point)]),
            console=_end(study.consoles.get(one.cell_id, ""), room),
        )
        for one in shown
    )


def _told(record: Record, perturbed: int) -> str:
    """How it went, in a line."""
    outcome, parts = record.outcome, []
    if not record.ok:
        parts.append(outcome.reason or "no reason was recorded")
    if record.purpose is not Purpose.MEASURE:
        parts.append("from a verification")
    parts.append(f"init began at {seconds_text(outcome.begun_ns / 1e9)} of the guest’s clock")
    parts.append(count_text(len(outcome.samples), "sample", "samples"))
    parts.append(f"{seconds_text(record.host.total_wall_s)} of wall time")
    if perturbed:
        parts.append(count_text(perturbed, "perturbed variant", "perturbed variants"))
    return "; ".join(parts)


def _inputs(record: Record) -> list[tuple[str, str]]:
    params, files = record.inputs.get("params"), record.inputs.get("files")
    found = []
    if isinstance(params, Mapping) and params:
        found.append(("parameters", " ".join(f"{key}={value}" for key, value in params.items())))
    if isinstance(files, Mapping):
        found += [(str(name), str(digest)[:DIGITS]) for name, digest in sorted(files.items())]
    return found


def _count(one: Operation) -> str:
    """`fork proc: 1 234 instructions an operation (user 12, kernel 1 222), 3 page faults`."""
    parts = [
        f"{name.replace('_', ' ')} {significant(one.counted[name])}"
        for name in NAMES
        if one.counted[name]
    ]
    whole = f"{significant(one.instructions)} instructions for each {one.per}"
    return f"{one.metric.title}: {whole}: {', '.join(parts)}"


def _end(console: str, room: int) -> str:
    """Its last whole lines, without what a page cannot show."""
    text = CONTROL.sub("", console.replace("\r", "")).rstrip()
    if len(text) <= room:
        return text
    cut = text[-room:]
    return cut[cut.find("\n") + 1 :] if "\n" in cut else cut
