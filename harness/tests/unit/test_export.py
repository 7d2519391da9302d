"""Exported data: columns, formats that agree, and a schema that real records fit."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

from harness.analysis import frame
from harness.model.record import Purpose, Record, Status
from harness.report.export import SCHEMA_FILE, Format, export
from harness.store import Store
from harness.tests import synthetic

WORKLOADS = synthetic.workloads()
SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
GOLDEN = Path(__file__).parent.parent / "data" / "export.csv"


def records() -> list[Record]:
    return [
        synthetic.record("native", "controls"),
        synthetic.record("native", "controls", attempt=2, purpose=Purpose.VERIFY),
        synthetic.record("uml", "controls", status=Status.HANG, reason="no end line"),
        synthetic.series_set("native")[1],
        synthetic.variant(synthetic.series_set("native")[1], 1, bandwidth=1.5),
    ]


def test_columns_are_the_golden_ones(tmp_path: Path) -> None:
    """A change of the exported table shows as a change of this file in review."""
    export(records(), tmp_path, [Format.CSV], workloads=WORKLOADS)
    assert (tmp_path / "data.csv").read_text(encoding="utf-8") == GOLDEN.read_text(encoding="utf-8")


def test_parquet_and_csv_hold_the_same(tmp_path: Path) -> None:
    export(records(), tmp_path, workloads=WORKLOADS)
    from_csv = pd.read_csv(tmp_path / "data.csv", dtype=dict(frame.SAMPLE_COLUMNS))
    from_csv["point"] = from_csv["point"].fillna("")  # an empty field reads as a missing one
    from_parquet = pd.read_parquet(tmp_path / "data.parquet")
    assert list(from_parquet.columns) == list(frame.SAMPLE_COLUMNS)
    pd.testing.assert_frame_equal(from_csv, from_parquet, check_dtype=False)


def test_failed_cell_and_repetition_are_there_and_marked(tmp_path: Path) -> None:
    export(records(), tmp_path, workloads=WORKLOADS)
    rows = pd.read_parquet(tmp_path / "data.parquet")
    assert rows[rows["system"] == "uml"]["status"].tolist() == ["hang"]
    assert not rows[rows["attempt"] == 2]["representative"].any()
    assert rows[rows["attempt"] == 1]["representative"].all()


def test_only_what_was_asked_for_is_written(tmp_path: Path) -> None:
    written = export(records(), tmp_path, [Format.JSON], workloads=WORKLOADS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records.json", "schema.json"]
    assert sorted(written) == sorted(tmp_path.iterdir())


def test_same_records_same_bytes_in_any_order(tmp_path: Path) -> None:
    first = export(records(), tmp_path / "a", workloads=WORKLOADS)
    again = export(records()[::-1], tmp_path / "b", workloads=WORKLOADS)
    assert len(first) == 4
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_exported_records_fit_the_schema(tmp_path: Path) -> None:
    export(records(), tmp_path, workloads=WORKLOADS)
    jsonschema.validate(json.loads((tmp_path / "records.json").read_bytes()), SCHEMA)
    assert json.loads((tmp_path / "schema.json").read_bytes()) == SCHEMA


def test_a_record_file_of_the_store_fits_the_schema(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writing():
        path = store.add(synthetic.record("xen", "controls"), b"console")
    jsonschema.validate(json.loads(path.read_bytes()), SCHEMA)


def test_exported_rows_fit_their_schema(tmp_path: Path) -> None:
    export(records(), tmp_path, workloads=WORKLOADS)
    row_schema = {**SCHEMA["$defs"]["row"], "$defs": SCHEMA["$defs"]}
    rows = json.loads(pd.read_parquet(tmp_path / "data.parquet").to_json(orient="records"))
    row_schema["properties"] = {
        **row_schema["properties"],
        "status": SCHEMA["$defs"]["outcome"]["properties"]["status"],
    }
    for row in rows:
        jsonschema.validate(row, row_schema)
    assert set(row_schema["properties"]) == set(frame.SAMPLE_COLUMNS)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("cell_id",), "short"),
        (("schema_version",), 1),
        (("point",), {"block": -1}),
        (("point",), {"Block": 1}),
        (("outcome", "status"), "fine"),
        (("outcome", "samples", 0, "count"), 0),
        (("outcome", "samples", 0, "phase"), "cold"),
        (("host", "boot_wall_s"), "long"),
        (("surprise",), 1),
    ],
)
def test_schema_refuses_what_is_wrong(
    tmp_path: Path, place: tuple[str | int, ...], value: object
) -> None:
    export(records(), tmp_path, [Format.JSON], workloads=WORKLOADS)
    broken = copy.deepcopy(json.loads((tmp_path / "records.json").read_bytes())[0])
    inner = broken
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA["$defs"]["record"] | {"$defs": SCHEMA["$defs"]})


def test_golden_file_has_the_declared_columns() -> None:
    with GOLDEN.open(encoding="utf-8") as lines:
        assert next(csv.reader(lines)) == list(frame.SAMPLE_COLUMNS)
