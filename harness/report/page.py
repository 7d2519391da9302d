"""A study -> one self-contained page and the data beside it. Same records in, same bytes out.

The template gets text only: every number was formatted before, and StrictUndefined turns a
misspelled name into an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.analysis.claims import judge
from harness.analysis.overhead import overheads
from harness.analysis.study import Study
from harness.model.system import System
from harness.report.colors import LEAST_DARK, LEAST_LIGHT, PAGE_DARK, PAGE_LIGHT, legible
from harness.report.environment import environment
from harness.report.export import export
from harness.report.sections import provenance
from harness.report.sections.answer import answer_view
from harness.report.sections.cells import cell_blocks
from harness.report.sections.experiment import experiment_view
from harness.report.sections.facts import fact_tables
from harness.report.sections.instructions import instruction_views
from harness.report.sections.overhead import OverheadView, overhead_text, overhead_view
from harness.report.sections.verdicts import claim_views, matrix_view

# The last sections, as the contents name them.
BEHIND = (
    ("trouble", "Failed cells"),
    ("exactness", "Exactness"),
    ("time", "Time"),
    ("cells", "Every cell"),
    ("provenance", "Provenance"),
    ("glossary", "Glossary"),
)


@dataclass(frozen=True, slots=True)
class SystemColor:
    """A system's colour on either page."""

    id: str
    light: str
    dark: str


def write_report(study: Study, out_dir: Path, *, home: str = "") -> Path:
    """Write index.html, data.csv, data.parquet, records.json, schema.json; return the page.
    Beside them overhead.txt, if a system that was run names a reference."""
    compared = [overhead_view(study, one) for one in overheads(study)]
    page = render(study, compared, home=home)
    export(study.frames.attempts, out_dir, workloads=study.workloads)
    path = out_dir / "index.html"
    path.write_text(page, encoding="utf-8")
    beside = out_dir / "overhead.txt"
    beside.unlink(missing_ok=True)  # of an earlier report into the same directory
    if compared:
        beside.write_text(overhead_text(compared), encoding="utf-8")
    return path


def render(study: Study, compared: list[OverheadView], *, home: str = "") -> str:
    """The page as text. `home` is the page of a site that this one belongs to, "" if it stands
    alone."""
    judgements = judge(study)
    experiments = [experiment_view(study, one) for one in study.experiments]
    leads = [one for one in experiments if one.leads]
    papers = [one for one in experiments if one.has_paper and not one.leads]
    controls = [one for one in experiments if not one.has_paper]
    counted = instruction_views(study)
    facts = fact_tables(study)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            profile=study.profile,
            home=home,
            cells=provenance.cells_text(study),
            differing_inputs=provenance.differing_inputs(study),
            base=study.base,
            colors=system_colors(study.systems.values()),
            page_light=PAGE_LIGHT,
            page_dark=PAGE_DARK,
            answer=answer_view(study, judgements),
            matrix=matrix_view(study, judgements),
            claims=claim_views(study, judgements),
            systems=provenance.system_views(study),
            leads=leads,
            contents=[
                ("The answer", [("answer", "Does it reproduce?"), ("verdicts", "Verdicts")]),
                (
                    "The paper",
                    [
                        *_links(leads),
                        ("claims", "Claim by claim"),
                        ("systems", "The systems"),
                        *_links(papers),
                    ],
                ),
                ("Beyond it", [*_links(compared), *_links(controls), *_links(counted)]),
                ("Behind it", [*_links(facts), *BEHIND]),
            ],
            blocks=cell_blocks(study),
            experiments=papers,
            controls=controls,
            overheads=compared,
            counted=counted,
            facts=facts,
            failed=provenance.failed_cells(study),
            not_run=provenance.cells_not_run(study),
            unable=provenance.cells_unable(study),
            times=provenance.times(study),
            repeats=provenance.repeats_view(study),
            origin=provenance.origin(study),
        )
    )


class Section(Protocol):
    """What the contents link to."""

    @property
    def id(self) -> str: ...

    @property
    def heading(self) -> str: ...


def _links(sections: Sequence[Section]) -> list[tuple[str, str]]:
    return [(one.id, one.heading) for one in sections]


def system_colors(systems: Iterable[System]) -> list[SystemColor]:
    return [_color(one) for one in systems]


def _color(system: System) -> SystemColor:
    return SystemColor(
        id=system.id,
        light=legible(system.color, PAGE_LIGHT, LEAST_LIGHT),
        dark=legible(system.color, PAGE_DARK, LEAST_DARK),
    )
