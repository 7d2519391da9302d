"""What each verb of the command line does. Joins the two chains of the pipeline: planning and
measuring on one side, the store, analysis and report on the other."""

from __future__ import annotations

import hashlib
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness import catalogue
from harness.analysis.transcripts import first_difference
from harness.cli.output import emit, table
from harness.cli.progress import brief, cell_line, time_spent
from harness.errors import ExitCode, StoreError, UsageError
from harness.measure import plan
from harness.measure.campaign import Campaign, Measured, run_cells
from harness.measure.images.build import Image, ensure_image
from harness.measure.images.container import Engine
from harness.measure.images.host import ensure_engine
from harness.model.cell import Cell
from harness.model.record import Purpose, Record
from harness.model.system import System
from harness.model.workload import Workload
from harness.paths import Paths
from harness.steps import Steps, duration
from harness.store import Store, newest_cells


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, parsed."""

    paths: Paths
    steps: Steps
    json: bool
    profile: str
    systems: tuple[str, ...]
    workloads: tuple[str, ...]
    jobs: int
    again: bool
    first: str
    second: str
    name: str
    to: Path | None

    @property
    def store(self) -> Store:
        return Store(self.paths.results)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The part of the catalogue a command works on, checked before anything slow begins."""

    systems: list[System]
    workloads: list[Workload]


def choose(options: Options) -> Chosen:
    """Raises UsageError for unknown names, ConfigError for broken files."""
    if options.profile not in plan.PROFILES:
        profiles = dict.fromkeys(plan.PROFILES, options.profile)
        catalogue.choose("profile", profiles, [options.profile])
    return Chosen(
        systems=catalogue.choose("system", catalogue.load_systems(options.paths), options.systems),
        workloads=catalogue.choose(
            "workload", catalogue.load_workloads(options.paths), options.workloads
        ),
    )


def list_catalogue(options: Options) -> ExitCode:
    """Systems, workloads and their metrics."""
    chosen = choose(options)
    if options.json:
        emit(
            {
                "systems": [{"id": s.id, "title": s.title} for s in chosen.systems],
                "workloads": [
                    {"id": w.id, "title": w.title, "metrics": [m.id for m in w.metrics]}
                    for w in chosen.workloads
                ],
                "profiles": list(plan.PROFILES),
            }
        )
        return ExitCode.OK
    print(
        table(
            ["system", "paper", "what it is"],
            [[s.id, s.stands_for, s.title] for s in chosen.systems],
        )
    )
    print()
    print(
        table(
            ["workload", "what it is", "metrics"],
            [[w.id, w.title, ", ".join(m.id for m in w.metrics)] for w in chosen.workloads],
        )
    )
    print(f"\nprofiles: {', '.join(plan.PROFILES)}")
    return ExitCode.OK


def build(options: Options) -> ExitCode:
    """Everything a cell needs, built and ready."""
    choose(options)
    engine = ensure_engine(options.paths.build / "logs", options.steps)
    image = ensure_image(engine, options.paths, options.steps)
    if options.json:
        emit({"image": image.tag, "emulator": image.emulator, "files": dict(image.files)})
    else:
        print(f"{image.tag} is ready ({image.emulator.rsplit(' ', 1)[0]})")
    return ExitCode.OK


@dataclass(frozen=True, slots=True)
class Prepared:
    """An engine, an image and the cells of one command."""

    engine: Engine
    image: Image
    chosen: Chosen
    cells: list[Cell]


def prepare(options: Options) -> Prepared:
    """From the command line to cells. Builds the image if it has to."""
    chosen = choose(options)
    engine = ensure_engine(options.paths.build / "logs", options.steps)
    image = ensure_image(engine, options.paths, options.steps)
    cells = plan.plan(
        systems=chosen.systems,
        workloads=chosen.workloads,
        profile=options.profile,
        image=image,
    )
    return Prepared(engine, image, chosen, cells)


def missing_cells(options: Options, cells: Sequence[Cell]) -> list[Cell]:
    """Cells without a good record; all of them with --again."""
    if options.again:
        return list(cells)
    return [cell for cell in cells if not _good(options.store, cell)]


def expected_wall_s(store: Store, chosen: Chosen) -> dict[tuple[str, str], float]:
    """The last wall time of each (workload, system), whatever its image was, or a guess."""
    latest = sorted(store.all_records(), key=lambda record: record.host.started_at)
    seen = {(record.workload, record.system): record.host.total_wall_s for record in latest}
    return plan.first_guess_s(chosen.systems, chosen.workloads) | seen


