"""The section on overhead, its figure and its text; and facts that get a table."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness.model.record import Record, Status
from harness.model.system import System, Targets
from harness.paths import checkout_root
from harness.report.figures.canvas import NARROW, WIDE, Shape
from harness.report.figures.shares import SHARE_COLUMNS, share_figure
from harness.report.page import write_report
from harness.tests import synthetic
from harness.tests.unit.test_report import Reader, page, study

NAMES = ("native", "rexen", "xen")
THIN = "\u202f"


def systems(targets: Targets | None = None) -> dict[str, System]:
    found = synthetic.systems(*NAMES)
    if targets is not None:
        found["rexen"] = replace(found["rexen"], targets=targets)
    return found


def section(text: str) -> str:
    """The source of the section on overhead."""
    found = re.search(r'<section[^>]*aria-labelledby="overhead-rexen">.*?</section>', text, re.S)
    assert found is not None
    return found.group()


def shown(records: Sequence[Record], targets: Targets | None = None) -> str:
    """Its text, with plain spaces."""
    text = Reader(section(page(records, systems(targets)))).text
    return " ".join(text.replace(THIN, " ").split())


def with_value(records: list[Record], system: str, metric: str, factor: float) -> list[Record]:
    value_ns = synthetic.NATIVE["lmbench-process"][metric] * factor
    return synthetic.replaced(records, system, "lmbench-process", metric, value_ns)


def failed(system: str) -> list[Record]:
    kept = [
        it
        for it in synthetic.full_set(*NAMES)
        if (it.system, it.workload) != (system, "lmbench-memory")
    ]
    return [*kept, synthetic.record(system, "lmbench-memory", status=Status.HANG)]


def test_targets_met() -> None:
    text = shown(synthetic.full_set(*NAMES))
    assert re.search(r"geometric mean of 24 rows 0\.\d+ ≤ 0.5 ● met", text)
    assert re.search(r"worst row: \S+.* 0\.\d+ ≤ 1 ● met", text)
    assert "not met" not in text and "not decided" not in text


def test_targets_not_met() -> None:
    text = shown(with_value(synthetic.full_set(*NAMES), "rexen", "fork", 30.0))
    assert re.search(r"worst row: fork proc \d+\.\d+ ≤ 1 ○ not met", text)
    text = shown(synthetic.full_set(*NAMES), Targets(overhead_mean=0.01, overhead_worst=1.0))
    assert re.search(r"≤ 0.01 ○ not met worst row", text)


def test_without_targets_the_numbers_stand() -> None:
    text = shown(synthetic.full_set(*NAMES), Targets())
    assert re.search(r"geometric mean of 24 rows 0\.\d+ – no target", text)
    assert "≤" not in text


def test_no_reference_no_section() -> None:
    found = systems()
    found["rexen"] = replace(found["rexen"], reference="", targets=Targets())
    assert "overhead-rexen" not in page(synthetic.full_set(*NAMES), found)


def test_a_reference_that_was_not_run_is_named() -> None:
    text = page(synthetic.full_set("native", "rexen"), systems())
    assert "native or xen was not run" in Reader(section(text)).text
    assert "<svg" not in section(text)


def test_a_failed_cell_stays_visible_and_decides_nothing() -> None:
    source = section(page(failed("rexen"), systems()))
    assert source.count('href="#failed-lmbench-memory-rexen">hang</a>') == 7
    text = Reader(source).text
    assert text.count("not decided") == 2
    assert "Without a value: 0K create, 0K delete" in text
    assert source.count('class="ours none">no value</span>') == 7


def test_a_row_left_out_is_grey_with_the_reason() -> None:
    records = with_value(synthetic.full_set(*NAMES), "xen", "stat", 1.001)
    source = section(page(records, systems()))
    assert source.count('class="left-out"') == 1
    text = Reader(source).text
    assert "left out of the mean and of the worst row: stat." in text
    assert "rexen has some in stat." in text
    text = shown(with_value(records, "rexen", "stat", 1.001))
    assert "left out of the mean" in text and "rexen has some" not in text


def test_the_floor_is_told() -> None:
    records = with_value(synthetic.full_set(*NAMES), "rexen", "stat", 0.9)
    text = shown(records)
    assert "the share of stat (rexen about as fast as native, or faster) enters it as 0.001" in text
    assert "−0.0" in text
    assert "above zero" not in shown(synthetic.full_set(*NAMES))


def written(folder: Path, records: Sequence[Record], found: dict[str, System]) -> Path:
    return write_report(study(records, found), folder)


def test_the_same_stands_beside_the_page_as_text(tmp_path: Path) -> None:
    records = with_value(synthetic.full_set(*NAMES), "xen", "stat", 1.001)
    written(tmp_path, records, systems())
    text = (tmp_path / "overhead.txt").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == "Overhead against Xen 4.20: (rexen - native) / (xen - native)"
    assert lines[2].split() == ["row", "native", "xen", "rexen", "share"]
    assert len({len(line) for line in lines[2:27]}) == 1, "columns stand straight"
    assert re.search(r"^stat .* left out$", text, re.M)
    assert re.search(r"^geometric mean of 23 rows: 0\.\d+ \(≤ 0.5: met\)$", text, re.M)
    written(tmp_path, synthetic.full_set("native"), synthetic.systems("native"))
    assert not (tmp_path / "overhead.txt").exists()


def test_same_records_same_bytes(tmp_path: Path) -> None:
    records = failed("xen")
    for folder, given in (("a", records), ("b", records[::-1])):
        written(tmp_path / folder, given, systems())
    for name in ("index.html", "overhead.txt"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def figure(*rows: tuple[str, float, str], shape: Shape = WIDE) -> str:
    lines = [(name, share, share, share, word) for name, share, word in rows]
    shares_df = pd.DataFrame(lines, columns=list(SHARE_COLUMNS))
    return share_figure(shares_df, system="rexen", figure_id="f", shape=shape, title="a <title>")


def test_figure_leaves_colours_to_the_page() -> None:
    svg = figure(("fork", 0.4, "0.4"), ("exec", -0.2, "−0.2"))
    assert "var(--sys-rexen)" in svg and "currentColor" in svg and "var(--band)" in svg
    assert "#c0c0c" not in svg and "#a0b0" not in svg
    assert "a &lt;title&gt;" in svg


@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_row_without_a_share_has_its_word(shape: Shape) -> None:
    svg = figure(("fork", math.nan, "left out"), ("exec", math.nan, "no value"), shape=shape)
    assert ">left out<" in svg and ">no value<" in svg
    assert "var(--sys-rexen)" not in svg


def test_a_share_beyond_the_axis_bears_its_number() -> None:
    svg = figure(("fork", 31.5, "31.5"), ("exec", 0.4, "0.400"), ("sh", -4.0, "−4.00"))
    assert ">31.5<" in svg and ">−4.00<" in svg and ">0.400<" not in svg
    assert ">2<" in svg and ">2.25<" not in svg


def test_a_spread_beyond_the_axis_makes_it_longer() -> None:
    lines = [("fork", 0.4, 0.3, 1.6, "0.400")]
    shares_df = pd.DataFrame(lines, columns=list(SHARE_COLUMNS))
    svg = share_figure(shares_df, system="rexen", figure_id="f", shape=WIDE, title="t")
    assert ">1.5<" in svg and ">1.5<" not in figure(("fork", 0.4, "0.400"))


def with_facts(record: Record, **facts: str) -> Record:
    named = {key.replace("__", "."): value for key, value in facts.items()}
    outcome = replace(record.outcome, facts={**record.outcome.facts, **named})
    return replace(record, outcome=outcome)


def test_facts_with_a_dot_stand_in_a_table_of_their_group() -> None:
    records = [
        with_facts(it, hv__mmu_update="15 003 <n>", hv__iret="12", other__x="y")
        if (it.system, it.workload) == ("rexen", "controls")
        else it
        for it in synthetic.full_set(*NAMES)
    ]
    records = [
        with_facts(it, hv__iret="99")
        if (it.system, it.workload) == ("rexen", "lmbench-memory")
        else it
        for it in records
    ]
    text = page(records, systems())
    reader = Reader(text)
    assert (2, "Hypervisor calls") in reader.headings and (2, "other") in reader.headings
    assert (2, "kernel") not in reader.headings, "a fact without a dot is no group"
    shown = reader.text
    assert "name controls on rexen lmbench-memory on rexen iret 12 99" in shown
    assert "mmu_update 15 003 <n> –" in shown
    assert "hv.iret" not in shown, "not once more under provenance"
    assert '<a href="#facts-hv">Hypervisor calls</a>' in text


def test_no_such_facts_no_table() -> None:
    assert "Hypervisor calls" not in page(synthetic.full_set(*NAMES), systems())


def test_no_system_is_named_in_the_code() -> None:
    folder = checkout_root() / "harness"
    for name in ("analysis/overhead.py", "report/sections/overhead.py", "report/sections/facts.py"):
        code = (folder / name).read_text(encoding="utf-8")
        assert not re.search(r"""["'](xen|rexen)["']""", code), name
