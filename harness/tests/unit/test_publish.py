"""The published site, piece by piece: headline numbers, sparklines, feed, index, asv's pages."""

from __future__ import annotations

import csv
import math
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import StoreError, UsageError
from harness.model.experiment import MetricRef
from harness.steps import Steps
from harness.tests import synthetic
from harness.tests.history import a_night, history, moved
from harness.tests.unit.test_report import ALL, Reader, study
from harness.tracking import asv
from harness.tracking.asv_pages import REPLACED, VENDOR, alone, bring_home
from harness.tracking.feed import ATOM, MOST, feed
from harness.tracking.headlines import Topic, headlines, topics
from harness.tracking.index import History, eventful, index_page
from harness.tracking.ledger import Ledger
from harness.tracking.night import ClaimState, Night
from harness.tracking.publish import Addresses, Sources, publish
from harness.tracking.sparkline import sparkline

FORK = MetricRef.parse("lmbench-process/fork")
IR = MetricRef.parse("osdb/ir")
SYSTEMS = ("native", "rexen", "xen", "uml")
LIBRARY = '    <script src="https://cdn.example/a/jquery-3.3.1.min.js" integrity="x"></script>\n'


def nights(count: int) -> list[Night]:
    """As the ledger gives them: each with a commit of its own."""
    return [replace(one, entry=f"{at:040x}") for at, one in enumerate(history(count))]


def of(known: Sequence[Night], *refs: MetricRef) -> dict[str, tuple[float | None, ...]]:
    found = headlines(known, [Topic("it", refs)], base="native", systems=SYSTEMS)
    return {one.system: one.values for one in found}


def value(night: Night, system: str, ref: MetricRef) -> float:
    return night.by_place[system, ref.workload, ref.metric, str(ref.point)].value


def test_a_headline_is_the_cost_over_native_and_a_rate_turned_round() -> None:
    one = a_night()
    found = of([one], FORK)
    assert set(found) == {"rexen", "xen", "uml"}
    (cost,) = found["xen"]
    assert cost == pytest.approx(value(one, "xen", FORK) / value(one, "native", FORK), rel=1e-11)
    rate = value(one, "native", IR) / value(one, "xen", IR)
    (cost,) = of([one], IR)["xen"]
    assert cost == pytest.approx(rate, rel=1e-11)


def test_several_metrics_are_one_geometric_mean() -> None:
    one = a_night()
    (fork,), (ir,) = of([one], FORK)["uml"], of([one], IR)["uml"]
    assert fork and ir
    (both,) = of([one], FORK, IR)["uml"]
    assert both == pytest.approx(math.sqrt(fork * ir), rel=1e-11)


def test_a_night_that_lacks_a_metric_has_no_headline() -> None:
    """Else a missing benchmark would look like a faster system."""
    first = a_night(0)
    lacking = replace(first, numbers=tuple(it for it in first.numbers if it.metric != "ir"))
    assert of([lacking, a_night(1)], FORK, IR)["xen"][0] is None
    # What the last night does not have is no part of the topic.
    assert of([first, lacking], FORK, IR)["xen"] == of([first, lacking], FORK)["xen"]


def test_what_moves_alike_in_both_moved_nothing() -> None:
    known = [a_night(0)]
    for _ in range(40):
        kernel = known[-1]
        for system in SYSTEMS:
            kernel = moved(kernel, system, "fork", 1.005)
        known.append(kernel)
    (found,) = headlines(known, [Topic("it", (FORK,))], base="native", systems=("native", "xen"))
    assert found.moved is None and len(set(found.values)) == 1


def test_topics_are_the_papers() -> None:
    names = [one.name for one in topics(synthetic.experiments())]
    assert names[:2] == ["SPEC INT2000", "Linux build time"]
    assert "Table 4: Context switches" in names and "Controls" not in " ".join(names)
    assert len(names) == len(set(names))


def test_a_sparkline_steps_where_the_number_does() -> None:
    svg = sparkline([1.0, 1.0, 2.0, 2.0], "a & b")
    assert 'd="M3.0 23.0 H79.0V3.0 H117.0"' in svg
    assert 'cx="117.0" cy="3.0"' in svg and 'aria-label="a &amp; b"' in svg
    ElementTree.fromstring(svg)
    assert len(sparkline([1.5] * 365, "")) < 200


def test_a_sparkline_has_gaps() -> None:
    assert sparkline([1.0, None, 2.0], "").count("M") == 2
    assert "circle" not in sparkline([1.0, None], "")
    assert sparkline([], "") and sparkline([None], "")