def show_plan(options: Options) -> ExitCode:
    """The cells, which of them are measured, and what the rest will take."""
    prepared = prepare(options)
    missing = missing_cells(options, prepared.cells)
    seen = expected_wall_s(options.store, prepared.chosen)
    wall_s = plan.estimate_wall_s(missing, seen, options.jobs)
    size = plan.estimate_bytes(missing)
    rows = []
    for cell in prepared.cells:
        state = "to run" if cell in missing else "measured"
        guess = duration(seen[cell.workload, cell.system])
        rows.append([cell.id[:12], cell.workload, cell.system, state, guess])
    if options.json:
        keys = ("id", "workload", "system", "state", "estimate")
        emit(
            {
                "cells": [
                    {**dict(zip(keys, row, strict=True)), "id": cell.id}
                    for row, cell in zip(rows, prepared.cells, strict=True)
                ],
                "wall_s": wall_s,
                "bytes": size,
            }
        )
        return ExitCode.OK
    print(table(["cell", "workload", "system", "state", "wall"], rows))
    print(
        f"\n{len(missing)} of {len(rows)} cells to run, about {duration(wall_s)} "
        f"with {options.jobs} at a time, {size / 1e6:.1f} MB of records"
    )
    return ExitCode.OK


@contextmanager
def campaign_of(options: Options, prepared: Prepared, purpose: Purpose) -> Iterator[Campaign]:
    """The store locked, leftovers of a killed run removed, Ctrl-C and SIGTERM stop machines."""
    owner = hashlib.sha256(str(options.paths.results).encode()).hexdigest()[:16]
    with options.store.writing():
        prepared.engine.sweep(owner)
        scratch = options.paths.results / ".running"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            yield Campaign(
                engine=prepared.engine,
                image=prepared.image.tag,
                systems={system.id: system for system in prepared.chosen.systems},
                workloads={workload.id: workload for workload in prepared.chosen.workloads},
                profile=options.profile,
                purpose=purpose,
                scratch=scratch,
                owner=owner,
                interrupt=threading.Event(),
            )
        finally:
            signal.signal(signal.SIGTERM, previous)
            shutil.rmtree(scratch, ignore_errors=True)


def keep(store: Store, measured: Measured) -> Record:
    """Give the record its attempt number and store it."""
    attempt = store.next_attempt(measured.cell.id)
    record = replace(measured.record, attempt=attempt)
    store.add(record, measured.console)
    return record


def measure(
    options: Options, prepared: Prepared, purpose: Purpose, cells: list[Cell]
) -> list[Record]:
    """Run these cells, store each as it ends, draw progress. The records, in order of ending."""
    seen = expected_wall_s(options.store, prepared.chosen)
    done: list[Record] = []
    left = list(cells)
    estimate_s = plan.estimate_wall_s(left, seen, options.jobs)
    with (
        campaign_of(options, prepared, purpose) as campaign,
        options.steps.bar("cells", len(cells), estimate_s) as bar,
    ):
        for measured in run_cells(campaign, cells, options.jobs):
            record = keep(options.store, measured)
            done.append(record)
            left.remove(measured.cell)
            bar.advance(cell_line(record), left_s=plan.estimate_wall_s(left, seen, options.jobs))
    return done


def run(options: Options) -> ExitCode:
    """Measure what is missing."""
    prepared = prepare(options)
    records = run_missing(options, prepared)
    if options.json:
        emit([brief(record) for record in records])
    return _exit_code(options, prepared)


def run_missing(options: Options, prepared: Prepared) -> list[Record]:
    """Run the cells that have no good record yet, and say where the time went."""
    missing = missing_cells(options, prepared.cells)
    have = len(prepared.cells) - len(missing)
    if have:
        options.steps.say(f"{have} of {len(prepared.cells)} cells are measured already")
    if not missing:
        return []
    with options.steps.step(f"running {len(missing)} cells, {options.jobs} at a time"):
        records = measure(options, prepared, Purpose.MEASURE, missing)
    options.steps.say(time_spent(records))
    return records


def _exit_code(options: Options, prepared: Prepared) -> ExitCode:
    """OK if every cell of the command has a good record now."""
    all_good = all(_good(options.store, cell) for cell in prepared.cells)
    return ExitCode.OK if all_good else ExitCode.CELL_FAILED


def verify(options: Options) -> ExitCode:
    """Run cells once more and compare them with what is stored, bit by bit."""
    prepared = prepare(options)
    store = options.store
    first_runs = [cell for cell in prepared.cells if not _good(store, cell)]
    if first_runs:
        options.steps.say(f"{len(first_runs)} cells were never measured: measuring them first")
        measure(options, prepared, Purpose.MEASURE, first_runs)
    cells = [cell for cell in prepared.cells if _good(store, cell)]
    with options.steps.step(f"verifying {len(cells)} cells, {options.jobs} at a time"):
        repeats = measure(options, prepared, Purpose.VERIFY, cells)
    findings = [compare(store, record) for record in repeats]
    failed = len(prepared.cells) - len(cells)
    different = [finding for finding in findings if finding]
    if options.json:
        emit({"verified": len(findings), "different": different, "failed": failed})
    else:
        for finding in different:
            print(finding)
        print(f"{len(findings) - len(different)} of {len(prepared.cells)} cells are bit-identical")
    if different:
        return ExitCode.DIFFERENT
    return ExitCode.CELL_FAILED if failed else ExitCode.OK


def _good(store: Store, cell: Cell) -> bool:
    record = store.measured(cell.id)
    return record is not None and record.ok


