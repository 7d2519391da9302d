"""Which records may stand side by side: those whose every shared input is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from harness.errors import StoreError
from harness.model.cell import Coordinates
from harness.model.record import Record
from harness.model.workload import Workload


def check_comparable(records: Sequence[Record], workloads: Mapping[str, Workload]) -> None:
    """Refuse records that must not stand side by side. Raises StoreError, naming key and values."""
    _one_value("profile", {one.profile: str(one.at) for one in records})
    taken: dict[Coordinates, Record] = {}
    for one in records:
        other = taken.setdefault(one.at, one)
        if other is not one:
            raise StoreError(
                f"two different cells for {one.at}: {other.cell_id[:12]}, {one.cell_id[:12]}",
                hint="one of them is of an older image or catalogue; pass only one",
            )
    seen: dict[str, dict[object, str]] = defaultdict(dict)
    for one in records:
        for key, value in _must_match(one, workloads.get(one.workload)):
            seen[key].setdefault(value, str(one.at))
    for key, values in sorted(seen.items()):
        _one_value(key, values)


def _must_match(record: Record, workload: Workload | None) -> Iterable[tuple[str, object]]:
    """What all cells of one comparison share: the emulated PC, every artefact of the same
    name, and the parameters its profile, and not its point, gives a workload."""
    for key in ("record_schema", "testbed", "emulator"):
        yield key, record.inputs.get(key)
    files, params = record.inputs.get("files"), record.inputs.get("params")
    for name, digest in files.items() if isinstance(files, Mapping) else ():
        yield f"file {name}", digest
    declared = workload.profiles.get(record.profile, {}) if workload else {}
    for name, value in params.items() if isinstance(params, Mapping) else ():
        if name in declared and name not in record.point:
            yield f"parameter {record.workload}.{name}", value


def _one_value(key: str, values: Mapping[object, str]) -> None:
    if len(values) > 1:
        (one, first), (other, second), *_ = values.items()
        raise StoreError(
            f"records do not combine: {key} is {one!r} for {first} and {other!r} for {second}",
            hint="run the older cells again (rexen run), then report",
        )
