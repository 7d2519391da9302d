"""The report of packed records, made by packed sources: one way for whoever packs and checks.

In a process of its own, because the sources need not be those that are running; with the Python
packages that are running.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import StoreError
from harness.host import process
from harness.host.process import ProcessFailed
from harness.model.record import Record
from harness.store import Store

RENDER_WALL_S = 900.0


def rexen(sources: Path, arguments: Sequence[str], *, log: Path, wall_s: float) -> None:
    """Run a verb of the sources in this folder, output to a log. Raises ProcessFailed."""
    # -P: not the package of the folder this happens to be called from.
    process.run(
        [sys.executable, "-P", "-m", "harness", *arguments],
        log=log,
        wall_s=wall_s,
        environment={"PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def render(
    sources: Path, records: Sequence[Record], profile: str, *, log: Path
) -> Mapping[str, bytes]:
    """The report's files by name. Raises StoreError with the log if these sources make none."""
    with tempfile.TemporaryDirectory(prefix="rexen-artifact-") as scratch:
        store, reports = Store(Path(scratch) / "results"), Path(scratch) / "reports"
        for record in records:
            store.add(record, b"")
        where = ["--results", str(store.results), "--reports", str(reports)]
        try:
            rexen(sources, ["report", *where, "--profile", profile], log=log, wall_s=RENDER_WALL_S)
        except ProcessFailed as error:
            raise StoreError(
                f"the packed sources make no report of the {profile} records: {error.message}",
                log=log,
            ) from None
        made = reports / profile
        return {path.name: path.read_bytes() for path in sorted(made.iterdir())}
