"""The published site in a browser, from the file system: links, graphs, no network, no error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.steps import Steps
from harness.tests import synthetic
from harness.tests.history import a_night, history
from harness.tests.integration.browser import Page, chromium
from harness.tests.integration.test_report_browser import CONTRAST, SYSTEMS, TOO_WIDE, binary
from harness.tracking.asv import asv_name
from harness.tracking.ledger import Ledger
from harness.tracking.publish import Addresses, Sources, publish

pytestmark = pytest.mark.browser
__all__ = ["binary"]  # a fixture
WAIT = "new Promise(done => setTimeout(done, {}))"
# How many canvases have anything drawn on them.
DRAWN = """[...document.querySelectorAll('canvas')].filter(it => it.width > 50 && it.height > 20 &&
    it.getContext('2d').getImageData(0, 0, it.width, it.height).data.some(byte => byte)).length"""
LINKS = "[...document.querySelectorAll('a[href]')].map(it => it.href)"
GRAPH = f"#{asv_name(next(it for it in a_night().numbers if it.metric == 'fork'))}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quarter of made-up nights and a report, with asv's real pages."""
    folder = tmp_path_factory.mktemp("published")
    ledger = Ledger(folder / "ledger")
    ledger.append(history(90))
    systems = synthetic.systems(*SYSTEMS)
    experiments = [it for it in synthetic.experiments() if it.rows]
    study = synthetic.study(synthetic.full_set(*SYSTEMS), systems, experiments=experiments)
    sources = Sources({"quick": study}, ledger, systems, experiments, "native")
    where = {"scratch": folder / "scratch", "logs": folder}
    publish(folder / "site", sources, Addresses(), steps=Steps(), **where)
    return folder / "site"


@pytest.fixture(scope="module")
def browser(binary: str) -> Iterator[Page]:
    with chromium(binary) as page:
        yield page


def opened(browser: Page, path: Path, place: str = "", *, width: int = 1280) -> None:
    """Shown, and left alone until its scripts have done what they do."""
    browser.errors.clear()
    browser.requests.clear()
    browser.open(path, width=width)
    if place:
        browser.evaluate(f"location.hash = '{place}'; 1")
    browser.evaluate(WAIT.format(1500))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 768, 1400])
def test_the_index_fits_and_can_be_read(browser: Page, site: Path, width: int, dark: bool) -> None:
    browser.open(site / "index.html", width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(TOO_WIDE) == []
    worst, where = browser.evaluate(CONTRAST)
    assert worst >= 4.5, where
    sparks = """[...document.querySelectorAll('.spark')].map(it => it.getBoundingClientRect())
        .filter(it => it.width > 40 && it.height > 10).length"""
    assert browser.evaluate(sparks) > 8


def test_every_link_from_the_index_opens_a_file(browser: Page, site: Path) -> None:
    opened(browser, site / "index.html")
    links = {str(it).partition("#")[0] for it in browser.evaluate(LINKS)}
    assert len(links) >= 8
    root = site.resolve().as_uri()
    for link in links:
        assert link.startswith(root), link
        assert (site / link.removeprefix(f"{root}/")).is_file(), link


@pytest.mark.parametrize(
    "path", ["index.html", "quick/index.html", "asv/index.html"], ids=["index", "report", "asv"]
)
def test_pages_are_silent_and_stay_at_home(browser: Page, site: Path, path: str) -> None:
    opened(browser, site / path)
    assert browser.errors == []
    root = site.resolve().as_uri()
    assert [it for it in browser.requests if not it.startswith((root, "data:"))] == []


@pytest.mark.parametrize(
    ("place", "least"), [("#/", 5), (GRAPH, 2)], ids=["the grid", "one graph and its overview"]
)
def test_asvs_graphs_are_drawn(browser: Page, site: Path, place: str, least: int) -> None:
    opened(browser, site / "asv" / "index.html", place)
    assert browser.evaluate(DRAWN) >= least
    assert browser.errors == []


def test_asvs_steps_are_listed(browser: Page, site: Path) -> None:
    opened(browser, site / "asv" / "index.html", "#/regressions")
    rows = browser.evaluate("document.querySelectorAll('#regressions-body tbody tr').length")
    assert rows >= 4
    opened(browser, site / "asv" / "index.html", "#/summarylist")
    assert browser.evaluate("document.querySelectorAll('#summarylist-body tbody tr').length") >= 20


@pytest.mark.parametrize("place", ["#/", GRAPH], ids=["the grid", "one graph"])
def test_asvs_pages_fit_a_phone(browser: Page, site: Path, place: str) -> None:
    opened(browser, site / "asv" / "index.html", place, width=390)
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    assert browser.evaluate(DRAWN) >= 2


def test_asvs_pages_are_dark_where_that_is_asked_for(browser: Page, site: Path) -> None:
    filtered = "getComputedStyle(document.documentElement).filter"
    browser.open(site / "asv" / "index.html", width=1280, dark=True)
    assert "invert" in browser.evaluate(filtered)
    browser.open(site / "asv" / "index.html", width=1280)
    assert browser.evaluate(filtered) == "none"


def test_the_site_prints(browser: Page, site: Path, tmp_path: Path) -> None:
    for path in ("index.html", "asv/index.html"):
        opened(browser, site / path)
        browser.pdf(tmp_path / "page.pdf")
        assert len((tmp_path / "page.pdf").read_bytes()) > 5000
