"""Records -> data frames. Columns are declared here, and checked before a frame leaves.

    samples   one row per sample; a cell without samples keeps one row, so it stays visible
    values    one row per metric of a good unperturbed cell: the median of its repetitions, its
              ratio to the base system, and how far both move under perturbations
    cells     one row per cell: how it ended, how often it was repeated, what it took

The base is the first system that stands for the paper's uniprocessor Linux.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.comparable import check_comparable
from harness.analysis.compare import repeats
from harness.analysis.measurements import Measurements, measurements, metric_of
from harness.analysis.stats import sample_value
from harness.errors import ConfigError
from harness.model.cell import Coordinates
from harness.model.experiment import MetricRef
from harness.model.record import Record, Status
from harness.model.system import System
from harness.model.unit import MetricKind
from harness.model.workload import Workload
from harness.store import representative

BASE_STANDS_FOR = "L-UP"

PLACE_COLUMNS: Mapping[str, str] = dict.fromkeys(("system", "workload", "profile", "point"), "str")
SAMPLE_COLUMNS: Mapping[str, str] = {
    **PLACE_COLUMNS,
    "status": "str",
    "metric": "str",
    "kind": "str",
    "phase": "str",
    "rep": "Int64",
    "count": "Int64",
    "total_ns": "Int64",
    "overhead_ns": "Int64",
    "value": "float64",
    "value_unit": "str",
    "cell_id": "str",
    "attempt": "Int64",
    "representative": "bool",
}
VALUE_COLUMNS: Mapping[str, str] = {
    **PLACE_COLUMNS,
    "metric": "str",
    "kind": "str",
    "value": "float64",
    "value_low": "float64",
    "value_high": "float64",
    "base": "float64",
    "ratio": "float64",
    "ratio_low": "float64",
    "ratio_high": "float64",
    "variants": "Int64",
}
CELL_COLUMNS: Mapping[str, str] = {
    **PLACE_COLUMNS,
    "status": "str",
    "reason": "str",
    "same": "Int64",
    "difference": "str",
    "begun_ns": "Int64",
    "quiet_ns": "Int64",
    "boot_wall_s": "float64",
    "machine_wall_s": "float64",
    "total_wall_s": "float64",
    "cell_id": "str",
    "attempt": "Int64",
    "rerun": "str",
}
VALUE_UNITS: Mapping[MetricKind, str] = {
    MetricKind.LATENCY: "ns",
    MetricKind.RATE: "1/s",
    MetricKind.AMOUNT: "1",
    MetricKind.SHARE: "1",
}


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames; what they hold as numbers to ask for; every attempt of every cell, and of
    each cell, perturbed ones included, the attempt that represents it, also by its place."""

    samples: pd.DataFrame
    values: pd.DataFrame
    cells: pd.DataFrame
    measured: Measurements
    attempts: tuple[Record, ...]
    representatives: tuple[Record, ...]
    by_place: Mapping[Coordinates, Record]


def build(
    records: Iterable[Record], systems: Mapping[str, System], workloads: Mapping[str, Workload]
) -> Frames:
    """All attempts of all cells of one profile -> frames.

    Raises StoreError if the records cannot stand in one comparison.
    """
    by_cell = _by_cell(records)
    chosen = [found for group in by_cell.values() if (found := representative(group))]
    place = {system: index for index, system in enumerate(systems)}
    chosen.sort(
        key=lambda it: (it.workload, place.get(it.system, len(place)), it.system, it.at.point)
    )
    check_comparable(chosen, workloads)
    measured = measurements(
        chosen,
        lambda record, metric: metric_of(record, metric, workloads).kind,
        base_system(systems),
    )
    return Frames(
        samples=samples_frame(chosen, workloads),
        values=_values(chosen, measured, workloads),
        cells=_cells(chosen, by_cell),
        measured=measured,
        attempts=tuple(record for group in by_cell.values() for record in group),
        representatives=tuple(chosen),
        by_place={record.at: record for record in chosen},
    )


