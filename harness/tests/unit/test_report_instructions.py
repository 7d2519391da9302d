"""The section on where the instructions go, and what the report takes of what was counted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from harness.errors import ExitCode
from harness.model.counts import Counts
from harness.model.record import Record
from harness.model.system import System
from harness.store import Store
from harness.tests import synthetic
from harness.tests.unit.test_report import TABLES, Reader, written
from harness.tests.world import CELL, WorldEngine

THIN = "\u202f"
NAMES = ("native", "rexen", "xen")
WORKLOAD = "lmbench-process"
RECORDS = [it for it in synthetic.full_set(*NAMES) if it.workload == WORKLOAD]
BY_SYSTEM = {it.system: it for it in RECORDS}
COUNTS = [
    synthetic.counts_of(BY_SYSTEM["native"], user=10, kernel=90),
    synthetic.counts_of(BY_SYSTEM["rexen"], user=10, kernel=120, hypervisor=70, hypercalls=3),
    synthetic.counts_of(BY_SYSTEM["xen"], user=10, kernel=190, hypervisor=150, beside=150),
]


def systems() -> dict[str, System]:
    found = synthetic.systems(*NAMES)
    found["rexen"] = replace(found["rexen"], reference="xen")
    return found


def page(counts: Sequence[Counts], records: Sequence[Record] = RECORDS) -> str:
    return written(synthetic.study(records, systems(), experiments=TABLES, counts=counts))


def section(text: str) -> str:
    found = re.search(r'<section aria-labelledby="instructions">.*?</section>', text, re.S)
    return found.group() if found else ""


def rows(counts: Sequence[Counts]) -> list[list[str]]:
    """The words of each row of the body."""
    found = re.findall(r"<tr><th scope=\"row\">.*?</tr>", section(page(counts)))
    return [re.sub(r"<[^>]+>", " ", row).replace(THIN, "").split() for row in found]


def test_a_row_for_each_metric_and_system() -> None:
    found = rows(COUNTS)
    assert len(found) == 3 * len(synthetic.NATIVE[WORKLOAD])
    native, rexen, xen = found[:3]
    assert native[-11:] == ["native", "10.0", "90.0", "0", "0", "100", "–", *["0"] * 4]
    assert rexen[-11:-4] == ["rexen", "10.0", "120", "70.0", "0", "200", "100"]
    assert rexen[-4:] == ["3.00", "0", "0", "0"]
    assert xen[-11:-4] == ["xen", "10.0", "190", "150", "150", "500", "400"]


def test_both_shares_of_the_reference_are_told() -> None:
    text = Reader(section(page(COUNTS))).text
    assert "What rexen executes as a part of what xen does" in text
    assert "0.400 (0.250)" in text


def test_without_counts_there_is_no_section() -> None:
    text = page([])
    assert section(text) == "" and "Where the instructions go" not in text


def test_counts_of_other_inputs_are_left_out() -> None:
    """A cell id is all that can change what is executed."""
    assert section(page([replace(COUNTS[0], cell_id="f" * 64)])) == ""


def test_the_report_reads_what_was_counted(
    engine: WorldEngine, rexen: Callable[..., int], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    rexen("run", *CELL)
    (record,) = store.all_records()
    store.keep_counts(synthetic.counts_of(record, user=123, kernel=456))
    assert rexen("report", "--json") == ExitCode.OK
    with open(json.loads(capsys.readouterr().out)["report"]) as file:
        text = section(file.read())
    assert "579" in text and "native" in text
