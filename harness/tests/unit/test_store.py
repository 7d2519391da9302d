"""The store: whole records or none, nothing overwritten, nothing lost, one writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from harness.errors import DiskFullError, StoreError
from harness.model.record import Purpose, Status
from harness.store import (
    Store,
    newest_cells,
    read_record,
    read_reference,
    representative,
    write_reference,
)
from harness.tests import synthetic
from harness.tests.builders import a_record

GOLDEN = Path(__file__).parent.parent / "data" / "record.json"


def test_golden_record() -> None:
    """A change of the format shows as a diff of this file in review."""
    assert read_record(GOLDEN) == a_record()
    text = json.dumps(asdict(a_record()), indent=1, sort_keys=True) + "\n"
    assert GOLDEN.read_text() == text


def test_round_trip_and_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    records = [a_record(attempt=attempt) for attempt in (1, 2, 10)]
    for record in reversed(records):
        store.add(record, b"console")
    assert list(store.all_records()) == records
    assert store.console(records[0]) == b"console"
    assert store.next_attempt("a" * 64) == 11


def test_records_are_never_overwritten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(a_record(), b"one")
    with pytest.raises(StoreError, match="never overwritten"):
        store.add(a_record(), b"two")


@pytest.mark.parametrize("content", [b"", b'{"schema_version": 1, "cell', b"[]", b'"x"'])
def test_a_truncated_record_is_named(tmp_path: Path, content: bytes) -> None:
    path = Store(tmp_path).add(a_record(), b"")
    path.write_bytes(content)
    with pytest.raises(StoreError, match=path.name):
        list(Store(tmp_path).all_records())


@pytest.mark.parametrize("version", [1, 99])
def test_an_unknown_version_is_refused(tmp_path: Path, version: int) -> None:
    path = Store(tmp_path).add(a_record(), b"")
    data = json.loads(path.read_text())
    data["schema_version"] = version
    path.write_text(json.dumps(data))
    with pytest.raises(StoreError, match=f"format {version}, this harness reads 2"):
        read_record(path)


def test_a_damaged_field_is_refused(tmp_path: Path) -> None:
    path = Store(tmp_path).add(a_record(), b"")
    data = json.loads(path.read_text())
    del data["outcome"]["samples"]
    path.write_text(json.dumps(data))
    with pytest.raises(StoreError, match="damaged"):
        read_record(path)


def test_two_writers_at_once(tmp_path: Path) -> None:
    with Store(tmp_path).writing():
        with pytest.raises(StoreError, match="in use by process"):
            with Store(tmp_path).writing():
                pass
    with Store(tmp_path).writing():
        pass


def test_kill_9_frees_the_lock_and_leaves_no_half_record(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from harness.store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "with store.writing():\n"
        "    torn = store.records_dir / 'aa' / '.torn.1.json.new'\n"
        "    torn.parent.mkdir(parents=True)\n"
        "    torn.write_text('{')\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    store = Store(tmp_path)
    with store.writing():
        assert not list(tmp_path.rglob("*.new"))
        store.add(a_record(), b"")
    assert [record.attempt for record in store.all_records()] == [1]


def test_disk_full_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.add(a_record(), b"kept")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DiskFullError, match="what was measured is kept"):
        store.add(a_record(attempt=2), b"lost")
    assert [record.attempt for record in store.all_records()] == [1]


def test_the_representative_attempt() -> None:
    bad = a_record(attempt=1, status=Status.PANIC)
    worse = a_record(attempt=2, status=Status.HANG)
    good = a_record(attempt=3)
    again = a_record(attempt=4, purpose=Purpose.VERIFY, total_ns=1)
    assert representative([bad, worse]) == worse
    assert representative([bad, worse, good, again]) == good
    assert representative([]) is None


def test_reading_needs_no_lock(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writing():
        store.add(a_record(), b"")
        started = time.monotonic()
        assert Store(tmp_path).measured("a" * 64) is not None
        assert time.monotonic() - started < 5


def test_points_of_one_workload_stand_side_by_side() -> None:
    records = synthetic.series_set("native")
    newest = newest_cells(records)
    assert {at.point.at("block") for at in newest} == set(synthetic.BLOCKS)
    again = replace(records[0], cell_id="b" * 64, host=replace(records[0].host, started_at="2100"))
    assert newest_cells([*records, again])[records[0].at] == [again]


def test_perturbations_of_an_older_image_are_no_variants_of_a_newer_cell() -> None:
    old = synthetic.record("native", "controls")
    variants = [synthetic.variant(old, seed, cpu_loop=1.1) for seed in (1, 2)]
    new = synthetic.record("native", "controls", files={"root/guest.cpio": "0" * 64})
    new = replace(new, host=replace(new.host, started_at="2100"))
    assert len(newest_cells([old, *variants])) == 3
    assert newest_cells([old, *variants, new]) == {new.at: [new]}
    current = synthetic.variant(new, 2, cpu_loop=1.2)
    assert set(newest_cells([old, *variants, new, current])) == {new.at, current.at}
    assert set(newest_cells(variants)) == {one.at for one in variants}, "of no cell: kept"


def test_reference_is_the_same_wherever_it_was_measured(tmp_path: Path) -> None:
    records = [*synthetic.series_set("native", "xen"), *synthetic.full_set("native", "xen")]
    elsewhere = [
        replace(it, attempt=7, host=replace(it.host, started_at="2030", host={"cpu": "other"}))
        for it in records[::-1]
    ]
    repeats = [replace(it, attempt=9, purpose=Purpose.VERIFY) for it in records]
    one, other = tmp_path / "a" / "quick.json", tmp_path / "b" / "quick.json"
    write_reference(one, records)
    write_reference(other, elsewhere + repeats)
    assert one.read_bytes() == other.read_bytes()
    assert len(one.read_text().splitlines()) == len(records) + 2, "a record a line"
    found = {it.at: it for it in read_reference(one)}
    assert {at: it.outcome for at, it in found.items()} == {it.at: it.outcome for it in records}
    assert {at: it.inputs for at, it in found.items()} == {it.at: it.inputs for it in records}
    assert len(json.loads(one.read_text())) == len(records), "it is plain JSON"


def test_a_broken_reference_is_named(tmp_path: Path) -> None:
    path = tmp_path / "quick.json"
    with pytest.raises(StoreError, match="cannot be read"):
        read_reference(path)
    path.write_text("{}")
    with pytest.raises(StoreError, match="no list of records"):
        read_reference(path)
    write_reference(path, synthetic.full_set("native"))
    path.write_text(path.read_text().replace('"schema_version":2', '"schema_version":1', 1))
    with pytest.raises(StoreError, match="record 1: record of format 1, this harness reads 2"):
        read_reference(path)
