"""rexen reference: make what is measured the reference results of the repository."""

from __future__ import annotations

from harness.cli.choice import Choice, choose, choosing_options
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.cli.verbs.report import select
from harness.errors import ExitCode, StoreError
from harness.store import write_reference


def add(verbs: Verbs) -> None:
    verbs.add(
        "reference",
        reference,
        "make what is measured the reference results of the repository",
        choosing_options(),
    )


def reference(context: Context, *, choice: Choice) -> ExitCode:
    """Of the cells that the experiments plan, so that anyone's `verify --reference` runs them all.
    Refuses a set with a failed cell in it."""
    chosen = choose(context.paths, choice)
    records = [record for record in select(context, chosen) if chosen.plans(record.at)]
    path = context.paths.reference(choice.profile)
    good = {record.at for record in records if record.ok}
    failed = sorted({str(record.at) for record in records if record.at not in good})
    if failed:
        raise StoreError(f"no reference with a failed cell in it: {', '.join(failed)}")
    write_reference(path, records)
    if context.json:
        emit({"reference": str(path), "cells": len(good)})
    else:
        print(f"{len(good)} cells in {path}; './rexen readme' brings the documents up to date")
    return ExitCode.OK
