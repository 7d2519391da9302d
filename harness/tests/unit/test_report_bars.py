"""The figure of applications: where it stands, what it draws, what it says in words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.model.record import Record, Status
from harness.report.figures.bars import HIGHEST, clear_of
from harness.report.page import render
from harness.tests import synthetic
from harness.tests.unit.test_report import ALL, Reader, page, study
from harness.tests.unit.test_report_series import section

THIN = "\u202f"


def applications(records: list[Record]) -> list[Record]:
    return [one for one in records if one.workload in synthetic.APPLICATION_WORKLOADS]


def figure(text: str, shape: str = "wide") -> str:
    found = re.search(
        rf'<svg(?:(?!<svg).)*?aria-describedby="fig-figure3-bars-{shape}-told".*?</svg>', text, re.S
    )
    assert found is not None
    return found.group()


def told(text: str) -> str:
    found = re.search(r"<desc[^>]*>(.*?)</desc>", figure(text), re.S)
    assert found is not None
    return found[1].replace(THIN, " ")


@pytest.fixture(scope="module")
def whole() -> str:
    return page(synthetic.full_set(*ALL))


def test_it_leads_the_page_once_anything_of_it_was_measured() -> None:
    native = applications(synthetic.full_set("native"))[:1]
    headings = [text for _, text in Reader(page(native)).headings]
    assert headings[:4] == [
        "Xen and the Art of Virtualization, measured again",
        "Does the paper reproduce?",
        "Verdicts",
        "Figure 3: Application benchmarks",
    ]


def test_without_it_the_page_is_in_the_order_it_was() -> None:
    records = [one for one in synthetic.full_set(*ALL) if one not in applications([one])]
    reader = Reader(page(records))
    order = [text for level, text in reader.headings if level == 2]
    assert order[:6] == [
        "Does the paper reproduce?",
        "Verdicts",
        "Claim by claim",
        "The systems",
        "Figure 3: Application benchmarks",
        "Table 3: Processes and signals",
    ]
    found = study(records)
    only = replace(found, experiments=tuple(it for it in found.experiments if not it.groups))
    text = render(only, [])
    assert "Figure 3" not in Reader(text).text


def test_every_bar_is_told_in_words_with_its_number_and_the_papers(whole: str) -> None:
    words = told(whole)
    assert "SPEC INT2000, in ms: native 175 (1.00× native, the paper 1.00×); rexen 179 (" in words
    assert "Linux build time, in ms: native 1 310" in words
    assert "uml 273 (0.527× native, the paper 0.332×)" in words
    assert "hwvirt 503 (0.971× native)" in words
    assert 'role="img"' in figure(whole) and 'aria-label="Figure 3' in figure(whole)


def test_the_number_on_each_bar_is_drawn_in_both_shapes(whole: str) -> None:
    for shape in ("wide", "narrow"):
        drawn = figure(whole, shape).replace(THIN, " ")
        for number in ("1 714", "1 680", "231", "220", "518", "273"):
            assert re.search(rf">{number}</text>", drawn), (shape, number)


def test_one_outline_for_each_number_of_the_paper(whole: str) -> None:
    hollow = re.findall(r'style="fill: none; stroke: var\(--sys-(\w+)\)', figure(whole))
    assert {name: hollow.count(name) for name in set(hollow)} == dict.fromkeys(
        ("native", "rexen", "xen", "fullvirt", "uml"), 6
    )


def test_a_hole_says_why_in_the_place_of_the_bar() -> None:
    records = [one for one in synthetic.full_set(*ALL) if one.workload != "osdb"]
    records += [synthetic.record("uml", "osdb", status=Status.HANG)]
    systems = synthetic.systems(*ALL)
    systems["hwvirt"] = replace(systems["hwvirt"], unable={"osdb": "it has no device"})
    text = page(records, systems)
    assert "OSDB-IR, in tuples/s: native not run (the paper 1.00×);" in told(text)
    assert "hwvirt cannot; uml hang (the paper 0.378×)" in told(text)
    assert len(re.findall(r">cannot</text>", figure(text))) == 2
    assert len(re.findall(r">hang</text>", figure(text))) == 2
    table = section(text, "figure3")
    assert "hwvirt cannot run OSDB-IR, OSDB-OLTP: it has no device." in Reader(table).text
    assert 'href="#unable">cannot</a>' in table and 'href="#failed-osdb-uml">hang</a>' in table


def test_a_program_that_failed_leaves_its_group_empty() -> None:
    records = synthetic.replaced(synthetic.full_set(*ALL), "xen", "spec-int", "gap", -1.0)
    assert "SPEC INT2000, in ms: native 175" in told(page(records))
    assert "xen no value (the paper 1.00×)" in told(page(records))


def test_a_bar_that_is_cut_says_how_high_it_is() -> None:
    fast = {"dbench/throughput": 2.04}
    records = synthetic.performing(synthetic.full_set(*ALL), "uml", fast)
    drawn = figure(page(records))
    assert 2.04 > HIGHEST and ">471 (2.0×)</text>" in drawn
    heights = [float(it) for it in re.findall(r"[ML] [\d.]+ (-?[\d.]+)", drawn)]
    assert min(heights) >= 0


@pytest.mark.parametrize(
    ("end", "lines", "expected"),
    [
        (50.0, (0.0, 100.0), 50.0),  # below both
        (80.0, (0.0, 100.0), 100.0),  # would run across native's line
        (50.0, (70.0, 100.0), 100.0),  # across the outline, and beyond it across the line
        (110.0, (90.0, 100.0), 110.0),  # above both
        (100.0, (100.0, 100.0), 100.0),
    ],
)
def test_a_number_begins_where_it_runs_across_no_line(
    end: float, lines: tuple[float, float], expected: float
) -> None:
    assert clear_of(end, 24.0, lines) == expected


def test_targets_stand_below_the_figure(whole: str) -> None:
    text = Reader(section(whole, "figure3")).text.replace(THIN, " ")
    assert "benchmarks at 0.97× native or better 6 of 6 ≥ 5 ● met" in text
    assert "benchmarks below xen 0 of 6 0 ● met" in text


def test_each_benchmark_says_what_it_shares_with_the_papers(whole: str) -> None:
    source = section(whole, "figure3")
    for group in next(it for it in synthetic.experiments() if it.groups).groups:
        assert Reader(f"<p>{group.differs}</p>").text in Reader(source).text


def test_what_is_not_testable_shows_its_numbers_and_the_reason(whole: str) -> None:
    claim = re.search(r'<li id="claim-R2">.*?</li>\s*<li id=', whole, re.S)
    assert claim is not None
    text = re.sub(r"<[^>]+>|\s+", " ", claim.group())
    assert re.search(r"fullvirt\s+–\s+not testable here\s+SPEC INT2000\s+0\.135×", text)
    assert "translates them as well" in text


def test_a_value_itself_is_shown_in_its_unit(whole: str) -> None:
    claim = re.search(r'<li id="claim-R5">.*?</li>\s*<li id=', whole, re.S)
    assert claim is not None
    assert f"build, system share <b>8.10{THIN}%</b>" in claim.group()
