"""What the measuring verbs share: from chosen names to cells, and from cells to stored records."""

from __future__ import annotations

import hashlib
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from harness.cli.choice import LOCAL, Choice, Chosen, choose
from harness.cli.context import Context
from harness.cli.progress import cell_line, time_spent
from harness.errors import ExitCode
from harness.measure import plan
from harness.measure.campaign import Campaign, Measured, run_cell, set_aside
from harness.measure.executors import Executor, Task
from harness.measure.executors.threads import Threads
from harness.measure.images.build import Image, differences, ensure_image
from harness.measure.images.container import Engine
from harness.measure.images.host import ensure_engine
from harness.model.cell import Cell
from harness.model.record import AS_LOCKED, Purpose, Record
from harness.store import Store


class OfCell(Protocol):
    """What running a cell came to."""

    @property
    def cell(self) -> Cell: ...


Ended = TypeVar("Ended", bound=OfCell)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An engine, an image and the cells of one command."""

    engine: Engine
    image: Image
    chosen: Chosen
    cells: list[Cell]
    excluded: tuple[plan.Exclusion, ...]


def ready_image(context: Context) -> tuple[Engine, Image]:
    """An engine that answers and an image that is built. Raises EngineError, BuildError."""
    engine = ensure_engine(context.logs, context.steps)
    return engine, ensure_image(engine, context.paths, context.steps)


def prepare(context: Context, choice: Choice, *, perturb: int | None) -> Prepared:
    """From the command line to cells. Builds the image if it has to."""
    chosen = choose(context.paths, choice)
    engine, image = ready_image(context)
    return with_cells(engine, image, chosen, choice, perturb=perturb)


def with_cells(
    engine: Engine, image: Image, chosen: Chosen, choice: Choice, *, perturb: int | None = None
) -> Prepared:
    """What is chosen, as cells of this image."""
    found = cells_of(image, chosen, choice, perturb=perturb)
    return Prepared(engine, image, chosen, *found)


def cells_of(
    image: Image, chosen: Chosen, choice: Choice, *, perturb: int | None = None
) -> tuple[list[Cell], tuple[plan.Exclusion, ...]]:
    """The cells, and what is left out. Needs no engine where the image is known."""
    point = choice.point
    planned = plan.plan(
        experiments=chosen.experiments,
        systems=chosen.systems,
        workloads=chosen.workloads,
        profile=chosen.profile,
        image=image,
        # A point that names a seed is meant, however many an experiment asks for.
        perturb=point.perturb if point is not None and point.perturb else perturb,
    )
    cells = [cell for cell in planned.cells if point is None or cell.at.point == point]
    if choice.shard is not None:
        cells = plan.shard_of(cells, choice.shard)
    return cells, planned.excluded


def is_measured(store: Store, cell: Cell) -> bool:
    """Whether the cell has a good record."""
    record = store.measured(cell.id)
    return record is not None and record.ok


def missing_cells(context: Context, cells: Sequence[Cell], *, again: bool) -> list[Cell]:
    """Cells without a good record; all of them with --again."""
    return [cell for cell in cells if again or not is_measured(context.store, cell)]


def expected_wall_s(store: Store, chosen: Chosen) -> Mapping[tuple[str, str], float]:
    """The last wall time of each (workload, system), whatever its image was, or a guess."""
    latest = sorted(store.all_records(), key=lambda record: record.host.started_at)
    seen = {(record.workload, record.system): record.host.total_wall_s for record in latest}
    return plan.first_guess_s(chosen.systems, chosen.workloads) | seen


@contextmanager
def _campaign(context: Context, prepared: Prepared, purpose: Purpose) -> Iterator[Campaign]:
    """The store locked, leftovers of a killed run removed, Ctrl-C and SIGTERM stop machines."""
    owner = hashlib.sha256(str(context.paths.results).encode()).hexdigest()[:16]
    with context.store.writing():
        prepared.engine.sweep(owner)
        scratch = context.paths.results / ".running"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            yield Campaign(
                engine=prepared.engine,
                image=prepared.image.tag,
                inputs=differences(prepared.image.differs) or AS_LOCKED,
                purpose=purpose,
                scratch=scratch,
                owner=owner,
                interrupt=threading.Event(),
                catalogues="".join(f" --catalogue {it}" for it in context.paths.catalogues),
            )
        finally:
            signal.signal(signal.SIGTERM, previous)
            shutil.rmtree(scratch, ignore_errors=True)


def say_excluded(context: Context, prepared: Prepared) -> None:
    for one in prepared.excluded:
        context.steps.say(f"left out: {one.workload} on {one.system}: {one.reason}")


def _keep(store: Store, measured: Measured) -> Record:
    """Give the record its attempt number and store it."""
    record = replace(measured.record, attempt=store.next_attempt(measured.cell.id))
    store.add(record, measured.console)
    return record


def run_each(
    context: Context,
    prepared: Prepared,
    cells: Sequence[Cell],
    *,
    purpose: Purpose,
    jobs: int,
    cluster: str = "",
    task: Task[Ended],
    keep: Callable[[Ended], str],
) -> None:
    """Do the task for these cells; `keep` what it makes of each as it ends; a line for each."""
    seen = expected_wall_s(context.store, prepared.chosen)
    left = list(cells)
    if not left:
        return

    def left_s() -> float:
        return plan.estimate_wall_s(left, seen, executor.slots)

    with (
        _campaign(context, prepared, purpose) as campaign,
        _executor(context, campaign, cells, jobs=jobs, cluster=cluster) as executor,
        context.steps.bar("cells", len(cells), left_s()) as bar,
    ):
        for ended in executor.each(campaign, cells, task):
            line = keep(ended)
            left.remove(ended.cell)
            bar.advance(line, left_s=left_s())


@contextmanager
def _executor(
    context: Context, campaign: Campaign, cells: Sequence[Cell], *, jobs: int, cluster: str
) -> Iterator[Executor]:
    """Threads of this process; or a cluster, `local` or at an address. Raises ClusterError."""
    if not cluster:
        yield Threads(jobs)
        return
    # Half a second to import, which no other command shall wait for.
    from harness.measure.executors.cluster import cluster_at, local_cluster

    say = context.steps.say
    if cluster == LOCAL:
        with local_cluster(jobs, cells, campaign.scratch, say) as found:
            yield found
    else:
        with cluster_at(cluster, say) as found:
            yield found


def measure(
    context: Context,
    prepared: Prepared,
    cells: Sequence[Cell],
    *,
    purpose: Purpose,
    jobs: int,
    cluster: str = "",
) -> list[Record]:
    """Run these cells, store each as it ends, draw progress. The records, in order of ending."""
    done: list[Record] = []

    def keep(measured: Measured) -> str:
        done.append(_keep(context.store, measured))
        return cell_line(done[-1])

    task = Task(run_cell, set_aside)
    run_each(
        context,
        prepared,
        cells,
        purpose=purpose,
        jobs=jobs,
        cluster=cluster,
        task=task,
        keep=keep,
    )
    return done


def run_missing(
    context: Context, prepared: Prepared, *, again: bool, jobs: int, cluster: str = ""
) -> list[Record]:
    """Run the cells that have no good record yet, and say where the time went."""
    missing = missing_cells(context, prepared.cells, again=again)
    have = len(prepared.cells) - len(missing)
    if have:
        context.steps.say(f"{have} of {len(prepared.cells)} cells are measured already")
    say_excluded(context, prepared)
    if not missing:
        return []
    with context.steps.step(f"running {len(missing)} cells, {at_a_time(jobs, cluster)}"):
        records = measure(
            context, prepared, missing, purpose=Purpose.MEASURE, jobs=jobs, cluster=cluster
        )
    context.steps.say(time_spent(records))
    return records


def at_a_time(jobs: int, cluster: str) -> str:
    """For people: how many cells are run at once, or where."""
    return f"{jobs} at a time" if cluster in ("", LOCAL) else f"on the cluster at {cluster}"


def exit_code(context: Context, prepared: Prepared) -> ExitCode:
    """OK if every cell of the command has a good record now."""
    all_good = all(is_measured(context.store, cell) for cell in prepared.cells)
    return ExitCode.OK if all_good else ExitCode.CELL_FAILED
