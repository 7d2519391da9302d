"""rexen export: records as Parquet, CSV and JSON, with their JSON Schema."""

from __future__ import annotations

from pathlib import Path

from harness import catalogue
from harness.cli.choice import Choice, choose, choosing_options
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.cli.verbs.report import select
from harness.errors import ExitCode


def add(verbs: Verbs) -> None:
    parser = verbs.add(
        "export",
        export,
        "write records as Parquet, CSV and JSON with a schema",
        choosing_options(),
    )
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="where to (default: the reports directory)"
    )


def export(context: Context, *, choice: Choice, to: Path | None) -> ExitCode:
    from harness.report.export import export as write

    chosen = choose(context.paths, choice)
    records = select(context, chosen)
    out = to or context.paths.reports / chosen.profile
    files = write(records, out, workloads=catalogue.load_workloads(context.paths))
    if context.json:
        emit({"files": [str(file) for file in files]})
    else:
        for file in files:
            print(file)
    return ExitCode.OK
