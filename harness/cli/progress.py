"""Finished cells in words: a line each, where the time went, and the same for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.model.record import Record
from harness.steps import duration

DOMINANT = 5


def cell_line(record: Record) -> str:
    """One finished cell for people; a failed one with its reason and how to repeat it."""
    name, wall = f"{record.workload} on {record.system}", duration(record.host.total_wall_s)
    if record.ok:
        return f"{name}: {len(record.outcome.samples)} samples in {wall}"
    return f"{name}: {record.outcome.status}: {record.outcome.reason}\n    again: {record.rerun}"


def time_spent(records: Sequence[Record]) -> str:
    """Where the wall time of these cells went, by system and by workload, longest first; the cells
    that dominate; the harness's own share."""
    walls = [(record, record.host.total_wall_s) for record in records]
    total = sum(wall_s for _, wall_s in walls) or 1.0
    own = sum(record.host.total_wall_s - record.host.machine_wall_s for record in records)
    systems = [(record.system, wall_s) for record, wall_s in walls]
    workloads = [(record.workload, wall_s) for record, wall_s in walls]
    cells = [(f"{record.workload} on {record.system}", wall_s) for record, wall_s in walls]
    return "\n".join(
        [
            f"machine time by system: {_longest(systems)}",
            f"machine time by workload: {_longest(workloads)}",
            f"longest cells: {_longest(cells, DOMINANT)}",
            f"harness and engine: {100 * own / total:.1f} % of machine time",
        ]
    )


def _longest(times: Iterable[tuple[str, float]], most: int | None = None) -> str:
    """The sums by name, longest first."""
    sums: dict[str, float] = {}
    for name, wall_s in times:
        sums[name] = sums.get(name, 0.0) + wall_s
    ordered = sorted(sums.items(), key=lambda it: -it[1])[:most]
    return ", ".join(f"{name} {duration(wall_s)}" for name, wall_s in ordered)


def brief(record: Record) -> dict[str, object]:
    return {
        "cell": record.cell_id,
        "workload": record.workload,
        "system": record.system,
        "status": record.outcome.status.value,
        "reason": record.outcome.reason,
        "wall_s": record.host.total_wall_s,
        "rerun": record.rerun,
    }
