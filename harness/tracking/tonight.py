"""From what is measured to a night: the numbers, verdicts and cells of one plan."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.claims import judge
from harness.analysis.study import Study
from harness.model.cell import Cell, CellInputs
from harness.model.experiment import MetricRef
from harness.model.record import Record
from harness.store import representative
from harness.tracking.night import CellState, ClaimState, Counts, Night, Number, Source

NOT_RUN = "not run"
# Enough to tell two inputs apart by eye; whole digests of the image's files are in `Source`.
SHORT = 16


@dataclass(frozen=True, slots=True)
class Planned:
    """A cell of tonight's plan, and all its attempts."""

    cell: Cell
    attempts: Sequence[Record]

    @property
    def record(self) -> Record | None:
        return representative(self.attempts)


def night_of(
    *,
    date: str,
    source: Source,
    lock_text: str,
    planned: Sequence[Planned],
    run: int,
    study: Study | None,
) -> Night:
    """Tonight, not yet compared with another night. `study` is of the planned cells' records; None
    where not one was measured. `run` cells of them were run just now."""
    profiles = {one.cell.at.profile for one in planned}
    assert len(profiles) == 1, "a night has one profile"
    states = [_state(one) for one in planned]
    failed = sum(not (one.record and one.record.ok) for one in planned)
    return Night(
        date=date,
        profile=profiles.pop(),
        source=source,
        counts=Counts(cells=len(planned), run=run, failed=failed, changed=0),
        numbers=numbers_of(study) if study else (),
        claims=_claims(study) if study else (),
        cells=tuple(sorted(states, key=lambda it: (it.system, it.workload, it.point))),
        lock_text=lock_text,
    )


def numbers_of(study: Study) -> tuple[Number, ...]:
    """Every number of every unperturbed cell that has one, sorted by place."""
    cells = {(one.system, one.workload, one.at.point): one.cell_id for one in study.records}
    found = []
    for (system, ref), by_seed in study.measured.by_place.items():
        if math.isnan(by_seed.get(0, math.nan)):
            continue
        cell = cells[system, ref.workload, ref.point]
        found.append(_number(study, system, ref, cell))
    return tuple(sorted(found, key=lambda it: it.place))


def _number(study: Study, system: str, ref: MetricRef, cell: str) -> Number:
    metric, value = study.metric(ref), study.value(system, ref)
    return Number(
        system=system,
        workload=ref.workload,
        metric=ref.metric,
        point=str(ref.point),
        unit=metric.unit.symbol,
        direction=metric.better,
        value=value.value / metric.unit.scale,
        spread=value.spread / metric.unit.scale,
        cell=cell,
    )


def _claims(study: Study) -> tuple[ClaimState, ...]:
    return tuple(
        ClaimState(one.claim.id, one.system, one.verdict.value, one.remark) for one in judge(study)
    )


def _state(one: Planned) -> CellState:
    at, record = one.cell.at, one.record
    status = record.outcome.status.value if record else NOT_RUN
    point = str(at.point)
    return CellState(one.cell.id, at.system, at.workload, point, status, named(one.cell.inputs))


def named(inputs: CellInputs) -> dict[str, str]:
    """A cell's inputs by name, as short digests; what is short stands as it is."""
    files = {f"file {name}": digest[:SHORT] for name, digest in sorted(inputs.files.items())}
    return {
        **files,
        "command line": digest_of(inputs.argv),
        "emulator": inputs.emulator,
        "parameters": _spelled(inputs.params),
        "record format": str(inputs.record_schema),
        "testbed": inputs.testbed,
    }


def digest_of(words: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(words)).encode()).hexdigest()[:SHORT]


def _spelled(params: Mapping[str, int]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(params.items()))
