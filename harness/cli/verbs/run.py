"""rexen run: measure the cells that are missing."""

from __future__ import annotations

from harness.cli.choice import (
    Choice,
    again_option,
    choosing_options,
    cluster_option,
    running_options,
)
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode


def add(verbs: Verbs) -> None:
    verbs.add(
        "run",
        run,
        "measure the cells that are missing",
        choosing_options(),
        running_options(),
        cluster_option(),
        again_option(),
    )


def run(
    context: Context,
    *,
    choice: Choice,
    jobs: int,
    cluster: str,
    perturb: int | None,
    again: bool,
) -> ExitCode:
    from harness.cli.progress import brief
    from harness.cli.session import exit_code, prepare, run_missing

    prepared = prepare(context, choice, perturb=perturb)
    records = run_missing(context, prepared, again=again, jobs=jobs, cluster=cluster)
    if context.json:
        emit([brief(record) for record in records])
    return exit_code(context, prepared)
