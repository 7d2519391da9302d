"""rexen lock: pin the packages that the mirror has now."""

from __future__ import annotations

from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode


def add(verbs: Verbs) -> None:
    verbs.add("lock", lock, "renew inputs.lock: pin the packages that the mirror has now")


def lock(context: Context) -> ExitCode:
    from harness.measure.images.build import renew_lock
    from harness.measure.images.host import ensure_engine

    engine = ensure_engine(context.logs, context.steps)
    change = renew_lock(engine, context.paths, context.steps)
    if context.json:
        emit(
            {
                "added": dict(change.added),
                "removed": dict(change.removed),
                "changed": {name: list(pair) for name, pair in change.changed.items()},
            }
        )
    else:
        print("\n".join(change.lines()) or "nothing changed")
    return ExitCode.OK