def test_the_nights_with_an_event_are_those_with_a_change() -> None:
    known = nights(40)
    dates = [one.date for one in eventful(known)]
    assert dates[:3] == ["2026-01-01", "2026-01-08", "2026-01-15"]
    assert {one.date for one in known[1:] if one.counts.changed} == set(dates[1:])
    turned = replace(
        known[1],
        claims=(ClaimState("P1", "xen", "not reproduced", ""), *known[1].claims[2:]),
    )
    assert turned.date in [one.date for one in eventful([known[0], turned, known[2]])]


def test_the_feed_is_atom_with_the_newest_night_first() -> None:
    known = [replace(one, summary="*what* <happened> & why\n") for one in nights(MOST + 9)]
    root = ElementTree.fromstring(feed(known, address="https://pages.example/"))
    entries = root.findall(f"{{{ATOM}}}entry")
    assert len(entries) == MOST
    assert root.findtext(f"{{{ATOM}}}updated") == f"{known[-1].date}T00:00:00Z"
    assert known[-1].date in (entries[0].findtext(f"{{{ATOM}}}title") or "")
    assert entries[0].findtext(f"{{{ATOM}}}content") == "*what* <happened> & why\n"
    ids = [one.findtext(f"{{{ATOM}}}id") for one in entries]
    assert len(set(ids)) == len(ids)
    link = entries[0].find(f"{{{ATOM}}}link")
    assert link is not None and link.get("href", "").startswith("https://pages.example/index.html#")


def test_the_feeds_links_have_their_place_in_the_index() -> None:
    known = nights(40)
    page = index_page(
        [History("quick", tuple(known), (), "", ())],
        systems=synthetic.systems(*ALL),
        base="native",
        commit_url="",
    )
    root = ElementTree.fromstring(feed(eventful(known)))
    links = {
        (it.get("href") or "").partition("#")[2]
        for it in root.iterfind(f"{{{ATOM}}}entry/{{{ATOM}}}link")
    }
    assert links and links <= set(Reader(page).ids)


def test_asvs_page_is_left_without_a_foreign_address() -> None:
    page = f"<html>\n<head>\n{LIBRARY}</head>\n<body></body></html>"
    found = alone(page)
    assert "https:" not in found
    assert found.index("vendor/jquery.js") < found.index("vendor/local.js")
    for name in REPLACED.values():
        assert not name or (VENDOR / name).exists(), name


@pytest.mark.parametrize(
    "line",
    [
        '<script src="https://cdn.example/other.js"></script>\n',
        '<link rel="stylesheet" href="//cdn.example/other.css">\n',
        '<img src="http://cdn.example/it.png">\n',
    ],
)
def test_what_is_not_kept_here_is_an_error(line: str) -> None:
    with pytest.raises(StoreError, match="not kept here"):
        alone(f"<html><head>{LIBRARY}{line}</head></html>")


def test_every_library_has_its_licence() -> None:
    listed = (VENDOR / "README.md").read_text(encoding="utf-8")
    for file in VENDOR.glob("*.[jc]s*"):
        assert (VENDOR / f"{file.name.removeprefix('jquery.').split('.')[0]}.LICENSE").exists() or (
            file.name == "jquery.js" and (VENDOR / "jquery.LICENSE").exists()
        ), file.name
        assert f"`{file.name}`" in listed or "`jquery.flot*.js`" in listed


