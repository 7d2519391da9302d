"""rexen count: run cells under the emulator's counting plugin; what an operation executes, and who
executes it. No records: the cells' numbers are what they are without it, which is checked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from harness import catalogue
from harness.cli.choice import Choice, again_option, choosing_options, jobs_option
from harness.cli.context import Context
from harness.cli.output import emit, table
from harness.cli.parsers import Verbs
from harness.errors import ExitCode
from harness.model.counts import INSTRUCTIONS
from harness.model.record import Purpose

if TYPE_CHECKING:
    from harness.analysis.instructions import Operation
    from harness.cli.session import Prepared
    from harness.measure.counting.run import Counted
    from harness.model.cell import Cell

SHOWN_EVENTS = ("syscalls", "hypercalls", "page_faults", "interrupts", "cr3_loads")


def add(verbs: Verbs) -> None:
    verbs.add(
        "count",
        count,
        "count the instructions of an operation, by who executes them",
        choosing_options(),
        jobs_option(),
        again_option(),
    )


def count(context: Context, *, choice: Choice, jobs: int, again: bool) -> ExitCode:
    """CELL_FAILED if a cell failed or could not be counted; DIFFERENT if one gave other bits than
    its record."""
    from harness.analysis.instructions import operations
    from harness.cli.session import prepare, say_excluded

    prepared = prepare(context, choice, perturb=0)
    say_excluded(context, prepared)
    kept = {it.id: counts for it in prepared.cells if (counts := context.store.counts(it.id))}
    missing = [it for it in prepared.cells if again or it.id not in kept]
    if len(missing) < len(prepared.cells):
        have = len(prepared.cells) - len(missing)
        context.steps.say(f"{have} of {len(prepared.cells)} cells are counted already")
    counted = _count(context, prepared, missing, jobs) if missing else []
    kept |= {it.cell.id: it.counts for it in counted if it.counts is not None}
    found = operations(
        kept.values(),
        systems=catalogue.load_systems(context.paths),
        workloads=catalogue.load_workloads(context.paths),
    )
    failed = [f"{it.cell.at}: {it.reason}" for it in counted if it.counts is None]
    different = [text for it in counted if (text := _difference(context, it))]
    if context.json:
        rows = [_document(it) for it in found]
        emit({"operations": rows, "failed": failed, "different": different})
    else:
        print("\n".join([_table(found), *failed, *different]))
    if different:
        return ExitCode.DIFFERENT
    return ExitCode.CELL_FAILED if failed else ExitCode.OK


def _count(context: Context, prepared: Prepared, cells: Sequence[Cell], jobs: int) -> list[Counted]:
    """Run these cells under the plugin and keep what it counts of each as it ends."""
    from harness.cli.session import run_each
    from harness.measure.counting.run import count_cell, uncounted
    from harness.measure.executors import Task

    run = partial(count_cell, tables={it.id: it.owners for it in prepared.chosen.systems})
    task = Task(run, uncounted)
    done: list[Counted] = []

    def keep(one: Counted) -> str:
        if one.counts is not None:
            context.store.keep_counts(one.counts)
        done.append(one)
        return f"{one.cell.at}: {one.reason or 'counted'}"

    with context.steps.step(f"counting in {len(cells)} cells, {jobs} at a time"):
        run_each(context, prepared, cells, purpose=Purpose.VERIFY, jobs=jobs, task=task, keep=keep)
    return done


def _difference(context: Context, counted: Counted) -> str:
    """ "" if the cell gave what its record has, or has none; else where they first differ."""
    from harness.analysis.compare import first_difference

    record = context.store.measured(counted.cell.id)
    if record is None or not record.ok or counted.counts is None:
        return ""
    if record.outcome == counted.outcome:
        return ""
    where = first_difference(record.outcome, counted.outcome)
    return f"{counted.cell.at} gives other bits while counted: {where}"


def _document(one: Operation) -> dict[str, object]:
    return {
        "workload": one.workload,
        "point": dict(one.point.values),
        "metric": one.metric.id,
        "system": one.system,
        "per": one.per,
        "instructions": one.instructions,
        "counted": dict(one.counted),
        "added": one.over_base,
        "share": one.share,
        "share_of_added": one.share_of_overhead,
    }


def _table(found: Sequence[Operation]) -> str:
    events = [name.replace("_", " ") for name in SHOWN_EVENTS]
    head = ["metric", "per", "system", *INSTRUCTIONS, "all", "added", "share", "of added", *events]
    rows = []
    for one in found:
        place = f" at {one.point}" if one.point else ""
        rows.append(
            [
                f"{one.workload}/{one.metric.id}{place}",
                one.per,
                one.system,
                *(_text(one.counted[name]) for name in INSTRUCTIONS),
                _text(one.instructions),
                _text(one.over_base),
                _text(one.share),
                _text(one.share_of_overhead),
                *(_text(one.counted[name]) for name in SHOWN_EVENTS),
            ]
        )
    return table(head, rows)


def _text(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"
