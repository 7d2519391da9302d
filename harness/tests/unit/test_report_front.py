"""The front page and the cells: what a visitor asks first, and what stands behind a number."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from harness.analysis.claims import judge
from harness.analysis.distance import distances, typical
from harness.analysis.study import Study
from harness.model.experiment import Verdict
from harness.model.record import Status
from harness.report.page import render
from harness.report.sections.answer import answer_view
from harness.report.sections.cells import LEAST, ROOM, cell_blocks
from harness.report.sections.verdicts import matrix_view
from harness.tests import synthetic
from harness.tests.unit.test_report import ALL, Reader, study


@pytest.fixture(scope="module")
def found() -> Study:
    records = [it for it in synthetic.full_set(*ALL) if (it.system, it.workload) != ("uml", "osdb")]
    records.append(synthetic.record("uml", "osdb", status=Status.HANG, reason="no <end> line"))
    kernel = [it for it in records if it.workload == "lmbench-process" and it.ok]
    records += [synthetic.variant(it, 1, fork=1.03) for it in kernel]
    counts = [synthetic.counts_of(it, user=12, kernel=678) for it in kernel]
    whole = study(records)
    shown = {
        one.cell_id: f"first\x1b[31m <line> of {one.at}\r\n@rexen end 0 1\n" for one in records
    }
    return replace(whole, counts=tuple(counts), consoles=shown)


@pytest.fixture(scope="module")
def text(found: Study) -> str:
    return render(found, [])


def test_a_distance_is_our_cost_over_the_papers(found: Study) -> None:
    by_name = {(it.name, it.system.id): it.factor for it in distances(found)}
    row = next(it for one in found.experiments for it in one.rows if it.name == "fork proc")
    ours = found.ratio("xen", row.ref).value
    assert math.isclose(by_name["fork proc", "xen"], ours / (198 / 110), rel_tol=1e-9)


def test_a_rate_that_is_lower_here_costs_more(found: Study) -> None:
    experiment = next(it for it in found.experiments if it.table == 6)
    mine = [it for it in distances(found) if it.experiment is experiment and it.system.id == "xen"]
    assert mine
    for one in mine:
        row = next(it for it in experiment.rows if it.name == one.name)
        theirs = experiment.values[row.paper, "Xen"] / experiment.values[row.paper, "L-UP"]
        assert math.isclose(one.factor, theirs / found.ratio("xen", row.ref).value, rel_tol=1e-9)


def test_each_of_the_papers_numbers_counts_once(found: Study) -> None:
    seen = [(it.experiment.id, it.name, it.system.id) for it in distances(found)]
    assert len(seen) == len(set(seen))
    again = {(one.id, row.name) for one in found.experiments for row in one.rows if row.again}
    assert again and not again & {it[:2] for it in seen}


def test_the_middle_one_is_typical_whichever_direction(found: Study) -> None:
    three = [replace(distances(found)[0], factor=it) for it in (0.25, 1.5, 8.0)]
    assert typical(three) == 4.0
    assert math.isnan(typical([]))


def test_the_answer_counts_what_was_judged(found: Study, text: str) -> None:
    judgements = judge(found)
    view = answer_view(found, judgements)
    verdicts = [it.verdict for it in judgements]
    many = verdicts.count(Verdict.REPRODUCED)
    assert view.word == "In part." and f" {many} are reproduced" in view.sentences[0]
    assert "In part." in Reader(text).text
    by_id = {it.id: it for it in view.systems}
    assert list(by_id) == list(ALL)
    assert by_id["hwvirt"].distance == "–" and set(by_id["hwvirt"].counts) == {"·"}
    xen = [it.verdict for it in judgements if it.system == "xen"]
    assert by_id["xen"].counts[0] == str(xen.count(Verdict.REPRODUCED) or "·")


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (Verdict.REPRODUCED, "Yes."),
        (Verdict.NOT_REPRODUCED, "No."),
        (Verdict.DIRECTION, "In part."),
        (Verdict.NOT_TESTABLE, "Nothing is judged yet."),
    ],
)
def test_the_answer_in_a_word(found: Study, verdict: Verdict, word: str) -> None:
    assert answer_view(found, [replace(it, verdict=verdict) for it in judge(found)]).word == word


def test_every_claim_has_its_line_and_no_verdict_is_lost(found: Study) -> None:
    judgements = judge(found)
    view = matrix_view(found, judgements)
    assert [row.id for row in view.rows] == list(dict.fromkeys(it.claim.id for it in judgements))
    for row in view.rows:
        shown = {mark.verdict for mark in row.marks if mark.mark} | {row.general} - {""}
        assert shown >= {it.verdict.value for it in judgements if it.claim.id == row.id}


def test_the_picture_is_told_in_words(text: str) -> None:
    told = re.search(r'<desc id="fig-distance-wide-told">(.*?)</desc>', text, re.S)
    assert told is not None
    for name in ("Figure 3:", "Table 3: rexen ", "Table 4:", "Table 5:", "Table 6:"):
        assert name in told[1]


def test_each_number_leads_to_its_cell(text: str) -> None:
    reader = Reader(text)
    targets = {it[1:] for it in reader.addresses if it.startswith("#cell-")}
    assert targets <= set(reader.ids)
    assert {f"cell-lmbench-process-{one}" for one in ALL} <= targets
    # Every number of a table of ratios is a link.
    bare = [it for it in re.findall(r'<td role="cell".*?</td>', text) if "<a " not in it]
    assert bare == []


def test_a_cell_tells_how_to_repeat_it_and_what_it_said(found: Study, text: str) -> None:
    block = text[text.index('<div id="cell-lmbench-process-xen">') :]
    block = block[: block.index("</details>")]
    record = next(
        it for it in found.records if (it.system, it.workload) == ("xen", "lmbench-process")
    )
    assert record.rerun in block and record.cell_id in block
    assert "first &lt;line&gt; of lmbench-process on xen\n@rexen end 0 1" in block
    assert "690 instructions for each operation: user 12.0, kernel 678" in block
    assert "1 perturbed variant" in block
    assert '<a href="#cell-osdb-uml">Its console</a>' in text
    failed = text[text.index('<div id="cell-osdb-uml">') :]
    assert "no &lt;end&gt; line" in failed[: failed.index("</details>")]


def test_what_was_counted_leads_to_its_cell(text: str) -> None:
    section = text[text.index('<h2 id="instructions">') :]
    assert '<a href="#cell-lmbench-process-xen">xen</a>' in section[: section.index("</section>")]


def test_a_cell_without_a_console_says_so(found: Study) -> None:
    assert "Its console was not kept." in render(replace(found, consoles={}), [])


def test_long_consoles_are_cut_at_a_line(found: Study) -> None:
    line = "x" * 99 + "\n"
    ends = {one.cell_id: line * 100 for one in found.records}
    blocks = cell_blocks(replace(found, consoles=ends))
    assert {len(it.console) % 100 for it in blocks} == {99}
    assert LEAST / 2 < max(len(it.console) for it in blocks) <= ROOM / len(blocks)


def test_numbers_are_sorted_by_what_they_are(text: str) -> None:
    cells = re.findall(r'<td role="cell"[^>]*data-value="([^"]*)">(.*?)</td>', text)
    assert len(cells) > 100
    for value, shown in cells:
        assert ("trouble" in shown) == (value == "") or float(value) > 0
