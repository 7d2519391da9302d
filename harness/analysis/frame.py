"""Records -> data frames. Columns are declared here, and checked before a frame leaves.

    samples   one row per sample; a cell without samples keeps one row, so it stays visible
    values    one row per metric of a good cell: the median of its repetitions, and its
              ratio to the base system
    cells     one row per cell: how it ended, how often it was repeated, what it took

The base is the first system that stands for the paper's uniprocessor Linux.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from harness.analysis.determinism import repeats
from harness.analysis.stats import middle, ratio, sample_value
from harness.errors import ConfigError, StoreError
from harness.model.record import Outcome, Phase, Record, Status
from harness.model.system import System
from harness.model.workload import Metric, Workload
from harness.store import counting

BASE_STANDS_FOR = "L-UP"

SAMPLE_COLUMNS: Mapping[str, str] = {
    "system": "str",
    "workload": "str",
    "profile": "str",
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
    "counts": "bool",
}
VALUE_COLUMNS: Mapping[str, str] = {
    "system": "str",
    "workload": "str",
    "profile": "str",
    "metric": "str",
    "kind": "str",
    "value": "float64",
    "base": "float64",
    "ratio": "float64",
}
CELL_COLUMNS: Mapping[str, str] = {
    "system": "str",
    "workload": "str",
    "profile": "str",
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
VALUE_UNITS = {"latency": "ns", "rate": "B/s"}


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames, the records that stand for their cells, and the id of the base system."""

    samples: pd.DataFrame
    values: pd.DataFrame
    cells: pd.DataFrame
    base: str
    standing: tuple[Record, ...]
    _value: Mapping[tuple[str, str, str], tuple[float, float]] = field(repr=False)

    def value(self, system: str, workload: str, metric: str) -> float:
        """ns per operation or bytes per second; NaN where there is none."""
        return self._value.get((system, workload, metric), (math.nan, math.nan))[0]

    def ratio(self, system: str, workload: str, metric: str) -> float:
        """The value divided by the base system's; NaN where there is none."""
        return self._value.get((system, workload, metric), (math.nan, math.nan))[1]

    def record(self, system: str, workload: str) -> Record | None:
        """The record that stands for this cell."""
        here = (one for one in self.standing if (one.system, one.workload) == (system, workload))
        return next(here, None)


