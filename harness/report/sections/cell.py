"""One system in one row of a table, as text: a number with its spread, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.performance import mean_value, performance
from harness.analysis.stats import Estimate
from harness.analysis.study import Study
from harness.model.cell import Coordinates
from harness.model.experiment import MetricRef
from harness.model.system import System
from harness.report.numbers import exact_range, exact_text, ratio_text, spread_text, value_text

NOT_RUN = "not run"
NO_VALUE = "no value"
UNABLE = "cannot"


@dataclass(frozen=True, slots=True)
class CellView:
    """A ratio, how far perturbations move it, and the value; or the word that says why there is
    none, with the place in the page that tells more. `cell` is the place of the cell behind it, ""
    if none was run; `sort` is what its column is sorted by, "" where there is no number."""

    system: str
    ratio: str
    spread: str
    paper: str
    value: str
    exact: str
    trouble: str
    anchor: str
    cell: str
    sort: str


def cell_view(study: Study, system: System, ref: MetricRef, paper: float = math.nan) -> CellView:
    """`paper` is the paper's own ratio; NaN where it has none."""
    value, times = study.value(system.id, ref), study.ratio(system.id, ref)
    return _cell(study, system, (ref,), value, times, paper)


def group_cell(
    study: Study, system: System, refs: Sequence[MetricRef], paper: float = math.nan
) -> CellView:
    """A group's performance in place of a ratio, and the mean of its values."""
    value, times = mean_value(study, system.id, refs), performance(study, system.id, refs)
    return _cell(study, system, refs, value, times, paper)


def _cell(
    study: Study,
    system: System,
    refs: Sequence[MetricRef],
    value: Estimate,
    times: Estimate,
    paper: float,
) -> CellView:
    unit = study.metric(refs[0]).unit
    exact = exact_text(value.value, unit)
    moved = exact_range(times)
    # Where all its metrics have values but one at or below zero, the mean has none.
    lacking = [ref for ref in refs if study.value(system.id, ref).missing] or list(refs)
    trouble, anchor = _trouble(study, system, lacking[0]) if value.missing else ("", "")
    return CellView(
        system=system.id,
        ratio=ratio_text(times.value),
        spread=spread_text(times),
        paper="" if math.isnan(paper) else ratio_text(paper),
        value=value_text(value.value, unit),
        exact=f"{exact}; {times.value:.6f}×, {moved}" if moved else exact,
        trouble=trouble,
        anchor=anchor,
        cell=_behind(study, system, refs[0]),
        sort=_sorted_by(value if system.id == study.base.id else times),
    )


def _behind(study: Study, system: System, ref: MetricRef) -> str:
    record = study.record(system.id, ref.workload, ref.point)
    return cell_anchor(record.at) if record else ""


def _sorted_by(found: Estimate) -> str:
    return "" if found.missing else f"{found.value:.6g}"


def _trouble(study: Study, system: System, ref: MetricRef) -> tuple[str, str]:
    """Why a cell has no value, in a word, and where the page says more."""
    record = study.record(system.id, ref.workload, ref.point)
    if record is None and system.cannot(study.workloads[ref.workload]):
        return UNABLE, "unable"
    if record is None:
        return NOT_RUN, "not-run"
    if record.ok:
        return NO_VALUE, "no-value"
    return record.outcome.status.value, failed_anchor(record.at)


def failed_anchor(at: Coordinates) -> str:
    """The place in the page of a failed cell, where failures are listed."""
    return f"failed-{_place(at)}"


def cell_anchor(at: Coordinates) -> str:
    """The place in the page of an unperturbed cell, where all cells are."""
    return f"cell-{_place(at)}"


def _place(at: Coordinates) -> str:
    point = "".join(f"-{name}-{value}" for name, value in at.point.values)
    return f"{at.workload}-{at.system}{point}"
