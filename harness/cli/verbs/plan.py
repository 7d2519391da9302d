"""rexen plan: the cells, which of them are measured, and what the rest will take."""

from __future__ import annotations

from harness.cli.choice import Choice, again_option, choosing_options, running_options
from harness.cli.context import Context
from harness.cli.output import emit, table
from harness.cli.parsers import Verbs
from harness.errors import ExitCode
from harness.steps import duration

HEAD = ("cell", "workload", "point", "system", "state", "wall")


def add(verbs: Verbs) -> None:
    verbs.add(
        "plan",
        plan,
        "list cells with estimated time and disk",
        choosing_options(),
        running_options(),
        again_option(),
    )


def plan(
    context: Context, *, choice: Choice, jobs: int, perturb: int | None, again: bool
) -> ExitCode:
    from harness.cli.session import expected_wall_s, missing_cells, prepare
    from harness.measure.plan import estimate_bytes, estimate_wall_s

    prepared = prepare(context, choice, perturb=perturb)
    missing = missing_cells(context, prepared.cells, again=again)
    to_run = {cell.id for cell in missing}
    seen = expected_wall_s(context.store, prepared.chosen)
    rows = []
    for cell in prepared.cells:
        at = cell.at
        state = "to run" if cell.id in to_run else "measured"
        guess = duration(seen[at.workload, at.system])
        rows.append([cell.id[:12], at.workload, str(at.point), at.system, state, guess])
    wall_s, size = estimate_wall_s(missing, seen, jobs), estimate_bytes(missing)
    if context.json:
        cells = [
            {**dict(zip(HEAD, row, strict=True)), "id": cell.id}
            for row, cell in zip(rows, prepared.cells, strict=True)
        ]
        excluded = [
            {"workload": one.workload, "system": one.system, "reason": one.reason}
            for one in prepared.excluded
        ]
        emit({"cells": cells, "excluded": excluded, "wall_s": wall_s, "bytes": size})
        return ExitCode.OK
    print(table(HEAD, rows))
    for one in prepared.excluded:
        print(f"left out: {one.workload} on {one.system}: {one.reason}")
    print(
        f"\n{len(missing)} of {len(rows)} cells to run, about {duration(wall_s)} "
        f"with {jobs} at a time, {size / 1e6:.1f} MB of records"
    )
    return ExitCode.OK
