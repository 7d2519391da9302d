"""asv's files: the golden ones, and what asv itself makes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import Results

from harness.model.unit import Better
from harness.tests.golden import ASV_DIR, asv_files
from harness.tests.history import a_night, moved
from harness.tracking import asv
from harness.tracking.ledger import Ledger
from harness.tracking.night import Night, Number

REFRESH = "if this change is wanted: python -m harness.tests.golden"


def number(unit: str, direction: Better, value: float) -> Number:
    return Number("native", "osdb", "ir", "", unit, direction, value, 0.0, "c" * 64)


@pytest.mark.parametrize(
    ("unit", "direction", "value", "as_asv"),
    [
        ("µs", Better.LOWER, 3.5, ("osdb.track_ir", "µs", 3.5)),
        ("tuples/s", Better.HIGHER, 4000.0, ("osdb.track_ir_reciprocal", "s/tuple", 0.00025)),
        ("MB/s", Better.HIGHER, 0.5, ("osdb.track_ir_reciprocal", "s/MB", 2.0)),
        ("connections", Better.HIGHER, 8.0, ("osdb.track_ir_reciprocal", "1/connection", 0.125)),
        ("", Better.HIGHER, 2.0, ("osdb.track_ir_reciprocal", "1/score", 0.5)),
        ("%", Better.LOWER, 8.1, ("osdb.track_ir", "%", 8.1)),
        ("MB/s", Better.HIGHER, 0.0, ("osdb.track_ir_reciprocal", "s/MB", None)),
        ("µs", Better.LOWER, float("nan"), ("osdb.track_ir", "µs", None)),
    ],
)
def test_only_an_increase_is_ever_worse(
    unit: str, direction: Better, value: float, as_asv: tuple[str, str, float | None]
) -> None:
    one = number(unit, direction, value)
    assert (asv.asv_name(one), asv.asv_unit(one), asv.asv_value(one)) == as_asv


def test_golden_files() -> None:
    made = asv_files()
    assert sorted(made) == sorted(one.name for one in ASV_DIR.iterdir()), REFRESH
    for name, text in made.items():
        assert (ASV_DIR / name).read_text() == text, f"{name}: {REFRESH}"


def test_points_are_in_order_of_their_numbers() -> None:
    night = a_night(0, metrics=60)
    known = asv.benchmarks(night.numbers)
    assert known["osdb.track_ir_reciprocal"].axes["point"] == (
        "",
        *(f"block={at}" for at in range(1, 12)),
    )


def written(tmp_path: Path, nights: list[Night]) -> Path:
    ledger = Ledger(tmp_path / "ledger")
    ledger.append(nights)
    asv.write(tmp_path / "asv", ledger, tmp_path / "html")
    return tmp_path / "asv"


def test_asv_reads_what_was_written(tmp_path: Path) -> None:
    """By its own classes: every number is found where asv looks for it."""
    night = a_night(0, metrics=12)
    folder = written(tmp_path, [night])
    conf = Config.load(str(folder / "asv.conf.json"))
    conf.results_dir = str(folder / "results")
    known = Benchmarks.load(conf)
    (file,) = (folder / "results" / "emulated-pc").glob("*-quick.json")
    read = Results.load(str(file), machine_name="emulated-pc")
    found = [
        (name, value)
        for name in read.get_result_keys(known)
        for value in read.get_result_value(name, known[name]["params"])
        if value is not None
    ]
    wanted = [(asv.asv_name(one), asv.asv_value(one)) for one in night.numbers]
    assert sorted(found) == sorted(wanted)
    assert read.commit_hash == Ledger(tmp_path / "ledger").nights()[0].entry


def test_asv_finds_the_injected_half_percent_and_nothing_else(tmp_path: Path) -> None:
    """In the night it came, whether a time rose or a rate fell; a faster number is none."""
    nights = [a_night(day) for day in range(8)]
    for day in (6, 7):
        night = a_night(day, ours=2)
        night = moved(night, "rexen", "fork", 1.005)
        night = moved(night, "rexen", "ir", 1 / 1.005)
        night = moved(night, "xen", "fork", 0.9)
        nights[day] = moved(night, "uml", "fork", 1.0005)
    folder = written(tmp_path, nights)
    asv.publish(folder, tmp_path / "log")
    document = json.loads((tmp_path / "html" / "regressions.json").read_text())
    entries = [one.entry for one in Ledger(tmp_path / "ledger").nights()]
    revisions = json.loads((tmp_path / "html" / "index.json").read_text())["revision_to_hash"]
    found = {name: jumps for name, *_, jumps in document["regressions"]}
    assert sorted(found) == [
        "lmbench-process.track_fork('rexen')",
        "osdb.track_ir_reciprocal('rexen')",
    ]
    for ((before, after, was, now),) in found.values():
        assert before is None, "one night, not a range of them"
        assert revisions[str(after)] == entries[6]
        assert now / was == pytest.approx(1.005)


def test_asv_finds_nothing_where_nothing_changed(tmp_path: Path) -> None:
    folder = written(tmp_path, [a_night(day) for day in range(5)])
    asv.publish(folder, tmp_path / "log")
    document = json.loads((tmp_path / "html" / "regressions.json").read_text())
    assert document == {"regressions": []}


def test_pages_are_current_until_a_number_changes(tmp_path: Path) -> None:
    ledger, html = Ledger(tmp_path / "ledger"), tmp_path / "html"
    folder = written(tmp_path, [a_night(day) for day in range(3)])
    assert not asv.is_current(html, ledger.nights(), "")
    asv.publish(folder, tmp_path / "log")
    assert asv.is_current(html, ledger.nights(), "")
    assert not asv.is_current(html, ledger.nights(), "other/")
    ledger.append([a_night(3)])
    assert asv.is_current(html, ledger.nights(), "")
    night = a_night(4, ours=2)
    ledger.append([replace(night, counts=replace(night.counts, changed=1))])
    assert not asv.is_current(html, ledger.nights(), "")


def test_a_failed_cell_leaves_a_hole_and_no_step(tmp_path: Path) -> None:
    whole = a_night(0)
    left = replace(whole, numbers=tuple(it for it in whole.numbers if it.system != "rexen"))
    known = asv.benchmarks([*whole.numbers, *left.numbers])
    results = asv.result(left, known)["results"]
    assert isinstance(results, dict)
    assert results["lmbench-process.track_fork"][0] == [1.37, None, 10.37, 7.37]
