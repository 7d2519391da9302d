"""Judgements -> what the head of the page says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.analysis.claims import Evidence, Judgement, rivals_of
from harness.analysis.stats import Estimate
from harness.analysis.study import Study
from harness.model.experiment import Verdict
from harness.model.system import System
from harness.model.unit import Unit
from harness.report.numbers import exact_range, ratio_text, spread_text, value_text

MARKS = {
    Verdict.REPRODUCED: "●",
    Verdict.DIRECTION: "◐",
    Verdict.NOT_REPRODUCED: "○",
    Verdict.NOT_MEASURED: "…",
    Verdict.NOT_TESTABLE: "–",
}
KINDS = {verdict: verdict.name.lower().replace("_", "-") for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One row: ours, the paper's, and the rivals', as text; `mark` says if it satisfies the rule
    however a perturbation moves it, `exact` how far that is."""

    row: str
    ours: str
    exact: str
    paper: str
    versus: str
    mark: str
    satisfied: bool


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A claim for one system."""

    system: str
    verdict: str
    kind: str
    mark: str
    remark: str
    evidence: tuple[EvidenceView, ...]


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim, with one verdict per system it is judged for."""

    id: str
    sentence: str
    paper: str
    rule: str
    tolerance: str
    note: str
    versus: str
    verdicts: tuple[VerdictView, ...]


@dataclass(frozen=True, slots=True)
class MarkView:
    """A verdict as a mark; all "" where a claim has none for the system."""

    system: str
    verdict: str
    kind: str
    mark: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One claim and its marks, in the order of the matrix' systems; `general` is the verdict of
    one that concerns none of them, else ""."""

    id: str
    sentence: str
    general: str
    marks: tuple[MarkView, ...]


@dataclass(frozen=True, slots=True)
class MatrixView:
    """All verdicts at a glance."""

    systems: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


def claim_views(study: Study, judgements: Sequence[Judgement]) -> tuple[ClaimView, ...]:
    """The claims in order; judgements of one claim stand together."""
    found = []
    for _, group in groupby(judgements, key=lambda it: it.claim.id):
        judged = list(group)
        claim = judged[0].claim
        rivals = rivals_of(claim, study.systems)
        found.append(
            ClaimView(
                id=claim.id,
                sentence=claim.sentence,
                paper=claim.paper,
                rule=claim.holds or claim.direction,
                tolerance=f"{claim.tolerance:g}" if claim.tolerance else "",
                note=claim.note,
                versus=" and ".join(rivals),
                verdicts=tuple(_verdict_view(one) for one in judged),
            )
        )
    return tuple(found)


def _verdict_view(judgement: Judgement) -> VerdictView:
    judged = judgement.verdict not in (judgement.claim.fixed, Verdict.NOT_TESTABLE)
    return VerdictView(
        system=judgement.system,
        verdict=judgement.verdict.value,
        kind=KINDS[judgement.verdict],
        mark=MARKS[judgement.verdict],
        remark=judgement.remark,
        evidence=tuple(
            _evidence_view(one, judged=judged)
            for one in judgement.evidence
            if not (one.ours.missing and math.isnan(one.paper))
        ),
    )


def _evidence_view(evidence: Evidence, *, judged: bool) -> EvidenceView:
    mark = ("✓" if evidence.satisfied else "✗") if judged else ""
    return EvidenceView(
        row=evidence.row,
        ours=_text(evidence.ours, evidence.unit),
        exact=exact_range(evidence.ours),
        paper="" if math.isnan(evidence.paper) else ratio_text(evidence.paper),
        versus=_rivals(evidence),
        mark="" if evidence.ours.missing else mark,
        satisfied=evidence.satisfied,
    )


def _rivals(evidence: Evidence) -> str:
    """The rivals' numbers; with names if there are several."""
    found = [(name, _text(it)) for name, it in evidence.versus if not it.missing]
    named = len(evidence.versus) > 1
    return " and ".join(f"{name} {text}" if named else text for name, text in found)


def _text(found: Estimate, unit: Unit | None = None) -> str:
    """Relative to native, or in a unit, which it is given in already."""
    if unit is not None:
        return value_text(found.value * unit.scale, unit)
    return f"{ratio_text(found.value)} {spread_text(found)}".strip()


def concerns(judgement: Judgement, system: System) -> bool:
    """Whether a verdict is one of this system's. One without a system is of every system that the
    claim could have been about."""
    if judgement.system:
        return judgement.system == system.id
    return system.stands_for in judgement.claim.about


def matrix_view(study: Study, judgements: Sequence[Judgement]) -> MatrixView:
    """Each claim a row, each system with any verdict a column."""
    systems = [one for one in study.systems.values() if any(concerns(it, one) for it in judgements)]
    rows = []
    for _, group in groupby(judgements, key=lambda it: it.claim.id):
        judged = list(group)
        found = [next((it for it in judged if concerns(it, one)), None) for one in systems]
        rows.append(
            MatrixRow(
                id=judged[0].claim.id,
                sentence=judged[0].claim.sentence,
                general="" if any(found) else judged[0].verdict.value,
                marks=tuple(_mark(one.id, it) for one, it in zip(systems, found, strict=True)),
            )
        )
    return MatrixView(tuple(one.id for one in systems), tuple(rows))


def _mark(system: str, judgement: Judgement | None) -> MarkView:
    if judgement is None:
        return MarkView(system, "", "", "")
    verdict = judgement.verdict
    return MarkView(system, verdict.value, KINDS[verdict], MARKS[verdict])
