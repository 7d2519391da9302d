"""Records -> files for other programs: Parquet and CSV (tidy, one row per sample), JSON (the
records as they are), and the JSON Schema of all three."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from pathlib import Path

from harness.analysis.frame import samples_frame
from harness.model.record import HostSide, Outcome, Record, Sample
from harness.model.workload import Workload

SCHEMA_FILE = Path(__file__).with_name("schema.json")


class Format(StrEnum):
    """What `export` can write."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def export(
    records: Iterable[Record],
    out_dir: Path,
    formats: Sequence[Format] = tuple(Format),
    *,
    workloads: Mapping[str, Workload],
) -> list[Path]:
    """Write data.csv, data.parquet, records.json as asked, and schema.json; return the paths.

    Any records may go out together: nothing here compares them. `workloads` says of which kind
    a metric is.
    """
    ordered = sorted(
        records, key=lambda it: (it.workload, it.system, it.at.point, it.cell_id, it.attempt)
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    written = []
    if Format.CSV in formats or Format.PARQUET in formats:
        samples_df = samples_frame(ordered, workloads)
    if Format.CSV in formats:
        written.append(out_dir / "data.csv")
        samples_df.to_csv(written[-1], index=False, lineterminator="\n")
    if Format.PARQUET in formats:
        written.append(out_dir / "data.parquet")
        samples_df.to_parquet(written[-1], engine="pyarrow", index=False)
    if Format.JSON in formats:
        written.append(out_dir / "records.json")
        text = json.dumps([_plain(one) for one in ordered], indent=1, sort_keys=True)
        written[-1].write_text(text + "\n", encoding="utf-8")
    written.append(out_dir / "schema.json")
    written[-1].write_bytes(SCHEMA_FILE.read_bytes())
    return written


def _plain(record: Record) -> dict[str, object]:
    """As JSON has it. `asdict` would copy every mapping and list of the inputs, too."""
    outcome = {
        **_fields(record.outcome),
        "samples": [_fields(one) for one in record.outcome.samples],
    }
    return {**_fields(record), "outcome": outcome, "host": _fields(record.host)}


def _fields(part: Record | Outcome | Sample | HostSide) -> dict[str, object]:
    return {it.name: getattr(part, it.name) for it in fields(part)}
