"""rexen verify: run cells once more and compare them with what is stored, bit by bit."""

from __future__ import annotations

from harness.cli.choice import Choice, choosing_options, running_options
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode
from harness.model.record import Purpose, Record


def add(verbs: Verbs) -> None:
    verbs.add(
        "verify",
        verify,
        "run cells again, compare bit by bit",
        choosing_options(),
        running_options(),
    )


def verify(context: Context, *, choice: Choice, jobs: int, perturb: int | None) -> ExitCode:
    from harness.cli.session import is_measured, measure, prepare

    prepared = prepare(context, choice, perturb=perturb)
    store = context.store
    first_runs = [cell for cell in prepared.cells if not is_measured(store, cell)]
    if first_runs:
        context.steps.say(f"{len(first_runs)} cells were never measured: measuring them first")
        measure(context, prepared, first_runs, purpose=Purpose.MEASURE, jobs=jobs)
    cells = [cell for cell in prepared.cells if is_measured(store, cell)]
    with context.steps.step(f"verifying {len(cells)} cells, {jobs} at a time"):
        repeats = measure(context, prepared, cells, purpose=Purpose.VERIFY, jobs=jobs)
    different = [finding for record in repeats if (finding := _difference(context, record))]
    failed = len(prepared.cells) - len(cells)
    if context.json:
        emit({"verified": len(repeats), "different": different, "failed": failed})
    else:
        for finding in different:
            print(finding)
        print(f"{len(repeats) - len(different)} of {len(prepared.cells)} cells are bit-identical")
    if different:
        return ExitCode.DIFFERENT
    return ExitCode.CELL_FAILED if failed else ExitCode.OK


def _difference(context: Context, repeat: Record) -> str:
    """ "" if a repeated run equals the cell's first good one, else where they first differ."""
    raise NotImplementedError
