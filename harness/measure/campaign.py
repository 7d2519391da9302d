"""Cells -> records. A failed cell is a record too; a dead engine stops the run.

What runs several at once is an executor (`executors/`).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.host.info import describe_host
from harness.measure.images.container import Engine
from harness.measure.machines.qemu import Interrupted, MachineOrder, MachineRun, run_machine
from harness.measure.machines.verdict import judge
from harness.model.cell import Cell, Coordinates
from harness.model.record import INPUTS, SCHEMA_VERSION, HostSide, Outcome, Purpose, Record, Status
from harness.protocol import until_end


@dataclass(frozen=True, slots=True)
class Campaign:
    """What all cells of one run share. `scratch` must be visible to the engine; `inputs` says how
    the image stands to inputs.lock, `catalogues` are options that a command which runs one of these
    cells again needs too."""

    engine: Engine
    image: str
    inputs: str
    purpose: Purpose
    scratch: Path
    owner: str
    interrupt: threading.Event
    catalogues: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished cell, not yet stored: its attempt number is the store's to give."""

    cell: Cell
    record: Record
    console: bytes


def run_cell(campaign: Campaign, cell: Cell) -> Measured:
    """Boot, run, judge. Raises EngineError, Interrupted."""
    started_at, started = datetime.now(UTC), time.monotonic()
    with machine_of(campaign, cell) as (run, _):
        pass
    host = HostSide(
        started_at=started_at.isoformat(timespec="seconds"),
        boot_wall_s=round(run.boot_wall_s, 3),
        machine_wall_s=round(run.machine_wall_s, 3),
        total_wall_s=round(time.monotonic() - started, 3),
        host={**describe_host(), INPUTS: campaign.inputs},
    )
    record = _record(campaign, cell, outcome_of(run, cell.run.metrics), host)
    return Measured(cell, record, run.stopped.console)


def set_aside(campaign: Campaign, cell: Cell, reason: str) -> Measured:
    """A record of a cell that no worker lived to report: a failure of what it runs on."""
    outcome = Outcome(
        status=Status.ENGINE,
        reason=reason,
        samples=(),
        facts={},
        begun_ns=0,
        quiet_ns=0,
        console_sha256=hashlib.sha256(b"").hexdigest(),
    )
    host = HostSide(
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        boot_wall_s=0.0,
        machine_wall_s=0.0,
        total_wall_s=0.0,
        host={**describe_host(), INPUTS: campaign.inputs},
    )
    return Measured(cell, _record(campaign, cell, outcome, host), b"")


def _record(campaign: Campaign, cell: Cell, outcome: Outcome, host: HostSide) -> Record:
    return Record(
        schema_version=SCHEMA_VERSION,
        cell_id=cell.id,
        attempt=0,
        purpose=campaign.purpose,
        system=cell.at.system,
        workload=cell.at.workload,
        profile=cell.at.profile,
        point=dict(cell.at.point.values),
        inputs=asdict(cell.inputs),
        outcome=outcome,
        host=host,
        rerun=rerun_line(cell.at) + campaign.catalogues,
    )


@contextmanager
def machine_of(
    campaign: Campaign, cell: Cell, options: Sequence[str] = ()
) -> Iterator[tuple[MachineRun, Path]]:
    """Run a cell's machine, with further options of QEMU's; what it wrote lies in the folder until
    the block ends. Raises EngineError, Interrupted."""
    folder = Path(tempfile.mkdtemp(prefix="cell-", dir=campaign.scratch))
    order = MachineOrder(
        image=campaign.image,
        argv=(*cell.inputs.argv, *options),
        memory_mib=cell.run.memory_mib,
        boot=cell.run.boot,
        total=cell.run.total,
        owner=campaign.owner,
        name=f"rexen-{cell.at.system}-{cell.at.workload}-{folder.name.removeprefix('cell-')}",
    )
    try:
        yield run_machine(campaign.engine, order, folder, campaign.interrupt), folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def outcome_of(run: MachineRun, metrics: Sequence[str]) -> Outcome:
    """The deterministic part of a record."""
    status, reason, transcript = judge(run.stopped, metrics)
    console = until_end(run.stopped.console)
    return Outcome(
        status=status,
        reason=reason,
        samples=tuple(transcript.samples),
        facts=transcript.facts,
        begun_ns=transcript.begun_ns,
        quiet_ns=transcript.quiet_ns,
        console_sha256=hashlib.sha256(console).hexdigest(),
    )


def rerun_line(at: Coordinates) -> str:
    """The command that runs this one cell again."""
    point = f" --point {at.point}" if at.point else ""
    return (
        f"./rexen run --profile {at.profile} --system {at.system} --workload {at.workload}"
        f"{point} --again"
    )


__all__ = ["Campaign", "Interrupted", "Measured", "run_cell", "set_aside"]
