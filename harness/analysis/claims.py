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
from harness.analysis.performance import paper_performance, performance
from harness.analysis.stats import Estimate
from harness.analysis.study import Study
from harness.model.experiment import Claim, Experiment, Group, MetricRef, Row, Verdict
from harness.model.expression import Expression
from harness.model.system import System
from harness.model.unit import Unit

NS_PER_US = 1000.0

Subject = MetricRef | str
Places = Mapping[Subject, tuple[Experiment, Row | Group]]
Quantifier = Callable[[Iterable[bool]], bool]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row or group a claim looks at: our number, each rival's by name, and the paper's (NaN:
    there is none). With a `unit` it is the value itself; else one relative to native: the ratio
    of the values as they are (a time above 1 is slower, a rate below 1 is), or, where the rule
    speaks of it, the performance."""

    row: str
    unit: Unit | None
    ours: Estimate
    paper: float
    versus: tuple[tuple[str, Estimate], ...]
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
    """All that an expression may name, for one row or group and one rival: what moves, and what
    does not. A group has no ratios."""

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


# A claim's numbers by rival; that of a claim without one is "".
Found = Mapping[Subject, Mapping[str, Numbers]]


def paper_ratio(experiment: Experiment, row: Row, stands_for: str) -> float:
    """The paper's own ratio to native Linux; NaN where it prints none."""
    value = experiment.paper_value(row, stands_for)
    base = experiment.paper_value(row, BASE_STANDS_FOR)
    return value / base if value is not None and base else math.nan


def rivals_of(claim: Claim, systems: Mapping[str, System]) -> tuple[str, ...]:
    """The systems of ours that stand for what the claim is held against."""
    against = set(claim.versus) - set(claim.untestable)
    return tuple(one.id for one in systems.values() if one.stands_for in against)


def judge(study: Study) -> list[Judgement]:
    """Each claim for each system that stands for what it is about, in the claims' order; without
    the claims about rows and groups of experiments that the study leaves out."""
    places: dict[Subject, tuple[Experiment, Row | Group]] = {}
    for one in study.experiments:
        places |= {row.ref: (one, row) for row in one.rows}
        places |= {group.name: (one, group) for group in one.groups}
    found = []
    for claim in study.claims:
        concerned = [one.id for one in study.systems.values() if one.stands_for in claim.about]
        if not all(subject in places for subject in claim.subjects):
            continue
        if claim.fixed is not None and not claim.subjects:
            found.append(Judgement(claim, "", claim.fixed, (), claim.because))
        elif not concerned:
            remark = f"no system of the catalogue stands for {' or '.join(claim.about)}"
            found.append(Judgement(claim, "", claim.fixed or Verdict.NOT_MEASURED, (), remark))
        else:
            found += [_judge(study, claim, one, places) for one in concerned]
    return found


def _judge(study: Study, claim: Claim, system: str, places: Places) -> Judgement:
    found = {
        subject: {
            rival: _numbers(study, claim, system, rival, places[subject])
            for rival in rivals_of(claim, study.systems) or ("",)
        }
        for subject in claim.subjects
    }
    fixed = claim.fixed
    if study.systems[system].stands_for in claim.untestable:
        fixed = Verdict.NOT_TESTABLE
    shown = Expression(claim.holds or claim.direction) if fixed is None else None
    evidence = tuple(
        _evidence(claim, places[subject][1], by_rival, shown) for subject, by_rival in found.items()
    )
    if fixed is not None:
        return Judgement(claim, system, fixed, evidence, claim.because)
    missing = [
        str(subject)
        for subject, by_rival in found.items()
        if not all(one.complete(claim.names) for one in by_rival.values())
    ]
    if missing:
        remark = "no usable value for " + ", ".join(missing)
        return Judgement(claim, system, Verdict.NOT_MEASURED, evidence, remark)
    verdict, best = (_verdict(claim, found, of) for of in (all, any))
    # Said of another system that the claim is about as well, it would explain nothing here.
    of_another = claim.holds and set(claim.untestable) & set(claim.about)
    remark = "" if of_another else claim.because
    if verdict is not best:
        numbers = [one for by_rival in found.values() for one in by_rival.values()]
        variants = max(it.variants for one in numbers for it in one.moving.values())
        remark = f"Within the spread of {variants} variants it could be {best}. {remark}".strip()
    return Judgement(claim, system, verdict, evidence, remark)


def _verdict(claim: Claim, found: Found, of: Quantifier) -> Verdict:
    """`all`: what is sure whatever a perturbation does; `any`: the best it could be."""
    if claim.holds and _count(claim.holds, found, of) >= claim.need:
        return Verdict.REPRODUCED
    if claim.direction and _count(claim.direction, found, of) >= claim.need:
        return Verdict.DIRECTION
    return Verdict.NOT_REPRODUCED


def _count(text: str, found: Found, of: Quantifier) -> int:
    expression = Expression(text)
    return sum(_true(by_rival, expression, of) for by_rival in found.values())


def _true(by_rival: Mapping[str, Numbers], expression: Expression, of: Quantifier) -> bool:
    """Against every rival."""
    return all(one.true(expression, of) for one in by_rival.values())


def _evidence(
    claim: Claim, row: Row | Group, by_rival: Mapping[str, Numbers], shown: Expression | None
) -> Evidence:
    ours, paper, versus = "ours", "paper", "versus"
    if isinstance(row, Group) or "performance" in claim.names:
        ours, paper, versus = "performance", "paper_performance", "versus_performance"
    elif "value" in claim.names:
        ours = "value"
    first = next(iter(by_rival.values()))
    return Evidence(
        row=row.name,
        unit=row.unit if ours == "value" else None,
        ours=first.moving[ours],
        paper=math.nan if ours == "value" else first.fixed[paper],
        versus=tuple((rival, one.moving[versus]) for rival, one in by_rival.items() if rival),
        satisfied=shown is not None and _true(by_rival, shown, all),
    )


def _numbers(
    study: Study, claim: Claim, system: str, rival: str, place: tuple[Experiment, Row | Group]
) -> Numbers:
    """`rival` is "" for a claim without one, and has no numbers then."""
    experiment, row = place
    stands_for = study.systems[system].stands_for
    refs = row.refs if isinstance(row, Group) else (row.ref,)
    better = row.paper_better if isinstance(row, Group) else study.metric(row.ref).better
    moving = {
        "performance": performance(study, system, refs),
        "versus_performance": performance(study, rival, refs),
    }
    fixed = {
        "paper_performance": paper_performance(experiment, row, better, stands_for),
        "tolerance": claim.tolerance,
    }
    if isinstance(row, Row):
        values = study.measured.values(system, row.ref)
        extras = study.measured.extras(system, row.ref)
        moving |= {
            "ours": study.ratio(system, row.ref),
            "versus": study.ratio(rival, row.ref),
            "extra_us": Estimate.of({seed: ns / NS_PER_US for seed, ns in extras.items()}),
            "value": Estimate.of({seed: it / row.unit.scale for seed, it in values.items()}),
        }
        fixed["paper"] = paper_ratio(experiment, row, stands_for)
    return Numbers(moving, fixed)
