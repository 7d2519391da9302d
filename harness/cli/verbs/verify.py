"""rexen verify: run cells once more and compare them bit by bit with what is stored, or with the
reference results that the repository carries."""

from __future__ import annotations

from collections.abc import Sequence

from harness import catalogue
from harness.cli.choice import Choice, choosing_options, cluster_option, running_options
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, StoreError
from harness.model.record import Purpose, Record
from harness.store import read_reference


def add(verbs: Verbs) -> None:
    parser = verbs.add(
        "verify",
        verify,
        "run cells again, compare bit by bit",
        choosing_options(),
        running_options(),
        cluster_option(),
    )
    parser.add_argument(
        "--reference",
        action="store_true",
        help="compare with results/reference/ instead of with this store's own runs",
    )


def verify(
    context: Context,
    *,
    choice: Choice,
    jobs: int,
    cluster: str,
    perturb: int | None,
    reference: bool,
) -> ExitCode:
    """DIFFERENT if a cell gave other bits; CELL_FAILED if one has no good run to compare with."""
    if reference:
        return _against_reference(context, choice, perturb, jobs=jobs, cluster=cluster)
    from harness.cli.session import at_a_time, is_measured, measure, prepare

    prepared = prepare(context, choice, perturb=perturb)
    store = context.store
    first_runs = [cell for cell in prepared.cells if not is_measured(store, cell)]
    if first_runs:
        context.steps.say(f"{len(first_runs)} cells were never measured: measuring them first")
        measure(context, prepared, first_runs, purpose=Purpose.MEASURE, jobs=jobs, cluster=cluster)
    cells = [cell for cell in prepared.cells if is_measured(store, cell)]
    with context.steps.step(f"verifying {len(cells)} cells, {at_a_time(jobs, cluster)}"):
        repeats = measure(
            context, prepared, cells, purpose=Purpose.VERIFY, jobs=jobs, cluster=cluster
        )
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
    from harness.analysis.compare import first_difference

    store = context.store
    original = store.measured(repeat.cell_id)
    if original is None or original.outcome == repeat.outcome:
        return ""
    consoles = store.console(original), store.console(repeat)
    where = first_difference(original.outcome, repeat.outcome, consoles)
    return f"{repeat.at} differs from its first run: {where}"


def _against_reference(
    context: Context, choice: Choice, perturb: int | None, *, jobs: int, cluster: str
) -> ExitCode:
    """Run what the reference has, here and now. With other inputs the bits cannot be the same:
    then the ratios are compared, and every input that differs is named."""
    from harness.analysis.reference import compare_with_reference
    from harness.cli.session import at_a_time, measure, prepare

    prepared = prepare(context, choice, perturb=perturb)
    path = context.paths.reference(choice.profile)
    expected = [one for one in read_reference(path) if prepared.chosen.wants(one.at)]
    if choice.shard is not None:
        mine = {cell.at for cell in prepared.cells}
        expected = [one for one in expected if one.at in mine]
    places = {one.at for one in expected}
    cells = [cell for cell in prepared.cells if cell.at in places]
    if not cells:
        raise StoreError(f"{path} has none of the chosen cells", hint="rexen plan lists them")
    with context.steps.step(f"running {len(cells)} cells, {at_a_time(jobs, cluster)}"):
        fresh: Sequence[Record] = measure(
            context, prepared, cells, purpose=Purpose.VERIFY, jobs=jobs, cluster=cluster
        )
    found = compare_with_reference(
        expected,
        fresh,
        systems=catalogue.load_systems(context.paths),
        workloads=catalogue.load_workloads(context.paths),
    )
    if context.json:
        emit(found.document())
    else:
        print("\n".join(found.lines()))
    if found.different or found.failed:
        return ExitCode.DIFFERENT if found.different else ExitCode.CELL_FAILED
    if found.missing:
        return ExitCode.INCOMPLETE
    return ExitCode.OTHER_INPUTS if found.inputs else ExitCode.OK