def test_asvs_data_becomes_scripts(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(f"<html><head>{LIBRARY}</head></html>")
    data = tmp_path / "graphs" / "a b.json"
    data.parent.mkdir()
    data.write_text('[1, "\u2028"]\n', encoding="utf-8")
    bring_home(tmp_path)
    assert not data.exists()
    script = (tmp_path / "graphs" / "a b.json.js").read_text(encoding="utf-8")
    assert script == 'asvData["graphs/a b.json"] = [1, "\\u2028"];\n'


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """A ledger, one report, and in asv's place a page of one line."""
    ledger = Ledger(tmp_path / "ledger")
    ledger.append(history(40))

    def drawn(folder: Path, log: Path) -> None:
        html = tmp_path / f".{SITE}.new" / "asv"
        html.mkdir(parents=True)
        (html / "index.html").write_text(f"<html><head>{LIBRARY}</head></html>")
        shutil.copy(folder / asv.DRAWN, html / asv.DRAWN)

    monkeypatch.setattr(asv, "publish", drawn)
    systems = synthetic.systems(*ALL)
    found = study(synthetic.full_set("native", "rexen"), systems)
    return Sources({"quick": found}, ledger, systems, found.experiments, "native")


SITE = "site"


def published(tmp_path: Path, sources: Sources) -> Path:
    where = {"scratch": tmp_path / "scratch", "logs": tmp_path}
    return publish(tmp_path / SITE, sources, Addresses(), steps=Steps(), **where).index.parent


def test_every_link_of_the_site_has_its_file(tmp_path: Path, sources: Sources) -> None:
    site = published(tmp_path, sources)
    reader = Reader((site / "index.html").read_text(encoding="utf-8"))
    links = [it for it in reader.addresses if not it.startswith("data:")]
    assert "quick/index.html" in links and "feed.xml" in links
    report = Reader((site / "quick" / "index.html").read_text(encoding="utf-8"))
    assert [it for it in report.addresses if not it.startswith(("#", "data:"))] == ["../index.html"]
    for link in links:
        path, _, place = link.partition("#")
        assert not path or (site / path).is_file(), link
        assert path or place in reader.ids, link
    assert (site / ".nojekyll").exists()
    assert not list(tmp_path.glob(f".{SITE}.*"))


def test_the_csv_files_have_every_night(tmp_path: Path, sources: Sources) -> None:
    site = published(tmp_path, sources)
    with (site / "nights.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [it["date"] for it in lines] == [it.date for it in history(40)]
    with (site / "headlines.csv").open(encoding="utf-8") as file:
        costs = {(it["date"], it["benchmark"], it["system"]) for it in csv.DictReader(file)}
    assert ("2026-01-01", "OSDB-IR", "xen") in costs


def test_a_newer_site_takes_the_place_of_an_older_one(tmp_path: Path, sources: Sources) -> None:
    site = published(tmp_path, sources)
    before = (site / "index.html").read_bytes()
    (site / "asv" / "stale.js").touch()
    (site / "asv" / asv.DRAWN).unlink()  # so that they are drawn again
    assert published(tmp_path, sources) == site
    assert (site / "index.html").read_bytes() == before
    assert not (site / "asv" / "stale.js").exists()


def test_what_is_no_site_is_not_replaced(tmp_path: Path, sources: Sources) -> None:
    (tmp_path / SITE).mkdir()
    (tmp_path / SITE / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"something else.*thesis\.tex"):
        published(tmp_path, sources)
    (tmp_path / SITE / "thesis.tex").rename(tmp_path / SITE / "index.html")
    with pytest.raises(UsageError, match="something else"):
        published(tmp_path, sources)
    assert (tmp_path / SITE / "index.html").exists()


def test_asvs_pages_stay_while_no_number_changes(tmp_path: Path, sources: Sources) -> None:
    assert sources.ledger
    page = published(tmp_path, sources) / "asv" / "index.html"
    page.write_text("as drawn")
    still = replace(sources.ledger.nights(whole=True)[-1], date="2027-01-01")
    sources.ledger.append([replace(still, counts=replace(still.counts, changed=0))])
    published(tmp_path, sources)
    assert page.read_text() == "as drawn"
    sources.ledger.append([replace(still, counts=replace(still.counts, changed=1))])
    published(tmp_path, sources)
    assert page.read_text() != "as drawn"


def test_a_failure_leaves_the_old_site(
    tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = published(tmp_path, sources)
    before = (site / "index.html").read_bytes()
    (site / "asv" / asv.DRAWN).unlink()  # so that they are drawn again

    def fail(folder: Path, log: Path) -> None:
        raise StoreError("asv fell over")

    monkeypatch.setattr(asv, "publish", fail)
    with pytest.raises(StoreError, match="fell over"):
        published(tmp_path, sources)
    assert (site / "index.html").read_bytes() == before
    assert not list(tmp_path.glob(f".{SITE}.*"))


def test_reports_alone_are_a_site(tmp_path: Path, sources: Sources) -> None:
    site = published(tmp_path, replace(sources, ledger=None))
    assert {it.name for it in site.iterdir()} == {".nojekyll", "index.html", "quick"}
    reader = Reader((site / "index.html").read_text(encoding="utf-8"))
    assert not [it for it in reader.addresses if "asv" in it]


def test_nothing_is_no_site(tmp_path: Path, sources: Sources) -> None:
    with pytest.raises(StoreError, match="nothing to publish"):
        published(tmp_path, replace(sources, ledger=None, studies={}))


def test_names_from_the_ledger_are_escaped() -> None:
    bad = replace(a_night(), entry="0" * 40)
    bad = replace(bad, source=replace(bad.source, subject="<script>x</script>"))
    page = index_page(
        [History("quick", (bad,), (), "", ())],
        systems=synthetic.systems(*ALL),
        base="native",
        commit_url="",
    )
    assert "<script>x" not in page and re.search(r"&lt;script&gt;x", page)
