"""A night's work: the cells that changed are run, the others are known from the store.

Which image the checkout makes is known by its tag, and what is in it from the ledger, so a night on
which nothing changed needs no engine.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from harness.cli.choice import Choice, Chosen
from harness.cli.context import Context
from harness.cli.session import cells_of, measure, ready_image, with_cells
from harness.cli.verbs.report import study_of
from harness.errors import ExitCode, HarnessError
from harness.host import process
from harness.host.process import ProcessFailed
from harness.host.revision import export, revision_of
from harness.measure.images import lock as inputs
from harness.measure.images.build import Image, image_tag
from harness.model.cell import Cell
from harness.model.record import AS_LOCKED, INPUTS, Purpose, Record, Status
from harness.store import Store, representative
from harness.tracking.attribution import Half
from harness.tracking.changes import UNCOMMITTED
from harness.tracking.night import Night, Place, Source
from harness.tracking.tonight import Planned, night_of, numbers_of

# Ends that a host may have brought about; another night may end otherwise.
PASSING = (Status.ENGINE, Status.HANG, Status.OUT_OF_MEMORY)
HALF_WALL_S = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The image and the cells of a night, and how many of them had to be run for it."""

    image: Image
    cells: list[Cell]
    run: int


def is_settled(store: Store, cell: Cell) -> bool:
    """Whether running the cell again could tell nothing new."""
    record = store.measured(cell.id)
    return record is not None and record.outcome.status not in PASSING


def run_what_changed(
    context: Context, choice: Choice, chosen: Chosen, last: Night | None, *, jobs: int
) -> Measured:
    """Raises EngineError, BuildError; what was measured before that is kept."""
    known = known_image(context, last)
    if known:
        cells, _ = cells_of(known, chosen, choice)
        if all(is_settled(context.store, cell) for cell in cells):
            context.steps.say(f"nothing to run: all {len(cells)} cells are known")
            return Measured(known, cells, 0)
    prepared = with_cells(*ready_image(context), chosen, choice)
    missing = [cell for cell in prepared.cells if not is_settled(context.store, cell)]
    if missing:
        with context.steps.step(f"running {len(missing)} cells of {len(prepared.cells)}"):
            measure(context, prepared, missing, purpose=Purpose.MEASURE, jobs=jobs)
    return Measured(prepared.image, prepared.cells, len(missing))


def known_image(context: Context, last: Night | None) -> Image | None:
    """The image that this checkout makes, if the last night's was the same one."""
    if last is None or last.source.image != image_tag(context.paths):
        return None
    source = last.source
    return Image(source.image, source.artefacts, source.emulator, source.differs)


def tonight(context: Context, chosen: Chosen, measured: Measured, date: str) -> Night:
    """Of what is measured now. Raises StoreError if records do not combine."""
    store = context.store
    planned = [Planned(cell, store.attempts(cell.id)) for cell in measured.cells]
    records = [record for one in planned for record in one.attempts]
    some = any(representative(one.attempts) for one in planned)
    return night_of(
        date=date,
        source=_source(context, measured.image),
        lock_text=context.paths.lock.read_text(encoding="utf-8"),
        planned=planned,
        run=measured.run,
        study=study_of(context, chosen, records) if some else None,
    )


def _source(context: Context, image: Image) -> Source:
    revision = revision_of(context.paths.root, changed=UNCOMMITTED)
    return Source(
        commit=revision.commit,
        subject=revision.subject,
        image=image.tag,
        emulator=image.emulator,
        artefacts=dict(image.files),
        lock=hashlib.sha256(context.paths.lock.read_bytes()).hexdigest(),
        differs=image.differs,
    )


def package_lines(old: Night, new: Night) -> list[str]:
    """What the newer lock changes, package by package."""
    was, now = (inputs.parse(one.lock_text, f"the lock of {one.date}") for one in (old, new))
    return inputs.diff(was, now).lines()


def run_half(context: Context, chosen: Chosen, half: Half, *, jobs: int) -> Mapping[Place, float]:
    """The numbers of one variant, measured by that commit's own harness in a checkout and a store
    of its own, so that no report here takes them for today's. Empty if it cannot be run."""
    lock = hashlib.sha256(half.lock_text.encode()).hexdigest()
    folder = context.paths.build / "halves" / f"{half.commit[:12]}-{lock[:12]}"
    checkout, results = folder / "checkout", folder / "results"
    say, log = context.steps.say, context.logs / f"half-{half.name}.log"
    try:
        shutil.rmtree(checkout, ignore_errors=True)
        export(context.paths.root, half.commit, checkout)
        (checkout / "inputs.lock").write_text(half.lock_text, encoding="utf-8")
        _share_environment(context.paths.root, checkout)
        with context.steps.step(f"running {len(half.cells)} cells with only {half.name} changed"):
            for argv in half_commands(checkout, results, half, jobs=jobs):
                _run_patiently(argv, checkout, log)
        records, replaced = usable_records(Store(results), half)
        for why in replaced:
            say(f"with only {half.name} changed, the image is {why}")
        return {one.place: one.value for one in numbers_of(study_of(context, chosen, records))}
    except HarnessError as error:
        say(f"no numbers with only {half.name} changed: {error}")
        return {}
    finally:
        shutil.rmtree(checkout, ignore_errors=True)


def half_commands(checkout: Path, results: Path, half: Half, *, jobs: int) -> list[list[str]]:
    """One for each system: its workloads, unperturbed, at all their points."""
    found = []
    for system, cells in groupby(half.cells, key=lambda it: it[0]):
        workloads = dict.fromkeys(workload for _, workload, _ in cells)
        found.append(
            [
                str(checkout / "rexen"),
                "run",
                *("--results", str(results)),
                *("--profile", half.profile),
                *("--jobs", str(jobs)),
                *("--perturb", "0"),
                *("--system", system),
                *(word for name in workloads for word in ("--workload", name)),
            ]
        )
    return found


def _run_patiently(argv: Sequence[str], checkout: Path, log: Path) -> None:
    """A cell that fails there leaves its number out, and no more. In the checkout: launchers of
    older commits take the harness of the working folder before their own."""
    try:
        process.run(argv, log=log, wall_s=HALF_WALL_S, folder=checkout)
    except ProcessFailed as error:
        if error.status != ExitCode.CELL_FAILED:
            raise


def _share_environment(root: Path, checkout: Path) -> None:
    """The Python environment, where the other commit wants the same one."""
    name = "requirements.lock"
    if (root / ".venv").exists() and (checkout / name).exists():
        if (checkout / name).read_bytes() == (root / name).read_bytes():
            (checkout / ".venv").symlink_to(root / ".venv")


def usable_records(store: Store, half: Half) -> tuple[list[Record], list[str]]:
    """Good records of the half's own cells, and what keeps others from being used: packages that
    are nowhere to be had any more were replaced by newer ones, and so the half is no half."""
    found: list[Record] = []
    replaced: dict[str, None] = {}
    for record in store.all_records():
        if (record.system, record.workload, str(record.at.point)) not in half.cells:
            continue
        if record.host.host.get(INPUTS) != AS_LOCKED:
            replaced[record.host.host.get(INPUTS, "unknown inputs")] = None
        elif record.ok:
            found.append(record)
    return found, list(replaced)
