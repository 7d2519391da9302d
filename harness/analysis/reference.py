"""Fresh records against the reference results that the repository carries.

A cell of the same inputs must give the same bits. With other inputs (Debian moved its kernel) it
cannot, so what can be compared is: every ratio to native, within `TOLERANCE`. Either way every
input that is not the reference's is named, and nothing is passed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.compare import first_difference
from harness.analysis.frame import base_system
from harness.analysis.measurements import Measurements, measurements, metric_of
from harness.model.cell import Coordinates
from harness.model.record import Record
from harness.model.system import System
from harness.model.unit import MetricKind
from harness.model.workload import Workload

TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class AgainstReference:
    """`identical` cells of the `wanted` ones gave the reference's bits. `different` says where
    bits or ratios part, `failed` which cells did not run, `missing` which were not run, `inputs`
    what is not the reference's; `compared` counts the cells judged by their ratios."""

    wanted: int
    identical: int
    compared: int
    different: tuple[str, ...]
    failed: tuple[str, ...]
    missing: tuple[str, ...]
    inputs: tuple[str, ...]

    def lines(self) -> list[str]:
        """For people; the last line is the result."""
        found = [*self.different, *self.failed, *(f"{one}: not run" for one in self.missing)]
        found += [f"other input: {one}" for one in self.inputs]
        text = f"{self.identical} of {self.wanted} identical"
        if self.compared:
            text += (
                f"; {self.compared} with other inputs, their ratios compared within {TOLERANCE:.0%}"
            )
        return [*found, text]

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "wanted": self.wanted,
            "identical": self.identical,
            "compared_by_ratio": self.compared,
            "different": list(self.different),
            "failed": list(self.failed),
            "missing": list(self.missing),
            "inputs": list(self.inputs),
        }


def compare_with_reference(
    expected: Sequence[Record],
    fresh: Iterable[Record],
    *,
    systems: Mapping[str, System],
    workloads: Mapping[str, Workload],
) -> AgainstReference:
    """Each cell of the reference against the fresh record at its place."""
    by_place = {record.at: record for record in fresh}
    base = base_system(systems)

    def kind_of(record: Record, metric_id: str) -> MetricKind:
        return metric_of(record, metric_id, workloads).kind

    theirs = measurements(expected, kind_of, base)
    ours = measurements(by_place.values(), kind_of, base)
    identical, compared = 0, 0
    different: list[str] = []
    failed: list[str] = []
    missing: list[Coordinates] = []
    inputs: dict[str, None] = {}
    for reference in expected:
        record = by_place.get(reference.at)
        if record is None:
            missing.append(reference.at)
        elif record.cell_id == reference.cell_id:
            where = first_difference(reference.outcome, record.outcome)
            identical += not where
            different += [f"{record.at} differs from the reference: {where}"] if where else []
        elif not record.ok:
            failed.append(f"{record.at}: {record.outcome.status}: {record.outcome.reason}")
        else:
            compared += 1
            inputs |= dict.fromkeys(other_inputs(reference, record))
            different += _other_ratios(reference, record, theirs, ours)
    return AgainstReference(
        wanted=len(expected),
        identical=identical,
        compared=compared,
        different=tuple(different),
        failed=tuple(failed),
        missing=tuple(str(at) for at in missing),
        inputs=tuple(inputs),
    )


def other_inputs(reference: Record, record: Record) -> list[str]:
    """What is not the same in the inputs of two records, by name."""
    found = []
    for key in sorted(reference.inputs.keys() | record.inputs.keys()):
        was, now = reference.inputs.get(key), record.inputs.get(key)
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += [
                f"{key} {name}: {_short(was.get(name))} -> {_short(now.get(name))}"
                for name in sorted(was.keys() | now.keys())
                if was.get(name) != now.get(name)
            ]
        elif isinstance(was, list | tuple) and isinstance(now, list | tuple):
            # A record that was read has lists where a fresh one has tuples.
            if list(was) != list(now):
                found.append(f"{key} of {record.at}: {_first_other_word(was, now)}")
        elif was != now:
            found.append(f"{key}: {_short(was)} -> {_short(now)}")
    return found


def _first_other_word(was: Sequence[object], now: Sequence[object]) -> str:
    for one, other in zip(was, now, strict=False):
        if one != other:
            return f"{_short(one)} -> {_short(other)}"
    return f"{len(was)} words -> {len(now)}"


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:16]}..."


def _other_ratios(
    reference: Record, record: Record, theirs: Measurements, ours: Measurements
) -> list[str]:
    """Metrics of this cell whose ratio to native is not the reference's, within TOLERANCE. Of the
    base system itself every ratio is 1 and nothing can be said."""
    found = []
    point = record.at.point
    places = [
        place
        for place in theirs.by_place
        if place[0] == record.system
        and place[1].workload == record.workload
        and place[1].point == point.unperturbed
    ]
    for system, ref in places:
        was = theirs.ratios(system, ref).get(point.perturb, math.nan)
        now = ours.ratios(system, ref).get(point.perturb, math.nan)
        if math.isnan(was):
            continue
        if math.isnan(now) or abs(now / was - 1) > TOLERANCE:
            found.append(f"{ref} on {system}: {was:.4f} times native, now {now:.4f}")
    return found