def base_system(systems: Mapping[str, System]) -> str:
    """The system every ratio divides by."""
    for system in systems.values():
        if system.stands_for == BASE_STANDS_FOR:
            return system.id
    raise ConfigError(f"no system of the catalogue stands for {BASE_STANDS_FOR}, native Linux")


def _by_cell(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Attempts of each cell, oldest first."""
    attempts: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda it: (it.cell_id, it.attempt)):
        attempts[record.cell_id].append(record)
    return attempts


def _place(record: Record) -> dict[str, object]:
    return {
        "system": record.system,
        "workload": record.workload,
        "profile": record.profile,
        "point": str(record.at.point),
    }


def samples_frame(records: Sequence[Record], workloads: Mapping[str, Workload]) -> pd.DataFrame:
    """One row per sample, warm-ups included; one row without a metric for a cell without.

    `representative` says whether the attempt stands for its cell; the others repeat it.
    """
    rows = []
    chosen = {id(representative(group)) for group in _by_cell(records).values()}
    for record in records:
        cell = _place(record) | {
            "status": record.outcome.status.value,
            "cell_id": record.cell_id,
            "attempt": record.attempt,
            "representative": id(record) in chosen,
        }
        for sample in record.outcome.samples:
            kind = metric_of(record, sample.metric, workloads).kind
            rows.append(
                cell
                | {
                    "metric": sample.metric,
                    "kind": kind.value,
                    "phase": sample.phase.value,
                    "rep": sample.rep,
                    "count": sample.count,
                    "total_ns": sample.total_ns,
                    "overhead_ns": sample.overhead_ns,
                    "value": sample_value(sample, kind),
                    "value_unit": VALUE_UNITS[kind],
                }
            )
        if not record.outcome.samples:
            rows.append(cell)
    return _framed(rows, SAMPLE_COLUMNS)


def _values(
    chosen: Iterable[Record], measured: Measurements, workloads: Mapping[str, Workload]
) -> pd.DataFrame:
    rows = []
    for record in chosen:
        if record.at.point.perturb or not record.ok:
            continue
        for metric in dict.fromkeys(sample.metric for sample in record.outcome.samples):
            ref = MetricRef(record.workload, metric, record.at.point)
            value, times = measured.value(record.system, ref), measured.ratio(record.system, ref)
            rows.append(
                _place(record)
                | {
                    "metric": metric,
                    "kind": metric_of(record, metric, workloads).kind.value,
                    "value": value.value,
                    "value_low": value.low,
                    "value_high": value.high,
                    "base": measured.value(measured.base, ref).value,
                    "ratio": times.value,
                    "ratio_low": times.low,
                    "ratio_high": times.high,
                    "variants": value.variants,
                }
            )
    return _framed(rows, VALUE_COLUMNS)


def _cells(chosen: Iterable[Record], attempts: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    rows = []
    for record in chosen:
        outcome = record.outcome
        again = repeats(record, attempts[record.cell_id])
        good = outcome.status is Status.OK
        rows.append(
            _place(record)
            | {
                "status": outcome.status.value,
                "reason": outcome.reason,
                "same": again.same if good else 0,
                "difference": again.difference if good else "",
                "begun_ns": outcome.begun_ns,
                "quiet_ns": outcome.quiet_ns,
                "boot_wall_s": record.host.boot_wall_s,
                "machine_wall_s": record.host.machine_wall_s,
                "total_wall_s": record.host.total_wall_s,
                "cell_id": record.cell_id,
                "attempt": record.attempt,
                "rerun": record.rerun,
            }
        )
    return _framed(rows, CELL_COLUMNS)


def _framed(rows: Sequence[Mapping[str, object]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows -> a frame of exactly these columns and types."""
    unknown = {key for row in rows for key in row} - columns.keys()
    assert not unknown, f"undeclared columns {sorted(unknown)}"
    frame = pd.DataFrame.from_records(list(rows), columns=list(columns))
    return frame.astype(dict(columns))
