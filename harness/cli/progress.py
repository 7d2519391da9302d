"""Finished cells in words: a line each, where the time went, and the same for programs."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.record import Record
from harness.steps import duration


def cell_line(record: Record) -> str:
    """One finished cell for people; a failed one with its reason and how to repeat it."""
    name, wall = f"{record.workload} on {record.system}", duration(record.host.total_wall_s)
    if record.ok:
        return f"{name}: {len(record.outcome.samples)} samples in {wall}"
    return f"{name}: {record.outcome.status}: {record.outcome.reason}\n    again: {record.rerun}"


def time_spent(records: Sequence[Record]) -> str:
    """Where the wall time of these cells went, by system, and the harness's own share."""
    by_system: dict[str, float] = {}
    for record in records:
        by_system[record.system] = by_system.get(record.system, 0.0) + record.host.total_wall_s
    total = sum(by_system.values()) or 1.0
    own = sum(record.host.total_wall_s - record.host.machine_wall_s for record in records)
    parts = [f"{name} {duration(wall_s)}" for name, wall_s in by_system.items()]
    return f"machine time: {', '.join(parts)}; harness and engine: {100 * own / total:.1f} %"


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
