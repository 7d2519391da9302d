"""Measured against the paper's claims -> verdicts, each with the numbers it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.frame import BASE_STANDS_FOR, Frames
from harness.model.experiment import Claim, Experiment, MetricRef, Row, Verdict
from harness.model.expression import Expression
from harness.model.system import System

NS_PER_US = 1000.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row a claim looks at: our ratio to native and the paper's (NaN: there is none)."""

    ref: MetricRef
    row: str
    ours: float
    paper: float
    versus: float
    satisfied: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """A claim's verdict for one system; `system` is "" where it does not depend on one."""

    claim: Claim
    system: str
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    remark: str


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


def judge(
    claims: Sequence[Claim],
    *,
    experiments: Sequence[Experiment],
    frames: Frames,
    systems: Mapping[str, System],
) -> list[Judgement]:
    """Each claim for each system that stands for what it is about, in the claims' order."""
    places = {row.ref: (experiment, row) for experiment in experiments for row in experiment.rows}
    found = []
    for claim in claims:
        concerned = [one.id for one in systems.values() if one.stands_for == claim.about]
        rival = rival_of(claim, systems)
        if claim.fixed is not None and not claim.refs:
            found.append(Judgement(claim, "", claim.fixed, (), claim.because))
        elif not concerned:
            remark = f"no system of the catalogue stands for {claim.about}"
            found.append(Judgement(claim, "", claim.fixed or Verdict.NOT_MEASURED, (), remark))
        else:
            found += [_judge(claim, one, rival, places, frames) for one in concerned]
    return found


def _judge(
    claim: Claim,
    system: str,
    rival: str,
    places: Mapping[MetricRef, tuple[Experiment, Row]],
    frames: Frames,
) -> Judgement:
    numbers = {ref: _numbers(claim, ref, system, rival, places, frames) for ref in claim.refs}
    held = _count(claim.holds, numbers)
    leaning = _count(claim.direction, numbers)
    missing = [ref for ref, found in numbers.items() if not _complete(claim, found)]
    shown = Expression(claim.holds or claim.direction) if claim.fixed is None else None
    evidence = tuple(
        Evidence(
            ref=ref,
            row=places[ref][1].name,
            ours=found["ours"],
            paper=found["paper"],
            versus=found["versus"],
            satisfied=shown is not None and shown.true(found),
        )
        for ref, found in numbers.items()
    )
    if claim.fixed is not None:
        return Judgement(claim, system, claim.fixed, evidence, claim.because)
    remark = claim.because
    if missing:
        verdict = Verdict.NOT_MEASURED
        remark = "no usable value for " + ", ".join(str(ref) for ref in missing)
    elif claim.holds and held >= claim.need:
        verdict = Verdict.REPRODUCED
    elif claim.direction and leaning >= claim.need:
        verdict = Verdict.DIRECTION
    else:
        verdict = Verdict.NOT_REPRODUCED
    return Judgement(claim, system, verdict, evidence, remark)


def _numbers(
    claim: Claim,
    ref: MetricRef,
    system: str,
    rival: str,
    places: Mapping[MetricRef, tuple[Experiment, Row]],
    frames: Frames,
) -> dict[str, float]:
    """Every name an expression may use, for one row."""
    experiment, row = places[ref]
    value = frames.value(system, ref.workload, ref.metric)
    base = frames.value(frames.base, ref.workload, ref.metric)
    return {
        "ours": frames.ratio(system, ref.workload, ref.metric),
        "versus": frames.ratio(rival, ref.workload, ref.metric),
        "paper": paper_ratio(experiment, row, claim.about),
        "extra_us": (value - base) / NS_PER_US,
        "tolerance": claim.tolerance,
    }


def _complete(claim: Claim, numbers: Mapping[str, float]) -> bool:
    """Whether all that the claim's expressions name was measured."""
    used = {
        name for text in (claim.holds, claim.direction) if text for name in Expression(text).names
    }
    return not any(math.isnan(numbers[name]) for name in used)


def _count(text: str, numbers: Mapping[MetricRef, Mapping[str, float]]) -> int:
    if not text:
        return 0
    expression = Expression(text)
    return sum(expression.true(found) for found in numbers.values())
