"""Records -> one self-contained page and the data beside it. Same records in, same bytes out.

The template gets text only: every number was formatted before, and StrictUndefined turns a
misspelled name into an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.analysis import frame
from harness.analysis.claims import judge
from harness.analysis.overhead import overheads
from harness.catalogue.experiments import load_claims, load_experiments
from harness.errors import StoreError
from harness.model.record import Record
from harness.model.system import System
from harness.model.workload import Workload
from harness.report import provenance
from harness.report.colors import LEAST_DARK, LEAST_LIGHT, PAGE_DARK, PAGE_LIGHT, legible
from harness.report.export import export
from harness.report.facts import fact_tables
from harness.report.numbers import count_text
from harness.report.overhead import overhead_text, overhead_view
from harness.report.tables import table_view
from harness.report.verdicts import claim_views, scores

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class SystemColor:
    """A system's colour on either page."""

    id: str
    light: str
    dark: str


def write_report(
    *,
    records: Sequence[Record],
    systems: Mapping[str, System],
    workloads: Mapping[str, Workload],
    experiments_dir: Path,
    out_dir: Path,
) -> Path:
    """Write index.html, data.csv, data.parquet, records.json, schema.json; return the page.
    Beside them overhead.txt, if a system that was run names a reference.

    `records` holds every attempt of the cells to report, of one profile; which attempt counts
    is decided here. Raises StoreError if there are none or if they do not combine, ConfigError
    for a broken experiment.
    """
    page, overhead = _texts(records, systems, workloads, experiments_dir)
    export(records, out_dir, workloads=workloads)
    path = out_dir / "index.html"
    path.write_text(page, encoding="utf-8")
    beside = out_dir / "overhead.txt"
    beside.unlink(missing_ok=True)  # of an earlier report into the same directory
    if overhead:
        beside.write_text(overhead, encoding="utf-8")
    return path


def render(
    *,
    records: Sequence[Record],
    systems: Mapping[str, System],
    workloads: Mapping[str, Workload],
    experiments_dir: Path,
) -> str:
    """The page as text."""
    return _texts(records, systems, workloads, experiments_dir)[0]


def _texts(
    records: Sequence[Record],
    systems: Mapping[str, System],
    workloads: Mapping[str, Workload],
    experiments_dir: Path,
) -> tuple[str, str]:
    """The page, and the overheads as text."""
    experiments = load_experiments(experiments_dir)
    claims = load_claims(experiments_dir, experiments)
    frames = frame.build(records, systems, workloads)
    if not frames.standing:
        raise StoreError("there are no records to report", hint="measure first: rexen run")
    judgements = judge(claims, experiments=experiments, frames=frames, systems=systems)
    tables = [
        table_view(one, frames=frames, systems=systems, workloads=workloads) for one in experiments
    ]
    compared = [
        overhead_view(one, frames=frames, systems=systems, workloads=workloads)
        for one in overheads(experiments, frames=frames, systems=systems, workloads=workloads)
    ]
    judged, lines = scores(judgements, systems)
    page = _environment().get_template("report.html.j2")
    html = page.render(
        profile=frames.standing[0].profile,
        cells=count_text(len(frames.standing), "cell", "cells"),
        base=systems[frames.base],
        colors=[_color(one) for one in systems.values()],
        page_light=PAGE_LIGHT,
        page_dark=PAGE_DARK,
        judged=judged,
        scores=lines,
        claims=claim_views(judgements, systems),
        systems=provenance.system_views(frames, systems),
        tables=[one for one in tables if one.has_paper],
        controls=[one for one in tables if not one.has_paper],
        overheads=compared,
        facts=fact_tables(frames),
        failed=provenance.failed_cells(frames),
        not_run=provenance.cells_not_run(frames, systems, workloads),
        times=provenance.times(frames, systems, workloads),
        repeats=provenance.repeats_view(frames, systems, workloads),
        origin=provenance.origin(frames),
    )
    return html, overhead_text(compared)


def _color(system: System) -> SystemColor:
    return SystemColor(
        id=system.id,
        light=legible(system.color, PAGE_LIGHT, LEAST_LIGHT),
        dark=legible(system.color, PAGE_DARK, LEAST_DARK),
    )


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
