"""Measured against the paper's claims -> verdicts, each with the numbers it rests on.

A number that moves under perturbations is an interval. An expression holds for a row only if it
holds wherever in the interval the number lies, so that no verdict rests on a difference
smaller than the spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from harness.analysis.frame import BASE_STANDS_FOR
from harness.analysis.stats import Estimate
from harness.analysis.study import Study
from harness.model.experiment import Claim, Experiment, MetricRef, Row, Verdict
from harness.model.expression import Expression
from harness.model.system import System

NS_PER_US = 1000.0

Places = Mapping[MetricRef, tuple[Experiment, Row]]
Quantifier = Callable[[Iterable[bool]], bool]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row a claim looks at: our ratio to native, the rival's, and the paper's (NaN: there
    is none). A ratio is value by value, so a time above 1 is slower than native, and a rate
    below 1 is."""

    ref: MetricRef
    row: str
    ours: Estimate
    paper: float
    versus: Estimate
    satisfied: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """A claim's verdict for one system; `system` is "" where it does not depend on one."""

    claim: Claim
    system: str
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    remark: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that an expression may name, for one row: what moves, and what does not."""

    moving: Mapping[str, Estimate]
    fixed: Mapping[str, float]

    def complete(self, names: Iterable[str]) -> bool:
        """Whether all of these were measured."""
        return not any(
            self.moving[name].missing if name in self.moving else math.isnan(self.fixed[name])
            for name in names
        )

    def true(self, expression: Expression, of: Quantifier) -> bool:
        """Whether the expression holds at all (`all`) or at any (`any`) of the values and ends
        of the intervals it names."""
        ends = {
            name: {it.value, it.low, it.high}
            for name, it in self.moving.items()
            if name in expression.names
        }
        return of(
            expression.true({**self.fixed, **dict(zip(ends, values, strict=True))})
            for values in product(*ends.values())
        )


def paper_ratio(experiment: Experiment, row: Row, stands_for: str) -> float:
    """The paper's own ratio to native Linux; NaN where it prints none."""
    value = experiment.paper_value(row, stands_for)
    base = experiment.paper_value(row, BASE_STANDS_FOR)
    return value / base if value is not None and base else math.nan


def rival_of(claim: Claim, systems: Mapping[str, System]) -> str:
    """The system of ours that stands for the claim's second one; "" if it names none."""
    if not claim.versus:
        return ""
    return next((one.id for one in systems.values() if one.stands_for == claim.versus), "")


def judge(study: Study) -> list[Judgement]:
    """Each claim for each system that stands for what it is about, in the claims' order; without
    the claims about rows of experiments that the study leaves out."""
    places = {row.ref: (one, row) for one in study.experiments for row in one.rows}
    found = []
    for claim in study.claims:
        concerned = [one.id for one in study.systems.values() if one.stands_for in claim.about]
        if not all(ref in places for ref in claim.refs):
            continue
        if claim.fixed is not None and not claim.refs:
            found.append(Judgement(claim, "", claim.fixed, (), claim.because))
        elif not concerned:
            remark = f"no system of the catalogue stands for {' or '.join(claim.about)}"
            found.append(Judgement(claim, "", claim.fixed or Verdict.NOT_MEASURED, (), remark))
        else:
            found += [_judge(study, claim, one, places) for one in concerned]
    return found


def _judge(study: Study, claim: Claim, system: str, places: Places) -> Judgement:
    numbers = {ref: _numbers(study, claim, system, ref, places[ref]) for ref in claim.refs}
    shown = Expression(claim.holds or claim.direction) if claim.fixed is None else None
    evidence = tuple(
        Evidence(
            ref=ref,
            row=places[ref][1].name,
            ours=found.moving["ours"],
            paper=found.fixed["paper"],
            versus=found.moving["versus"],
            satisfied=shown is not None and found.true(shown, all),
        )
        for ref, found in numbers.items()
    )
    if claim.fixed is not None:
        return Judgement(claim, system, claim.fixed, evidence, claim.because)
    used = {
        name for text in (claim.holds, claim.direction) if text for name in Expression(text).names
    }
    missing = [ref for ref, found in numbers.items() if not found.complete(used)]
    if missing:
        remark = "no usable value for " + ", ".join(str(ref) for ref in missing)
        return Judgement(claim, system, Verdict.NOT_MEASURED, evidence, remark)
    verdict, best = (_verdict(claim, numbers, of) for of in (all, any))
    remark = claim.because
    if verdict is not best:
        variants = max(it.variants for one in numbers.values() for it in one.moving.values())
        remark = f"Within the spread of {variants} variants it could be {best}. {remark}".strip()
    return Judgement(claim, system, verdict, evidence, remark)


def _verdict(claim: Claim, numbers: Mapping[MetricRef, Numbers], of: Quantifier) -> Verdict:
    """`all`: what is sure whatever a perturbation does; `any`: the best it could be."""
    if claim.holds and _count(claim.holds, numbers, of) >= claim.need:
        return Verdict.REPRODUCED
    if claim.direction and _count(claim.direction, numbers, of) >= claim.need:
        return Verdict.DIRECTION
    return Verdict.NOT_REPRODUCED


def _count(text: str, numbers: Mapping[MetricRef, Numbers], of: Quantifier) -> int:
    expression = Expression(text)
    return sum(found.true(expression, of) for found in numbers.values())


def _numbers(
    study: Study, claim: Claim, system: str, ref: MetricRef, place: tuple[Experiment, Row]
) -> Numbers:
    extras = study.measured.extras(system, ref)
    return Numbers(
        moving={
            "ours": study.ratio(system, ref),
            "versus": study.ratio(rival_of(claim, study.systems), ref),
            "extra_us": Estimate.of({seed: ns / NS_PER_US for seed, ns in extras.items()}),
        },
        fixed={
            "paper": paper_ratio(*place, study.systems[system].stands_for),
            "tolerance": claim.tolerance,
        },
    )
