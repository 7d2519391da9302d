"""rexen diff A B: compare two sets of results exactly."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from harness import catalogue
from harness.cli.context import Context
from harness.cli.output import emit, table
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, UsageError
from harness.model.record import Record
from harness.store import Store, read_reference


def add(verbs: Verbs) -> None:
    parser = verbs.add("diff", diff, "compare two sets of results exactly")
    for name, text in (
        ("first", "a results directory, or a reference file"),
        ("second", "another"),
    ):
        metavar = "A" if name == "first" else "B"
        parser.add_argument(name, type=Path, metavar=metavar, help=text)


def diff(context: Context, *, first: Path, second: Path) -> ExitCode:
    """DIFFERENT if a value differs; INCOMPLETE if none does but some are on one side only."""
    from harness.analysis.diff import diff_records

    workloads = catalogue.load_workloads(context.paths)
    found = diff_records(_records(first), _records(second), workloads)
    if context.json:
        emit([{**asdict(one), "at": str(one.at)} for one in found.unequal])
    else:
        head, *rows = found.rows()
        if rows:
            print(table(head, rows))
        print(found.summary())
    if found.differ:
        return ExitCode.DIFFERENT
    return ExitCode.INCOMPLETE if found.missing else ExitCode.OK


def _records(place: Path) -> list[Record]:
    if place.is_file():
        return read_reference(place)
    if not (place / "records").is_dir():
        raise UsageError(f"{place} is no results directory", hint="it has no records/ in it")
    return list(Store(place).all_records())
