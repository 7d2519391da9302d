"""Where the numbers come from: cells, time, determinism, files, command lines, hosts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.frame import Frames
from harness.analysis.stats import middle
from harness.model.record import Record, Status
from harness.model.system import System
from harness.model.workload import Workload
from harness.report.numbers import percent_text, seconds_text
from harness.report.tables import failed_anchor

NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class FailedView:
    """A failed cell, why, and how to run it again."""

    anchor: str
    name: str
    status: str
    reason: str
    rerun: str


@dataclass(frozen=True, slots=True)
class TimeView:
    """What one system took: to its init in virtual and in wall seconds (the middle of its
    good cells), then the wall seconds of each cell and of all."""

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
    """Whether one cell gave the same bits again."""

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


def failed_cells(frames: Frames) -> tuple[FailedView, ...]:
    return tuple(
        FailedView(
            anchor=failed_anchor(one.system, one.workload),
            name=f"{one.workload} on {one.system}",
            status=one.outcome.status.value,
            reason=one.outcome.reason or "no reason was recorded",
            rerun=one.rerun,
        )
        for one in frames.standing
        if not one.ok
    )


def cells_not_run(
    frames: Frames, systems: Mapping[str, System], workloads: Mapping[str, Workload]
) -> tuple[str, ...]:
    """Cells of the catalogue without any record."""
    return tuple(
        f"{workload} on {system}"
        for workload in workloads
        for system in systems
        if frames.record(system, workload) is None
    )


def times(
    frames: Frames, systems: Mapping[str, System], workloads: Mapping[str, Workload]
) -> TimesView:
    hosts = [one.host for one in frames.standing]
    total_s = sum(host.total_wall_s for host in hosts)
    machine_s = sum(host.machine_wall_s for host in hosts)
    ran = [one for one in systems if any(it.system == one for it in frames.standing)]
    return TimesView(
        workloads=tuple(workloads),
        systems=tuple(_time(one, frames, workloads) for one in ran),
        machine=seconds_text(machine_s),
        total=seconds_text(total_s),
        own_share=percent_text(total_s - machine_s, total_s),
    )


def _time(system: str, frames: Frames, workloads: Mapping[str, Workload]) -> TimeView:
    records = [one for one in frames.standing if one.system == system]
    good = [one for one in records if one.ok]
    walls = {one.workload: one.host.total_wall_s for one in records}
    return TimeView(
        system=system,
        virtual_boot=seconds_text(middle([one.outcome.begun_ns / NS_PER_S for one in good])),
        boot=seconds_text(middle([one.host.boot_wall_s for one in good])),
        cells=tuple(seconds_text(walls.get(workload, math.nan)) for workload in workloads),
        total=seconds_text(sum(walls.values())),
    )


def repeats_view(
    frames: Frames, systems: Mapping[str, System], workloads: Mapping[str, Workload]
) -> RepeatsView:
    cells = {
        (str(row["system"]), str(row["workload"])): (
            str(row["status"]),
            int(row["same"]),
            str(row["difference"]),
        )
        for row in frames.cells.to_dict("records")
    }
    rows = []
    for workload in workloads:
        views = tuple(_repeat(system, cells.get((system, workload))) for system in systems)
        rows.append((workload, views))
    differences = tuple(
        (f"{workload} on {system}", difference)
        for (system, workload), (_, _, difference) in cells.items()
        if difference
    )
    return RepeatsView(tuple(systems), tuple(rows), differences)


def _repeat(system: str, cell: tuple[str, int, str] | None) -> RepeatView:
    if cell is None:
        return RepeatView(system, "not run", "none")
    status, same, difference = cell
    if status != Status.OK:
        return RepeatView(system, status, "failed")
    if difference:
        return RepeatView(system, "DIFFERS", "differs")
    if not same:
        return RepeatView(system, "not yet verified", "once")
    return RepeatView(system, f"identical, {same + 1} runs", "same")


def system_views(frames: Frames, systems: Mapping[str, System]) -> tuple[SystemView, ...]:
    return tuple(
        _system(one, next((it for it in frames.standing if it.system == one.id), None))
        for one in systems.values()
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


def origin(frames: Frames) -> OriginView:
    """Shared inputs. `frame.check_comparable` has made sure that they are shared."""
    files: dict[str, str] = {}
    for one in frames.standing:
        found = one.inputs.get("files")
        files |= {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}
    started = sorted(one.host.started_at for one in frames.standing)
    first = frames.standing[0].inputs if frames.standing else {}
    pairs = [
        ("emulator", str(first.get("emulator", ""))),
        ("testbed", str(first.get("testbed", ""))),
        ("record format", str(first.get("record_schema", ""))),
        ("measured", " to ".join(dict.fromkeys((started[0], started[-1]))) if started else ""),
    ]
    hosts = dict.fromkeys(
        ", ".join(f"{key} {value}" for key, value in sorted(one.host.host.items()))
        for one in frames.standing
    )
    return OriginView(tuple(pairs), tuple(sorted(files.items())), tuple(hosts))
