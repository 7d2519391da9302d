"""The forms that a diff is given in: they have the same rows."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.analysis.diff import DiffResult, diff_records
from harness.analysis.inputs import InputChange, InputKind
from harness.errors import ExitCode
from harness.model.record import Record
from harness.paths import checkout_root
from harness.report import diff as report
from harness.tests import synthetic

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]
WORKLOADS = synthetic.workloads()
NAMES = ("old", "new|er")
BASH = InputChange(InputKind.PACKAGE, "bash", "5.2.37-2", "5.2.38-1", 0)


def other_kernel(one: Record) -> Record:
    files = {**one.inputs["files"], "kernel/full": "f" * 64}  # type: ignore[dict-item]
    return replace(
        one, cell_id=synthetic.digest(one.cell_id), inputs={**one.inputs, "files": files}
    )


@pytest.fixture
def found() -> DiffResult:
    """A number that is better, one that is worse, and a cell that only A has."""
    before = synthetic.full_set("native", "xen")
    after = synthetic.performing(before, "xen", {"osdb/ir": 0.9, "dbench/throughput": 1.25})
    after = [other_kernel(one) for one in after if one.workload != "controls"]
    return diff_records(before, after, WORKLOADS)


def view(found: DiffResult) -> report.DiffView:
    return report.diff_view(found, WORKLOADS, names=NAMES, packages=[BASH])


def cells(text: str) -> list[list[str]]:
    """The rows of a page's tables."""

    class Rows(HTMLParser):
        rows: list[list[str]] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag == "tr":
                self.rows.append([])
            elif tag in ("td", "th"):
                self.rows[-1].append("")

        def handle_data(self, data: str) -> None:
            if self.rows and self.rows[-1]:
                self.rows[-1][-1] += data

    parser = Rows()
    parser.rows = []
    parser.feed(text)
    return [[cell.strip() for cell in row] for row in parser.rows]


def test_a_row_says_old_new_ratio_judgement_and_inputs(found: DiffResult) -> None:
    rows = {(row.name, row.system): row for row in view(found).rows}
    worse, better = rows["osdb/ir", "xen"], rows["dbench/throughput", "xen"]
    assert (worse.judged, better.judged) == ("worse", "better")
    assert (worse.ratio, worse.inputs) == ("0.945×", "1")
    assert better.b.endswith(" MB/s") and better.a != better.b
    missing = rows["controls/cpu_loop", "native"]
    assert (missing.b, missing.change, missing.judged) == ("–", "only in A", "")


def test_inputs_are_numbered_and_packages_stand_behind_them(found: DiffResult) -> None:
    kernel, bash = view(found).inputs
    assert (kernel.number, kernel.what, kernel.b) == (1, "artefact kernel/full", "f" * 12)
    assert (bash.number, bash.what, bash.cells) == (2, "package bash", "in the lock")


def test_all_forms_have_the_same_rows(found: DiffResult) -> None:
    shown = view(found)
    (_, *rows), (_, *inputs) = report.text_tables(shown)
    names = [row[0] for row in rows]
    in_markdown = re.findall(r"^\| (\S+/\S+) \|", report.markdown(shown), re.M)
    assert in_markdown == names
    page = report.html(shown)
    assert [row[0] for row in cells(page) if "/" in row[0]] == names
    document = report.document(found, names=NAMES, packages=[BASH])
    changes = json.loads(json.dumps(document, allow_nan=False))["changes"]
    assert [f"{it['workload']}/{it['metric']}" for it in changes] == [
        name.partition("@")[0] for name in names
    ]
    assert len(inputs) == 2 and f"<h1>{found.summary()}</h1>" in page


def test_a_bar_in_a_name_breaks_no_markdown_table(found: DiffResult) -> None:
    one = InputChange(InputKind.OPTIONS, "native", "a|b", "c", 1)
    text = report.markdown(report.diff_view(found, WORKLOADS, names=NAMES, packages=[one]))
    widths = {line.count("|") - line.count("\\|") for line in text.splitlines() if "a\\|b" in line}
    assert widths == {len(report.INPUT_HEAD) + 1}


def test_the_page_needs_nothing_beside_it_and_escapes(found: DiffResult) -> None:
    page = report.html(report.diff_view(found, WORKLOADS, names=("<a>", "b")))
    assert "&lt;a&gt;" in page and "<a>" not in page
    assert not re.search(r'(src|href)="(?!#|data:)', page)


def test_equal_sets_are_one_line() -> None:
    records = synthetic.full_set("native")
    same = view(diff_records(records, records, WORKLOADS))
    assert report.text_tables(replace(same, inputs=())) == []
    assert same.summary in report.markdown(same)


def reference() -> Path:
    return checkout_root() / "results" / "reference" / "quick.json"


def test_a_page_is_written_whole_beside_its_exit_code(
    rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "deeper" / "diff.html"
    code = rexen("diff", str(reference()), str(reference()), "--format", "html", "--to", str(out))
    assert code == ExitCode.OK and capsys.readouterr().out == ""
    assert "0 of " in out.read_text()


def test_locks_inside_the_results_name_packages(
    rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    lock = checkout_root() / "inputs.lock"
    other = tmp_path / "lock"
    renewed = re.sub(r"package bash \S+", "package bash 9.9-1", lock.read_text())
    other.write_text(renewed)
    two = (str(reference()), str(reference()))
    assert rexen("diff", *two, "--locks", str(lock), str(other)) == ExitCode.OK
    assert re.search(r"1 +package bash +5\S+ +9\.9-1 +in the lock", capsys.readouterr().out)
    stores = [tmp_path / "a", tmp_path / "b"]
    for store, its in zip(stores, (lock, other), strict=True):
        (store / "records").mkdir(parents=True)
        shutil.copy(its, store / "inputs.lock")
    rexen("diff", *map(str, stores), "--format", "markdown")
    assert "| 1 | package bash |" in capsys.readouterr().out


def test_a_lock_that_is_not_there_is_told(rexen: Rexen, tmp_path: Path, capsys: Capture) -> None:
    two = (str(reference()), str(reference()))
    missing = str(tmp_path / "none")
    assert rexen("diff", *two, "--locks", missing, missing) == ExitCode.CONFIG
    assert f"{missing}: cannot be read" in capsys.readouterr().err
