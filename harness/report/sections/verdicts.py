"""Judgements -> what the head of the page says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.analysis.claims import Evidence, Judgement, rivals_of
from harness.analysis.stats import Estimate
from harness.analysis.study import Study
from harness.model.experiment import Verdict
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
class ScoreView:
    """How many claims have one verdict; `counts` in the order of the judged systems."""

    verdict: str
    kind: str
    mark: str
    counts: tuple[str, ...]


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


def scores(
    study: Study, judgements: Sequence[Judgement]
) -> tuple[tuple[str, ...], tuple[ScoreView, ...]]:
    """The judged systems, and one line per verdict. A verdict without a system counts for
    every judged system that the claim could have been about."""
    judged = {one.system for one in judgements}
    order = tuple(system for system in study.systems if system in judged)
    counts = Counter(
        (one.verdict, system)
        for one in judgements
        for system in order
        if one.system == system
        or (not one.system and study.systems[system].stands_for in one.claim.about)
    )
    lines = tuple(
        ScoreView(
            verdict=verdict.value,
            kind=KINDS[verdict],
            mark=MARKS[verdict],
            counts=tuple(str(counts[verdict, system] or "·") for system in order),
        )
        for verdict in Verdict
    )
    return order, lines
