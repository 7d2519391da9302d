"""The page in a real browser: no errors, no network, no sideways scrolling, figures to see."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.catalogue.experiments import load_claims
from harness.measure.images.host import install_packages
from harness.model.record import Status
from harness.paths import checkout_root
from harness.report.page import write_report
from harness.tests import synthetic
from harness.tests.integration.browser import NAMES, Page, chromium, find_chromium

pytestmark = pytest.mark.browser
SYSTEMS = ("native", "rexen", "xen", "fullvirt", "hwvirt", "uml")
SHOWN = """[...document.querySelectorAll('figure svg')]
    .map(svg => svg.getBoundingClientRect())
    .filter(box => box.width > 250 && box.height > 150).length"""
TOO_WIDE = """[...document.querySelectorAll('body *')]
    .filter(el => !el.closest('.scroll, svg, .skip'))
    .filter(el => el.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(el => el.tagName + '.' + el.className)"""
# Texts of the shown figure of bars that lie on each other or beyond its edge.
COLLIDING = """[...document.querySelectorAll('svg[aria-describedby*="-bars-"]')].flatMap(svg => {
  const edge = svg.getBoundingClientRect();
  if (edge.width === 0) return [];
  const texts = [...svg.querySelectorAll('text')].map(el => [el.textContent,
    el.getBoundingClientRect()]);
  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const out = texts.filter(([, box]) => box.left < edge.left - 1 || box.right > edge.right + 1
    || box.top < edge.top - 1 || box.bottom > edge.bottom + 1);
  return [...out.map(([text]) => text), ...texts.flatMap(([text, box], at) =>
    texts.slice(at + 1).filter(it => over(box, it[1])).map(it => text + ' | ' + it[0]))];
})"""
# WCAG's contrast of text with the page behind it, worst over all visible text outside figures.
CONTRAST = """(() => {
  const lum = c => {
    const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = el => {
    for (; el; el = el.parentElement) {
      const color = getComputedStyle(el).backgroundColor;
      if (color !== 'rgba(0, 0, 0, 0)') return color;
    }
  };
  let worst = [21, ''];
  for (const el of document.querySelectorAll('main *, header *, footer *')) {
    if (el.closest('svg') || ![...el.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
      continue;
    const [a, b] = [lum(getComputedStyle(el).color), lum(behind(el))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, el.tagName + '.' + el.className];
  }
  return worst;
})()"""


@pytest.fixture(scope="module")
def binary() -> str:
    """A browser; on Debian as root it is installed, elsewhere its absence skips."""
    if find_chromium() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install_packages(["chromium"], checkout_root() / "build" / "logs")
    found = find_chromium()
    if found is None:
        pytest.skip(f"no browser here: none of {', '.join(NAMES)}")
    return found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [one for one in synthetic.full_set(*SYSTEMS) if one.system != "hwvirt"]
    records.append(synthetic.record("hwvirt", "controls", status=Status.OUT_OF_MEMORY))
    counted = {"hv.update_va_mapping": "1200345 calls, 61 instructions each"}
    records = [
        replace(it, outcome=replace(it.outcome, facts=counted)) if it.system == "rexen" else it
        for it in records
    ]
    kernel = [it for it in records if it.workload == "lmbench-process" and it.ok]
    records += [synthetic.variant(it, 1, fork=1.03, stat=0.98) for it in kernel]
    records += synthetic.series_set("native", "rexen")
    folder = checkout_root() / "harness" / "experiments"
    shipped = synthetic.experiments()
    systems = synthetic.systems(*SYSTEMS)
    systems["uml"] = replace(systems["uml"], unable={synthetic.SERIES: "it has no pipes"})
    study = synthetic.study(
        records,
        systems,
        experiments=[*(it for it in shipped if it.rows), synthetic.series_experiment()],
        claims=load_claims(folder, shipped),
        counts=[synthetic.counts_of(it, user=12345, kernel=6789, hypervisor=5) for it in kernel],
    )
    return write_report(study, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def browser(binary: str) -> Iterator[Page]:
    with chromium(binary) as page:
        yield page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_page_fits_and_can_be_read(browser: Page, report: Path, width: int, dark: bool) -> None:
    browser.open(report, width=width, dark=dark)
    assert browser.evaluate("document.documentElement.clientWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(TOO_WIDE) == []
    # Each is drawn twice, for wide pages and for narrow ones, and shown once.
    figures = browser.evaluate("document.querySelectorAll('figure .wide svg').length")
    assert browser.evaluate(SHOWN) == figures >= 6
    worst, where = browser.evaluate(CONTRAST)
    assert worst >= 4.5, where


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_text_of_the_bars_lies_on_another_or_is_cut_off(
    browser: Page, report: Path, width: int
) -> None:
    browser.open(report, width=width)
    shown = "document.querySelectorAll('svg[aria-describedby*=\"-bars-\"] text').length"
    assert browser.evaluate(shown) >= 100
    assert browser.evaluate(COLLIDING) == []


def test_the_check_for_collisions_sees_them(browser: Page, tmp_path: Path) -> None:
    page = tmp_path / "bars.html"
    texts = "<text x=5 y=20>one</text><text x=9 y=20>two</text><text x=95 y=40>beyond</text>"
    page.write_text(
        f'<svg width=100 height=50 aria-describedby="fig-bars-x">{texts}</svg>', encoding="utf-8"
    )
    browser.open(page, width=375)
    assert browser.evaluate(COLLIDING) == ["beyond", "one | two"]


def test_the_summary_fits_a_phone_whole(browser: Page, report: Path) -> None:
    browser.open(report, width=390)
    inside = """[...document.querySelectorAll('.summary, .matrix')].map(table =>
        table.parentElement.scrollWidth <= table.parentElement.clientWidth)"""
    assert browser.evaluate(inside) == [True, True]


def test_contents_stand_beside_the_text_where_there_is_room(browser: Page, report: Path) -> None:
    beside = """(() => { const nav = document.querySelector('nav.contents'),
        main = document.querySelector('main');
        return [nav.getBoundingClientRect().right <= main.getBoundingClientRect().left,
          nav.querySelector('details').open]; })()"""
    browser.open(report, width=1400)
    assert browser.evaluate(beside) == [True, True]
    browser.open(report, width=390)
    assert browser.evaluate(beside) == [False, False]


def test_a_number_leads_to_its_cell_and_opens_it(browser: Page, report: Path) -> None:
    browser.open(report, width=1280)
    link = "document.querySelector('a[href=\"#cell-lmbench-process-xen\"]')"
    cell = "document.getElementById('cell-lmbench-process-xen').closest('details').open"
    assert browser.evaluate(cell) is False
    browser.evaluate(f"{link}.click()")
    assert browser.evaluate(f"new Promise(it => setTimeout(() => it({cell}), 200))") is True


# The ratios of a table's first system, row by row, and how its second head says it is sorted.
SORTED = """(() => { const table = document.querySelector('section[aria-labelledby=table3] table');
    return [[...table.tBodies[0].rows].map(row => Number(row.cells[2].dataset.value)),
      table.tHead.rows[0].cells[2].getAttribute('aria-sort')]; })()"""
HEAD = "document.querySelectorAll('section[aria-labelledby=table3] thead .sort')[2]"


def test_a_table_sorts_by_a_head_with_the_keyboard_too(browser: Page, report: Path) -> None:
    browser.open(report, width=1280)
    before, how = browser.evaluate(SORTED)
    assert how is None and before not in (sorted(before), sorted(before)[::-1])
    browser.evaluate(f"{HEAD}.click()")
    assert browser.evaluate(SORTED) == [sorted(before), "ascending"]
    browser.evaluate(f"{HEAD}.focus()")
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r")
    assert browser.evaluate(SORTED) == [sorted(before)[::-1], "descending"]
    browser.evaluate(f"{HEAD}.click()")
    assert browser.evaluate(SORTED) == [before, None]


def test_a_page_without_scripts_says_the_same(browser: Page, report: Path) -> None:
    browser.open(report, width=1280)
    said = "document.querySelector('main').innerText"
    with_script = browser.evaluate(said)
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(report, width=1280)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.evaluate(said) == with_script


def test_page_is_silent_and_stays_at_home(browser: Page, report: Path) -> None:
    browser.errors.clear()
    browser.requests.clear()
    browser.open(report, width=1280)
    assert browser.errors == []
    assert set(browser.requests) == {report.resolve().as_uri()}


def test_the_check_for_errors_sees_errors(browser: Page, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<script>console.error('one'); no.such</script>", encoding="utf-8")
    browser.errors.clear()
    browser.open(page, width=375)
    assert len(browser.errors) == 2
    browser.errors.clear()


def test_the_check_for_width_sees_width(browser: Page, tmp_path: Path) -> None:
    page = tmp_path / "wide.html"
    fits = "<meta name=viewport content='width=device-width, initial-scale=1, minimum-scale=1'>"
    page.write_text(f"{fits}<p style='width: 900px'>wide</p>", encoding="utf-8")
    browser.open(page, width=375)
    assert browser.evaluate(TOO_WIDE) == ["P."]


def test_page_prints(browser: Page, report: Path, tmp_path: Path) -> None:
    browser.open(report, width=1280)
    browser.pdf(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
