"""One cell under the plugin: the same machine with one option more, and a file more at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import CountingError
from harness.measure.campaign import Campaign, machine_of, outcome_of, set_aside
from harness.measure.counting.output import counts_of
from harness.measure.machines.testbed import ARTEFACTS, CELL_DIR
from harness.model.cell import Cell
from harness.model.counts import Counts
from harness.model.record import Outcome, Status
from harness.model.system import OwnerTable

PLUGIN = f"{ARTEFACTS}/count/count.so"
OUTPUT = "counts"


@dataclass(frozen=True, slots=True)
class Counted:
    """What a cell came to, and what it executed: `counts` is None where the reason says why."""

    cell: Cell
    outcome: Outcome
    counts: Counts | None
    reason: str


def plugin_argv(owners: OwnerTable | None) -> list[str]:
    """QEMU's option. With a table of the pages' owners, domains are told apart."""
    options = [f"out={CELL_DIR}/{OUTPUT}"]
    if owners:
        options += [f"owners={owners.address:#x}", f"entry={owners.entry}", f"at={owners.at}"]
    return ["-plugin", ",".join([PLUGIN, *options])]


def count_cell(campaign: Campaign, cell: Cell, tables: Mapping[str, OwnerTable | None]) -> Counted:
    """Run it; `tables` has each system's. Raises EngineError, Interrupted."""
    with machine_of(campaign, cell, plugin_argv(tables[cell.at.system])) as (run, folder):
        output = folder / OUTPUT
        text = output.read_text(encoding="utf-8") if output.exists() else ""
    outcome = outcome_of(run, cell.run.metrics)
    if outcome.status is not Status.OK:
        return Counted(cell, outcome, None, f"{outcome.status}: {outcome.reason}")
    try:
        return Counted(cell, outcome, counts_of(cell, text, outcome.samples), "")
    except CountingError as error:
        return Counted(cell, outcome, None, str(error))


def uncounted(campaign: Campaign, cell: Cell, reason: str) -> Counted:
    """Stands for a cell that could not be run."""
    return Counted(cell, set_aside(campaign, cell, reason).record.outcome, None, reason)
