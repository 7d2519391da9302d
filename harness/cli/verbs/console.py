"""rexen console CELL: what one cell said and came to, without searching files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict

from harness.cli.context import Context
from harness.cli.output import emit, table
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, UsageError
from harness.model.record import Record

SHORTEST = 4


def add(verbs: Verbs) -> None:
    parser = verbs.add("console", console, "show a cell's console, facts and inputs")
    parser.add_argument(
        "cell", metavar="CELL", help="a cell's id, or its first digits (rexen plan lists them)"
    )
    parser.add_argument(
        "--attempt", type=int, metavar="N", help="which run (default: the one that counts)"
    )
    parser.add_argument(
        "--facts", action="store_true", help="only the facts and inputs, not the console"
    )


def console(context: Context, *, cell: str, attempt: int | None, facts: bool) -> ExitCode:
    record = _record(context, cell, attempt)
    text = context.store.console(record)
    if context.json:
        shown = asdict(record) | {"console": text.decode(errors="replace")}
        emit(shown)
        return ExitCode.OK
    print(table(["", ""], _facts(record)).lstrip())
    if not facts:
        print(flush=True)
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
    return ExitCode.OK


def _record(context: Context, cell: str, attempt: int | None) -> Record:
    """Raises UsageError if the name is of no cell, of several, or has no such attempt."""
    if len(cell) < SHORTEST:
        raise UsageError(f"'{cell}' is too short to name a cell", hint=f"give {SHORTEST} digits")
    found = context.store.find(cell)
    if len(found) != 1:
        several = ", ".join(one[:12] for one in found) or "none"
        raise UsageError(f"'{cell}' names no single cell in {context.paths.results}: {several}")
    attempts = context.store.attempts(found[0])
    chosen = [one for one in attempts if one.attempt == attempt]
    if attempt is not None and not chosen:
        known = ", ".join(str(one.attempt) for one in attempts)
        raise UsageError(f"cell {found[0][:12]} has no attempt {attempt}; it has {known}")
    return chosen[0] if chosen else context.store.measured(found[0]) or attempts[-1]


def _facts(record: Record) -> list[list[str]]:
    outcome = record.outcome
    files = record.inputs.get("files")
    rows = [
        ["cell", record.cell_id],
        ["what", f"{record.at}, profile {record.profile}, attempt {record.attempt}"],
        ["status", outcome.status.value + (f": {outcome.reason}" if outcome.reason else "")],
        ["run at", f"{record.host.started_at}, {record.host.total_wall_s:.1f} s of wall time"],
        ["repeat", record.rerun],
        ["emulator", str(record.inputs.get("emulator", ""))],
    ]
    if isinstance(files, Mapping):
        rows += [[f"file {name}", str(digest)] for name, digest in sorted(files.items())]
    rows += [[f"fact {key}", value] for key, value in sorted(outcome.facts.items())]
    return rows
