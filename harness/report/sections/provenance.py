"""Where the numbers come from: cells, time, determinism, files, command lines, hosts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.stats import median
from harness.analysis.study import Study
from harness.model.record import AS_LOCKED, INPUTS, Record, Status
from harness.model.system import System
from harness.model.workload import Workload
from harness.report.numbers import count_text, percent_text, seconds_text
from harness.report.sections.cell import NOT_RUN, UNABLE, cell_anchor, failed_anchor

NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class FailedView:
    """A failed cell, why, and how to run it again; `cell` is its place among all cells, "" for a
    perturbed one, which has none."""

    anchor: str
    name: str
    status: str
    reason: str
    rerun: str
    cell: str


@dataclass(frozen=True, slots=True)
class TimeView:
    """What one system took: to its init in virtual and in wall seconds (the median of its
    good cells), then the wall seconds of the cells of each workload and of all."""

    system: str
    virtual_boot: str
    boot: str
    cells: tuple[str, ...]
    total: str


@dataclass(frozen=True, slots=True)
class TimesView:
    """All systems and their sum; `own_share` is what the harness itself took of it."""

    workloads: tuple[str, ...]
    systems: tuple[TimeView, ...]
    machine: str
    total: str
    own_share: str


@dataclass(frozen=True, slots=True)
class RepeatView:
    """Whether the cells of one workload on one system gave the same bits again."""

    system: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class RepeatsView:
    """One row per workload, one column per system; and every difference seen."""

    systems: tuple[str, ...]
    rows: tuple[tuple[str, tuple[RepeatView, ...]], ...]
    differences: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SystemView:
    """How one system was started and what its guest said of itself."""

    id: str
    title: str
    summary: str
    stands_for: str
    caveat: str
    memory: str
    divide: int
    argv: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OriginView:
    """What all cells share."""

    pairs: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    hosts: tuple[str, ...]


def failed_cells(study: Study) -> tuple[FailedView, ...]:
    return tuple(
        FailedView(
            anchor=failed_anchor(one.at),
            name=str(one.at),
            status=one.outcome.status.value,
            reason=one.outcome.reason or "no reason was recorded",
            rerun=one.rerun,
            cell="" if one.at.point.perturb else cell_anchor(one.at),
        )
        for one in study.records
        if not one.ok
    )


def cells_not_run(study: Study) -> tuple[str, ...]:
    """Cells that the experiments want and that have no record."""
    have = {one.at for one in study.records}
    return tuple(str(at) for at in study.wanted() if at not in have)


def cells_unable(study: Study) -> tuple[tuple[str, str], ...]:
    """Workloads that an experiment wants of a system which cannot run them, with its reason."""
    found = {
        (choice.workload, system.id): reason
        for experiment in study.experiments
        for choice in experiment.cells
        for system in study.systems.values()
        if choice.wants(system.id) and (reason := system.cannot(study.workloads[choice.workload]))
    }
    return tuple((f"{work} on {system}", reason) for (work, system), reason in found.items())


def differing_inputs(study: Study) -> tuple[str, ...]:
    """What the records say of inputs that are not the locked ones, each text once."""
    said = (one.host.host.get(INPUTS, AS_LOCKED) for one in study.records)
    return tuple(text for text in dict.fromkeys(said) if text != AS_LOCKED)


def times(study: Study) -> TimesView:
    hosts = [one.host for one in study.records]
    total_s = sum(host.total_wall_s for host in hosts)
    machine_s = sum(host.machine_wall_s for host in hosts)
    workloads = [it for it in study.workloads if any(it == one.workload for one in study.records)]
    return TimesView(
        workloads=tuple(workloads),
        systems=tuple(_time(study, one, workloads) for one in study.systems if one in study.ran),
        machine=seconds_text(machine_s),
        total=seconds_text(total_s),
        own_share=percent_text(total_s - machine_s, total_s),
    )


def _time(study: Study, system: str, workloads: Sequence[str]) -> TimeView:
    records = [one for one in study.records if one.system == system]
    good = [one for one in records if one.ok]
    walls: dict[str, float] = defaultdict(float)
    for one in records:
        walls[one.workload] += one.host.total_wall_s
    return TimeView(
        system=system,
        virtual_boot=seconds_text(median([one.outcome.begun_ns / NS_PER_S for one in good])),
        boot=seconds_text(median([one.host.boot_wall_s for one in good])),
        cells=tuple(seconds_text(walls.get(workload, math.nan)) for workload in workloads),
        total=seconds_text(sum(walls.values())),
    )


def repeats_view(study: Study) -> RepeatsView:
    cells = study.frames.cells.to_dict("records")
    grouped: dict[tuple[str, str], list[Mapping[str, object]]] = defaultdict(list)
    for row in cells:
        grouped[str(row["workload"]), str(row["system"])].append(
            {str(k): v for k, v in row.items()}
        )
    wanted = {(at.workload, at.system) for at in study.wanted()}
    rows = []
    for workload in study.workloads:
        if any(workload == it for it, _ in grouped.keys() | wanted):
            views = (
                _repeat(one, grouped.get((workload, one.id), []), study.workloads[workload])
                for one in study.systems.values()
            )
            rows.append((workload, tuple(views)))
    differences = tuple(
        (str(one.at), str(row["difference"]))
        for one, row in zip(study.records, cells, strict=True)
        if row["difference"]
    )
    return RepeatsView(tuple(study.systems), tuple(rows), differences)


def _repeat(
    system: System, cells: Sequence[Mapping[str, object]], workload: Workload
) -> RepeatView:
    """The worst of the cells decides; how many they are is said where they are several."""
    if not cells:
        word = UNABLE if system.cannot(workload) else NOT_RUN
        return RepeatView(system.id, word, "none")
    failed = [str(row["status"]) for row in cells if row["status"] != Status.OK]
    runs = [int(str(row["same"])) + 1 for row in cells]
    again = sum(count > 1 for count in runs)
    several = f" of {len(cells)} cells" if len(cells) > 1 else ""
    if failed:
        return RepeatView(
            system.id, f"{len(failed)}{several}: {failed[0]}" if several else failed[0], "failed"
        )
    if any(row["difference"] for row in cells):
        return RepeatView(system.id, "DIFFERS", "differs")
    if not again:
        return RepeatView(system.id, "not yet verified", "once")
    if again < len(cells):
        return RepeatView(system.id, f"{again}{several} identical", "once")
    text = f"identical, {min(runs)} runs"
    return RepeatView(system.id, f"{text} each{several}" if several else text, "same")


def system_views(study: Study) -> tuple[SystemView, ...]:
    return tuple(
        _system(one, next((it for it in study.records if it.system == one.id), None))
        for one in study.systems.values()
    )


def _system(system: System, record: Record | None) -> SystemView:
    argv = record.inputs.get("argv") if record else None
    words = [str(word) for word in argv] if isinstance(argv, Sequence) else []
    return SystemView(
        id=system.id,
        title=system.title,
        summary=system.summary,
        stands_for=system.stands_for,
        caveat=system.caveat,
        memory=f"{system.guest.memory_mib} MiB",
        divide=system.guest.divide,
        argv="\n".join(_option_lines(words)),
        # A fact with a dot in its key has its place in a table of its own, see facts.py.
        facts=tuple(it for it in sorted(record.outcome.facts.items()) if "." not in it[0])
        if record
        else (),
    )


def _option_lines(words: Sequence[str]) -> list[str]:
    """An argv, each option on a line with its value."""
    lines: list[str] = []
    for word in words:
        if lines and not word.startswith("-"):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def origin(study: Study) -> OriginView:
    """Shared inputs. `comparable.check_comparable` has made sure that they are shared."""
    files: dict[str, str] = {}
    for one in study.records:
        found = one.inputs.get("files")
        files |= {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}
    started = sorted(one.host.started_at for one in study.records)
    first = study.records[0].inputs
    pairs = [
        ("emulator", str(first.get("emulator", ""))),
        ("testbed", str(first.get("testbed", ""))),
        ("record format", str(first.get("record_schema", ""))),
        ("measured", " to ".join(dict.fromkeys((started[0], started[-1])))),
    ]
    hosts = dict.fromkeys(
        ", ".join(f"{key} {value}" for key, value in sorted(one.host.host.items()))
        for one in study.records
    )
    return OriginView(tuple(pairs), tuple(sorted(files.items())), tuple(hosts))


def cells_text(study: Study) -> str:
    """`24 cells`, or `30 cells, 6 of them perturbed`."""
    count = len(study.records)
    perturbed = sum(bool(one.at.point.perturb) for one in study.records)
    text = count_text(count, "cell", "cells")
    return f"{text}, {perturbed} of them perturbed" if perturbed else text
