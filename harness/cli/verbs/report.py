"""rexen report: render what is measured. Starts no machine and needs no engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.choice import Choice, Chosen, choose, choosing_options
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, StoreError
from harness.store import newest_cells

if TYPE_CHECKING:
    from harness.model.record import Record


def add(verbs: Verbs) -> None:
    verbs.add("report", report, "render the HTML report of what is measured", choosing_options())


def report(context: Context, *, choice: Choice) -> ExitCode:
    chosen = choose(context.paths, choice)
    records = select(context, chosen)
    page = render(context, choice, records)
    if context.json:
        emit({"report": str(page), "records": len(records)})
    else:
        print(f"report: {page}")
    return ExitCode.OK


def select(context: Context, chosen: Chosen) -> list[Record]:
    """The records a report shows: all attempts of the cells measured last. Raises StoreError."""
    wanted = (record for record in context.store.all_records() if chosen.wants(record.at))
    newest = newest_cells(wanted)
    if not newest:
        raise StoreError(
            f"nothing is measured for profile '{chosen.profile}' in {context.paths.results}",
            hint="run './rexen reproduce' or './rexen run' first",
        )
    return [record for at in sorted(newest, key=str) for record in newest[at]]


def render(context: Context, choice: Choice, records: list[Record]) -> Path:
    """The page of these records."""

    raise NotImplementedError
