"""rexen reproduce: from nothing to the report."""

from __future__ import annotations

from harness.cli.choice import (
    Choice,
    again_option,
    choosing_options,
    cluster_option,
    running_options,
)
from harness.cli.context import Context
from harness.cli.parsers import Verbs
from harness.cli.verbs.report import report
from harness.errors import ExitCode
from harness.steps import duration


def add(verbs: Verbs) -> None:
    verbs.add(
        "reproduce",
        reproduce,
        "all of it: build, run, report",
        choosing_options(),
        running_options(),
        cluster_option(),
        again_option(),
    )


def reproduce(
    context: Context,
    *,
    choice: Choice,
    jobs: int,
    cluster: str,
    perturb: int | None,
    again: bool,
) -> ExitCode:
    from harness.cli.session import exit_code, prepare, run_missing

    prepared = prepare(context, choice, perturb=perturb)
    run_missing(context, prepared, again=again, jobs=jobs, cluster=cluster)
    report(context, choice=choice)
    spent = ", ".join(f"{step.name} {duration(step.wall_s)}" for step in context.steps.spent)
    context.steps.say(f"wall time: {spent}")
    return exit_code(context, prepared)
