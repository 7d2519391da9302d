"""The artifact's appendix in the form that reviewers of ACM and USENIX conferences know.

Every number in it is made from the claims and the records; the template has the words.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.claims import Judgement, rivals_of
from harness.analysis.study import Study
from harness.model.cell import Coordinates
from harness.model.experiment import Claim, Group
from harness.report.environment import environment
from harness.report.numbers import count_text

TEMPLATE = "appendix.md.j2"


@dataclass(frozen=True, slots=True)
class Cost:
    """What running takes: wall seconds of a cell by (workload, system), one machine at a time,
    and bytes that a cell's record and console take."""

    wall_s: Mapping[tuple[str, str], float]
    cell_bytes: int


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One claim of the paper: what is expected, and what it takes to see it."""

    id: str
    sentence: str
    paper: str
    expected: tuple[tuple[str, str], ...]
    remark: str
    cells: str
    time: str
    disk: str
    command: str


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """One figure or table, and the command that runs all of it."""

    id: str
    heading: str
    cells: str
    time: str
    disk: str
    command: str


@dataclass(frozen=True, slots=True)
class Packed:
    """What the appendix says of the archive it is in; `image` is "" without one."""

    commit: str
    subject: str
    image: str
    image_bytes: int
    bytes: int
    packages: int


def appendix(study: Study, judgements: Sequence[Judgement], packed: Packed, cost: Cost) -> str:
    """As Markdown."""
    by_claim: dict[str, list[Judgement]] = {}
    for one in judgements:
        by_claim.setdefault(one.claim.id, []).append(one)
    places = [one.at for one in study.records]
    claims = [_claim(study, mine, places, cost) for mine in by_claim.values()]
    text = (
        environment()
        .get_template(TEMPLATE)
        .render(
            packed=packed,
            disk=_megabytes(packed.bytes),
            image_size=_megabytes(packed.image_bytes),
            profile=study.profile,
            systems=[it for it in study.systems.values() if it.id in study.ran],
            workloads=[
                it for it in study.workloads.values() if any(p.workload == it.id for p in places)
            ],
            metrics=sum(len(study.workloads[it].metrics) for it in {p.workload for p in places}),
            all_cells=len(places),
            all_time=_duration(_wall_s(places, cost)),
            all_disk=_megabytes(len(places) * cost.cell_bytes),
            experiments=_experiments(study, places, cost),
            claims=[it for it in claims if it.command],
            undecided=[it for it in claims if not it.command],
        )
    )
    return text.rstrip() + "\n"


def _experiments(study: Study, places: Sequence[Coordinates], cost: Cost) -> list[ExperimentView]:
    found = []
    for one in study.experiments:
        mine = [
            at
            for at in places
            if any(it.workload == at.workload and it.wants(at.system) for it in one.cells)
        ]
        heading = f"{one.number}: {one.title}" if one.number else one.title
        command = ["./rexen", "verify", "--reference", "--experiment", one.id]
        found.append(
            ExperimentView(
                one.id,
                heading,
                str(len(mine)),
                _duration(_wall_s(mine, cost)),
                _megabytes(len(mine) * cost.cell_bytes),
                _command(command, study.profile),
            )
        )
    return found


def _claim(
    study: Study, mine: Sequence[Judgement], places: Sequence[Coordinates], cost: Cost
) -> ClaimView:
    claim = mine[0].claim
    workloads = _workloads(study, claim)
    judged = [it.system for it in mine if it.system and it.evidence]
    systems = list(dict.fromkeys([study.base.id, *judged, *rivals_of(claim, study.systems)]))
    cells = [at for at in places if at.workload in workloads and at.system in systems]
    command = ["./rexen", "verify", "--reference"]
    command += [word for it in systems for word in ("--system", it)]
    command += [word for it in workloads for word in ("--workload", it)]
    return ClaimView(
        id=claim.id,
        sentence=claim.sentence,
        paper=claim.paper,
        expected=tuple((it.system, it.verdict.value) for it in mine),
        remark=claim.because,
        cells=count_text(len(cells), "cell", "cells"),
        time=_duration(_wall_s(cells, cost)),
        disk=_megabytes(len(cells) * cost.cell_bytes),
        command=_command(command, study.profile) if judged and cells else "",
    )


def _workloads(study: Study, claim: Claim) -> list[str]:
    """Those whose numbers the claim is about."""
    groups: dict[str, Group] = {it.name: it for one in study.experiments for it in one.groups}
    refs = [*claim.refs, *(ref for name in claim.groups for ref in groups[name].refs)]
    return list(dict.fromkeys(ref.workload for ref in refs))


def _command(words: Sequence[str], profile: str) -> str:
    return shlex.join([*words, "--profile", profile])


def _wall_s(cells: Sequence[Coordinates], cost: Cost) -> float:
    return sum(cost.wall_s.get((at.workload, at.system), 0.0) for at in cells)


def _duration(wall_s: float) -> str:
    """`40 s`, `12 min`, `3.5 h`: as exact as a guess of time may look."""
    if wall_s < 99.5:
        return f"{wall_s:.0f} s"
    return f"{wall_s / 60:.0f} min" if wall_s < 5400 else f"{wall_s / 3600:.1f} h"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
