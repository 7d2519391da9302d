"""rexen report: render what is measured. Starts no machine and needs no engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness import catalogue
from harness.cli.choice import Choice, Chosen, choose, choosing_options
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, StoreError
from harness.model.record import Record
from harness.store import newest_cells

if TYPE_CHECKING:
    from harness.analysis.study import Study

CONSOLE_END = 4096  # bytes of a console that a report may show


def add(verbs: Verbs) -> None:
    verbs.add("report", report, "render the HTML report of what is measured", choosing_options())


def report(context: Context, *, choice: Choice) -> ExitCode:
    """Exit code OK even where cells failed or are missing: the page shows them."""
    # pandas, matplotlib and seaborn take a second to import: only the verbs that draw pay it.
    from harness.report.page import write_report

    chosen = choose(context.paths, choice)
    records = select(context, chosen)
    with context.steps.step("rendering the report"):
        study = with_consoles(context, study_of(context, chosen, records))
        page = write_report(study, context.paths.reports / chosen.profile)
    if context.json:
        emit({"report": str(page), "records": len(records)})
    else:
        print(f"report: {page}")
    return ExitCode.OK


def select(context: Context, chosen: Chosen) -> list[Record]:
    """The records a report shows: all attempts of the cells measured last. Raises StoreError."""
    wanted = (record for record in context.store.all_records() if chosen.wants(record.at))
    newest = newest_cells(wanted)
    if not newest:
        raise StoreError(
            f"nothing is measured for profile '{chosen.profile}' in {context.paths.results}",
            hint="run './rexen reproduce' or './rexen run' first",
        )
    return [record for at in sorted(newest, key=str) for record in newest[at]]


def study_of(context: Context, chosen: Chosen, records: Sequence[Record]) -> Study:
    """These records beside the catalogue. The whole catalogue: a system or a workload that was
    not chosen shows as not run. Raises StoreError, ConfigError."""
    from harness.analysis.study import Study

    workloads = catalogue.load_workloads(context.paths)
    everything = catalogue.load_experiments(context.paths.experiments, workloads)
    names = sorted({one.cell_id for one in records if not one.at.point.perturb})
    return Study.of(
        records,
        systems=catalogue.load_systems(context.paths),
        workloads=workloads,
        experiments=chosen.experiments,
        claims=catalogue.load_claims(context.paths.experiments, everything),
        counts=[it for name in names if (it := context.store.counts(name)) is not None],
    )


def with_consoles(context: Context, study: Study) -> Study:
    """The same with the ends of the consoles of the cells that a report lists."""
    listed = [one for one in study.records if not one.at.point.perturb]
    ends = {one.cell_id: context.store.console_end(one, CONSOLE_END) for one in listed}
    return replace(
        study, consoles={name: end.decode(errors="replace") for name, end in ends.items()}
    )