def build(
    records: Iterable[Record], systems: Mapping[str, System], workloads: Mapping[str, Workload]
) -> Frames:
    """All attempts of all cells of one profile -> frames.

    Raises StoreError if the records cannot stand in one comparison.
    """
    attempts = _by_cell(records)
    standing = [found for group in attempts.values() if (found := counting(group))]
    place = {system: index for index, system in enumerate(systems)}
    standing.sort(key=lambda it: (it.workload, place.get(it.system, len(place)), it.system))
    check_comparable(standing, workloads)
    base = base_system(systems)
    values_df = _values(standing, workloads, base)
    keys = zip(values_df["system"], values_df["workload"], values_df["metric"], strict=True)
    numbers = zip(values_df["value"], values_df["ratio"], strict=True)
    return Frames(
        samples=samples_frame(standing, workloads),
        values=values_df,
        cells=_cells(standing, attempts),
        base=base,
        standing=tuple(standing),
        _value=dict(zip(keys, numbers, strict=True)),
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


def check_comparable(standing: Sequence[Record], workloads: Mapping[str, Workload]) -> None:
    """Refuse records that must not stand side by side. Raises StoreError, naming key and values."""
    _one_value("profile", {one.profile: _name(one) for one in standing})
    taken: dict[tuple[str, str], Record] = {}
    for one in standing:
        other = taken.setdefault((one.system, one.workload), one)
        if other is not one:
            raise StoreError(
                f"two different cells for {_name(one)}: {other.cell_id[:12]}, {one.cell_id[:12]}",
                hint="one of them is of an older image or catalogue; pass only one",
            )
    seen: dict[str, dict[object, str]] = defaultdict(dict)
    for one in standing:
        for key, value in _must_match(one, workloads.get(one.workload)):
            seen[key].setdefault(value, _name(one))
    for key, values in sorted(seen.items()):
        _one_value(key, values)


def _must_match(record: Record, workload: Workload | None) -> Iterable[tuple[str, object]]:
    """What all cells of one comparison share: the emulated PC, every artefact of the same
    name, and the parameters its profile gives a workload."""
    for key in ("record_schema", "testbed", "emulator"):
        yield key, record.inputs.get(key)
    files, params = record.inputs.get("files"), record.inputs.get("params")
    for name, digest in files.items() if isinstance(files, Mapping) else ():
        yield f"file {name}", digest
    declared = workload.profiles.get(record.profile, {}) if workload else {}
    for name, value in params.items() if isinstance(params, Mapping) else ():
        if name in declared:
            yield f"parameter {record.workload}.{name}", value


def _one_value(key: str, values: Mapping[object, str]) -> None:
    if len(values) > 1:
        (one, first), (other, second), *_ = values.items()
        raise StoreError(
            f"records do not combine: {key} is {one!r} for {first} and {other!r} for {second}",
            hint="run the older cells again (rexen run), then report",
        )


def _name(record: Record) -> str:
    return f"{record.workload}@{record.system}"


def _metric(record: Record, metric_id: str, workloads: Mapping[str, Workload]) -> Metric:
    workload = workloads.get(record.workload)
    metric = workload.metric(metric_id) if workload else None
    if metric is None:
        raise StoreError(
            f"{_name(record)} measured '{metric_id}', which the catalogue does not declare",
            hint="the record is of another version of the workload; run the cell again",
        )
    return metric


def samples_frame(records: Sequence[Record], workloads: Mapping[str, Workload]) -> pd.DataFrame:
    """One row per sample, warm-ups included; one row without a metric for a cell without.

    `counts` says whether the attempt stands for its cell; the others repeat it.
    """
    rows = []
    standing = {id(counting(group)) for group in _by_cell(records).values()}
    for record in records:
        cell: dict[str, object] = {
            "system": record.system,
            "workload": record.workload,
            "profile": record.profile,
            "status": record.outcome.status.value,
            "cell_id": record.cell_id,
            "attempt": record.attempt,
            "counts": id(record) in standing,
        }
        for sample in record.outcome.samples:
            kind = _metric(record, sample.metric, workloads).kind
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
                    "value_unit": VALUE_UNITS[kind.value],
                }
            )
        if not record.outcome.samples:
            rows.append(cell)
    return _framed(rows, SAMPLE_COLUMNS)


def _run_values(record: Record, workloads: Mapping[str, Workload]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for sample in record.outcome.samples if record.ok else ():
        if sample.phase is Phase.RUN:
            kind = _metric(record, sample.metric, workloads).kind
            found[sample.metric].append(sample_value(sample, kind))
    return found


def _values(
    standing: Iterable[Record], workloads: Mapping[str, Workload], base: str
) -> pd.DataFrame:
    measured = [(record, _run_values(record, workloads)) for record in standing]
    bases = {
        (record.workload, metric): middle(values)
        for record, found in measured
        if record.system == base
        for metric, values in found.items()
    }
    rows = []
    for record, found in measured:
        for metric, values in found.items():
            value = middle(values)
            below = bases.get((record.workload, metric), math.nan)
            rows.append(
                {
                    "system": record.system,
                    "workload": record.workload,
                    "profile": record.profile,
                    "metric": metric,
                    "kind": _metric(record, metric, workloads).kind.value,
                    "value": value,
                    "base": below,
                    "ratio": ratio(value, below),
                }
            )
    return _framed(rows, VALUE_COLUMNS)


def _cells(standing: Iterable[Record], attempts: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    rows = []
    for record in standing:
        outcome: Outcome = record.outcome
        again = repeats(record, attempts[record.cell_id])
        good = outcome.status is Status.OK
        rows.append(
            {
                "system": record.system,
                "workload": record.workload,
                "profile": record.profile,
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
