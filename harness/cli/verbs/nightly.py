"""rexen nightly: run what changed, write the night down, say what changed and whose change it was.

What a service calls, by a timer or by a workflow; by hand it does the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.choice import Choice, choose, choosing_options, jobs_option
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.cli.verbs.publish import write_site
from harness.errors import ExitCode, UsageError
from harness.model.workload import PROFILES

if TYPE_CHECKING:
    from harness.cli.choice import Chosen
    from harness.tracking.changes import Changes
    from harness.tracking.night import Night


def add(verbs: Verbs) -> None:
    parser = verbs.add(
        "nightly",
        nightly,
        "run what changed, and keep the night: what changed in it, and why",
        choosing_options(),
        jobs_option(),
    )
    parser.add_argument(
        "--ledger", type=Path, required=True, metavar="DIR", help="a git repository of nights"
    )
    parser.add_argument(
        "--site", type=Path, metavar="DIR", help="write what 'publish' does to DIR (default: none)"
    )
    parser.add_argument(
        "--summary", type=Path, metavar="FILE", help="append the summary (Markdown) to FILE"
    )
    parser.add_argument(
        "--date", default="", metavar="DATE", help="the night's, like 2026-11-24 (default: today)"
    )
    parser.add_argument(
        "--commit-url", default="", metavar="URL", help="what asv puts before a night's commit"
    )
    parser.add_argument(
        "--no-halves",
        action="store_true",
        help="where Rexen and the lock both changed, do not run the cells with each change alone",
    )


def nightly(
    context: Context,
    *,
    choice: Choice,
    jobs: int,
    ledger: Path,
    site: Path | None,
    summary: Path | None,
    date: str,
    commit_url: str,
    no_halves: bool,
) -> ExitCode:
    """CELL_FAILED, DIFFERENT (the same inputs gave other bits), CLAIM_CHANGED, REGRESSION or
    OTHER_INPUTS (and no harm done), whichever comes first; OK for a night as the last one."""
    from harness.cli.night import run_what_changed, tonight
    from harness.tracking.ledger import Ledger
    from harness.tracking.publish import Addresses, refuse_others

    day, book = _day(date), Ledger(ledger)
    if site:
        refuse_others(site, PROFILES)
    chosen = choose(context.paths, choice)
    last = book.last(choice.profile)
    measured = run_what_changed(context, choice, chosen, last, jobs=jobs)
    night = tonight(context, chosen, measured, day)
    changes = _changes(context, chosen, last, night, jobs=jobs, run_halves=not no_halves)
    night = _described(night, changes)
    with context.steps.step(f"writing the night of {day}"):
        book.append([night])
    if summary:
        with summary.open("a", encoding="utf-8") as file:
            file.write(night.summary)
    if site:
        write_site(context, site.resolve(), book, Addresses(commit=commit_url))
    code = _exit_code(night, changes)
    _print(context, night, changes, code)
    return code


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else f"{datetime.now(UTC):%Y-%m-%d}"
    except ValueError:
        raise UsageError(f"'{text}' is no date", hint="write it like 2026-11-24") from None


def _changes(
    context: Context,
    chosen: Chosen,
    last: Night | None,
    night: Night,
    *,
    jobs: int,
    run_halves: bool,
) -> Changes | None:
    """Since the last night; None for the first. Runs cells again where that alone can tell whose
    change it was."""
    from harness.cli.night import run_half
    from harness.tracking.attribution import attribute, halves
    from harness.tracking.changes import compare

    if last is None:
        return None
    changes = compare(last, night)
    both = halves(changes) if run_halves else None
    if both is None:
        return changes
    ours = run_half(context, chosen, both.ours, jobs=jobs)
    packages = run_half(context, chosen, both.packages, jobs=jobs)
    return attribute(changes, ours, packages)


def _described(night: Night, changes: Changes | None) -> Night:
    from harness.cli.night import package_lines
    from harness.tracking.summary import first_summary, summary

    if changes is None:
        return replace(night, summary=first_summary(night))
    text = summary(changes, package_lines(changes.old, night))
    counts = replace(night.counts, changed=len(changes.numbers))
    return replace(night, counts=counts, summary=text)


def _exit_code(night: Night, changes: Changes | None) -> ExitCode:
    """The worst first."""
    if night.counts.failed:
        return ExitCode.CELL_FAILED
    if changes is None:
        return ExitCode.OTHER_INPUTS if night.source.differs else ExitCode.OK
    if changes.undetermined:
        return ExitCode.DIFFERENT
    if changes.turned:
        return ExitCode.CLAIM_CHANGED
    if changes.regressions:
        return ExitCode.REGRESSION
    other = changes.inputs or night.source.differs
    return ExitCode.OTHER_INPUTS if other else ExitCode.OK


def _print(context: Context, night: Night, changes: Changes | None, code: ExitCode) -> None:
    if context.json:
        emit(
            {
                "date": night.date,
                "profile": night.profile,
                "numbers": len(night.numbers),
                "changed": night.counts.changed,
                "cells": night.counts.cells,
                "run": night.counts.run,
                "failed": night.counts.failed,
                "steps": len(changes.steps) if changes else 0,
                "regressions": len(changes.regressions) if changes else 0,
                "claims_changed": len(changes.turned) if changes else 0,
                "exit_code": int(code),
            }
        )
    else:
        print(night.summary, end="")
