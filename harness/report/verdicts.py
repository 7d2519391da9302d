"""Judgements -> what the head of the page says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.analysis.claims import Evidence, Judgement
from harness.model.experiment import Verdict
from harness.model.system import System
from harness.report.numbers import ratio_text

MARKS = {
    Verdict.REPRODUCED: "●",
    Verdict.DIRECTION: "◐",
    Verdict.NOT_REPRODUCED: "○",
    Verdict.NOT_MEASURED: "…",
    Verdict.NOT_TESTABLE: "–",
}


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One row: ours, the paper's, and the rival's, as text; `mark` says if it satisfies."""

    row: str
    ours: str
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
    note: str
    versus: str
    verdicts: tuple[VerdictView, ...]


@dataclass(frozen=True, slots=True)
class ScoreView:
    """How many claims of each verdict one system has; `counts` in the order of `Verdict`."""

    system: str
    counts: tuple[str, ...]


def claim_views(
    judgements: Sequence[Judgement], systems: Mapping[str, System]
) -> tuple[ClaimView, ...]:
    """The claims in order; judgements of one claim stand together."""
    found = []
    for _, group in groupby(judgements, key=lambda it: it.claim.id):
        judged = list(group)
        claim = judged[0].claim
        rival = next((one.id for one in systems.values() if one.stands_for == claim.versus), "")
        found.append(
            ClaimView(
                id=claim.id,
                sentence=claim.sentence,
                paper=claim.paper,
                rule=claim.holds or claim.direction,
                note=claim.note,
                versus=rival,
                verdicts=tuple(_verdict_view(one) for one in judged),
            )
        )
    return tuple(found)


def _verdict_view(judgement: Judgement) -> VerdictView:
    judged = judgement.verdict is not judgement.claim.fixed
    return VerdictView(
        system=judgement.system,
        verdict=judgement.verdict.value,
        kind=judgement.verdict.name.lower().replace("_", "-"),
        mark=MARKS[judgement.verdict],
        remark=judgement.remark,
        evidence=tuple(
            _evidence_view(one, judged=judged)
            for one in judgement.evidence
            if not (math.isnan(one.ours) and math.isnan(one.paper))
        ),
    )


def _evidence_view(evidence: Evidence, *, judged: bool) -> EvidenceView:
    mark = ("✓" if evidence.satisfied else "✗") if judged else ""
    return EvidenceView(
        row=evidence.row,
        ours=ratio_text(evidence.ours),
        paper=ratio_text(evidence.paper),
        versus="" if math.isnan(evidence.versus) else ratio_text(evidence.versus),
        mark="" if math.isnan(evidence.ours) else mark,
        satisfied=evidence.satisfied,
    )


def scores(judgements: Sequence[Judgement], systems: Mapping[str, System]) -> tuple[ScoreView, ...]:
    """One line per judged system. A verdict without a system counts for every system of ours
    that the claim could have been about."""
    counts: dict[str, Counter[Verdict]] = {
        one.system: Counter() for one in judgements if one.system
    }
    for one in judgements:
        for system, counter in counts.items():
            if one.system == system:
                counter[one.verdict] += 1
            elif not one.system and systems[system].stands_for == one.claim.about:
                counter[one.verdict] += 1
    order = [system for system in systems if system in counts]
    return tuple(
        ScoreView(system, tuple(str(counts[system][verdict] or "·") for verdict in Verdict))
        for system in order
    )