def compare(store: Store, repeat: Record) -> str:
    """ "" if a repeated run equals the cell's first good one, else where they first differ."""
    original = store.measured(repeat.cell_id)
    if original is None or original.outcome == repeat.outcome:
        return ""
    name = f"{repeat.workload} on {repeat.system} differs from its first run"
    if repeat.outcome.status is not original.outcome.status:
        return f"{name}: it ended with {repeat.outcome.status}: {repeat.outcome.reason}"
    where = first_difference(store.console(original), store.console(repeat))
    return f"{name} {where}"


def select(options: Options, chosen: Chosen) -> list[Record]:
    """The records a report of this profile shows: all attempts of the cells measured last."""
    systems = {system.id for system in chosen.systems}
    workloads = {workload.id for workload in chosen.workloads}
    wanted = (
        record
        for record in options.store.all_records()
        if record.profile == options.profile
        and record.system in systems
        and record.workload in workloads
    )
    newest = newest_cells(wanted)
    return [record for key in sorted(newest) for record in newest[key]]


def report(options: Options) -> ExitCode:
    """Render what is measured. Starts no machine and needs no engine."""
    # pandas, matplotlib and seaborn take a second to import: only the verbs that draw pay it.
    from harness.report.render import write_report

    chosen = choose(options)
    records = select(options, chosen)
    if not records:
        raise StoreError(
            f"nothing is measured for profile '{options.profile}' in {options.paths.results}",
            hint="run './rexen reproduce' or './rexen run' first",
        )
    with options.steps.step("rendering the report"):
        page = write_report(
            records=records,
            systems=catalogue.load_systems(options.paths),
            workloads=catalogue.load_workloads(options.paths),
            experiments_dir=options.paths.experiments,
            out_dir=options.paths.reports / options.profile,
        )
    if options.json:
        emit({"report": str(page), "records": len(records)})
    else:
        print(f"report: {page}")
    return ExitCode.OK


def reproduce(options: Options) -> ExitCode:
    """From nothing to the report."""
    prepared = prepare(options)
    run_missing(options, prepared)
    report(options)
    spent = ", ".join(f"{step.name} {duration(step.wall_s)}" for step in options.steps.spent)
    options.steps.say(f"wall time: {spent}")
    return _exit_code(options, prepared)


def diff(options: Options) -> ExitCode:
    """Two sets of results, compared exactly."""
    from harness.analysis.diff import diff_records

    workloads = catalogue.load_workloads(options.paths)
    first, second = (
        list(Store(_store_dir(text)).all_records()) for text in (options.first, options.second)
    )
    changes = diff_records(first, second, workloads)
    different = [change for change in changes if not change.same]
    if options.json:
        emit([asdict(change) for change in different])
    else:
        rows = [
            [
                c.workload,
                c.system,
                c.metric,
                _number(c.a),
                _number(c.b),
                c.remark or f"{c.change:+.4%}",
            ]
            for c in different
        ]
        if rows:
            print(table(["workload", "system", "metric", "A", "B", "change"], rows))
        print(f"{len(different)} of {len(changes)} values differ")
    return ExitCode.DIFFERENT if different else ExitCode.OK


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _store_dir(text: str) -> Path:
    folder = Path(text)
    if not (folder / "records").is_dir():
        raise UsageError(f"{folder} is no results directory", hint="it has no records/ in it")
    return folder


def export(options: Options) -> ExitCode:
    """Records as Parquet, CSV and JSON, with their JSON Schema."""
    from harness.report.export import export as write

    chosen = choose(options)
    records = select(options, chosen)
    if not records:
        raise StoreError(f"nothing is measured for profile '{options.profile}'")
    out = options.to or options.paths.reports / options.profile
    workloads = {workload.id: workload for workload in chosen.workloads}
    files = write(records, out, workloads=workloads)
    if options.json:
        emit({"files": [str(file) for file in files]})
    else:
        for file in files:
            print(file)
    return ExitCode.OK


def doctor(options: Options) -> ExitCode:
    """What this host has, lacks, and what to do about it."""
    from harness.cli.doctor import examine

    findings = examine(options.paths)
    if options.json:
        emit([{"check": f.check, "ok": f.ok, "what": f.what, "todo": f.todo} for f in findings])
    else:
        mark = {True: "ok", False: "--"}
        print(table(["", "check", "found"], [[mark[f.ok], f.check, f.what] for f in findings]))
        for finding in findings:
            if finding.todo:
                print(f"{finding.check}: {finding.todo}")
    needed = all(finding.ok or not finding.needed for finding in findings)
    return ExitCode.OK if needed else ExitCode.ENGINE


def shell(options: Options) -> ExitCode:
    """Boot a system and join its console to this terminal."""
    from harness.measure.machines.terminal import join_console

    systems = catalogue.load_systems(options.paths)
    (system,) = catalogue.choose("system", systems, [options.name])
    engine = ensure_engine(options.paths.build / "logs", options.steps)
    image = ensure_image(engine, options.paths, options.steps)
    options.steps.say(f"{system.title}: leave with Ctrl-]")
    join_console(engine, image.tag, system)
    return ExitCode.OK
