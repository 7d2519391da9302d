"""The page, read as a reader's program would read it."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.analysis.study import Study
from harness.catalogue.experiments import load_claims
from harness.errors import StoreError
from harness.model.record import Purpose, Record, Status
from harness.model.system import System
from harness.paths import checkout_root
from harness.report.page import write_report
from harness.tests import synthetic

FOLDER = checkout_root() / "harness" / "experiments"
# The shipped experiments of the workloads without an axis, and a made-up one with.
SHIPPED = synthetic.experiments()
TABLES = [one for one in SHIPPED if one.rows]
SERIES = synthetic.series_experiment("native", "rexen", "xen")
CLAIMS = load_claims(FOLDER, SHIPPED)
ALL = ("native", "rexen", "xen", "fullvirt", "hwvirt", "uml")
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """Collects what the tests ask about; a tag closed out of order is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.labels: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for key, value in attrs:
            if key == "id" and value:
                self.ids.append(value)
            if key in ("src", "href", "xlink:href", "srcset", "action") and value:
                self.addresses.append(value)
            if tag == "svg" and key == "aria-label" and value:
                self.labels.append(value)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if {"style", "script"} & set(self.open):
            return
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def study(records: Sequence[Record], systems: dict[str, System] | None = None) -> Study:
    return synthetic.study(
        records, systems or synthetic.systems(*ALL), experiments=TABLES, claims=CLAIMS
    )


def written(found: Study) -> str:
    """The page of a study."""
    with tempfile.TemporaryDirectory() as folder:
        return write_report(found, Path(folder)).read_text(encoding="utf-8")


def page(records: Sequence[Record], systems: dict[str, System] | None = None) -> str:
    return written(study(records, systems))


@pytest.fixture(scope="module")
def whole() -> str:
    """Every system, one failed cell, one missing, one verified, one that differs."""
    records = [
        one
        for one in synthetic.full_set(*ALL)
        if (one.system, one.workload) not in {("uml", "controls"), ("fullvirt", "lmbench-memory")}
    ]
    records.append(
        synthetic.record("fullvirt", "lmbench-memory", status=Status.HANG, reason="no <end> line")
    )
    for one in list(records):
        if one.system == "native":
            records.append(replace(one, attempt=2, purpose=Purpose.VERIFY))
        if (one.system, one.workload) == ("xen", "controls"):
            other = replace(one.outcome, begun_ns=one.outcome.begun_ns + 1)
            records.append(replace(one, attempt=2, purpose=Purpose.VERIFY, outcome=other))
    return page(records)


@pytest.fixture(scope="module")
def reader(whole: str) -> Reader:
    return Reader(whole)


def test_page_needs_nothing_from_outside(reader: Reader, whole: str) -> None:
    outside = [it for it in reader.addresses if not it.startswith(("#", "data:"))]
    assert outside == []
    assert reader.tags["script"] == 1  # its own, without an address
    assert reader.tags["img"] == reader.tags["iframe"] == reader.tags["link"] - 1 == 0
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\b", whole)
    assert "@import" not in whole
    assert not re.search(r"url\((?!#|data:)", whole)


def test_every_link_has_its_place_and_every_place_one_name(reader: Reader) -> None:
    assert [name for name, count in Counter(reader.ids).items() if count > 1] == []
    targets = {it[1:] for it in reader.addresses if it.startswith("#")}
    assert targets - set(reader.ids) == set()


def test_headings_do_not_skip_a_level(reader: Reader) -> None:
    levels = [level for level, _ in reader.headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


def test_sections_come_in_the_readers_order(reader: Reader) -> None:
    assert [text for level, text in reader.headings if level == 2] == [
        "Does the paper reproduce?",
        "Verdicts",
        "Figure 3: Application benchmarks",
        "Claim by claim",
        "The systems",
        "Table 3: Processes and signals",
        "Table 4: Context switches",
        "Table 5: Files and virtual memory",
        "Table 6: TCP bandwidth",
        "Overhead against Xen 4.20",
        "Controls",
        "Failed cells",
        "Are the numbers exact?",
        "Where the time went",
        "Every cell",
        "Provenance",
        "Glossary",
    ]


def test_each_table_has_its_figure_in_both_shapes(reader: Reader) -> None:
    assert reader.tags["figure"] == 9
    assert reader.tags["svg"] == 18
    assert sum("How many times the paper’s cost" in it for it in reader.labels) == 2
    assert sum("performance relative to native" in it for it in reader.labels) == 2
    assert sum("ratio to native" in it for it in reader.labels) == 12
    assert sum("share of that of xen" in it for it in reader.labels) == 2


def test_the_clock_is_explained_before_any_number(reader: Reader) -> None:
    assert reader.text.index("the clock here counts instructions") < reader.text.index("O1")


def test_ours_stands_beside_the_papers(reader: Reader) -> None:
    assert "fork proc 181\u202fµs 1.54× (1.80×) 279\u202fµs".replace("\u202f", " ") in (
        reader.text.replace("\u202f", " ")
    )


def test_a_future_system_is_everywhere_without_a_change(whole: str) -> None:
    without = page(synthetic.full_set(), synthetic.systems())
    for command in ("rexen run", "rexen.run", "rexen console"):
        without = without.replace(command, "")
    assert "rexen" not in without
    for place in ('<dt><span class="dot"></span>rexen</dt>', "--sys-rexen:", 'data-label="rexen"'):
        assert place in whole
    assert whole.count("var(--sys-rexen)") > 24


def test_failed_cell_shows_its_word_with_reason_and_command(whole: str) -> None:
    anchor = "failed-lmbench-memory-fullvirt"
    assert whole.count(f'href="#{anchor}">hang</a>') == 9
    assert f'<li id="{anchor}">' in whole
    assert "no &lt;end&gt; line" in whole
    assert "./rexen run --system fullvirt --workload lmbench-memory --profile quick" in whole


def test_missing_cell_stays_visible(whole: str, reader: Reader) -> None:
    assert whole.count('href="#not-run">not run</a>') == 6
    assert "Not run: controls on uml." in reader.text


def test_determinism_is_told_cell_by_cell(reader: Reader) -> None:
    assert reader.text.count("identical, 2 runs") == 11
    assert reader.text.count("DIFFERS") == 1
    assert "controls on xen differs first at attempt 2: begun_ns: 842000000 / 842000001" in (
        reader.text
    )


def test_no_failures_no_list() -> None:
    text = Reader(page(synthetic.full_set(*ALL))).text
    assert "None: every cell that was run ended well." in text
    assert "Not run:" not in text


def test_names_from_files_are_escaped() -> None:
    systems = synthetic.systems(*ALL)
    systems["xen"] = replace(systems["xen"], title="<b>Xen</b>", caveat="a & b")
    text = page(synthetic.full_set(*ALL), systems)
    assert "<b>Xen</b>" not in text
    assert "&lt;b&gt;Xen&lt;/b&gt;" in text and "a &amp; b" in text


def test_one_system_alone_is_a_page() -> None:
    text = Reader(page(synthetic.full_set("native"), synthetic.systems("native"))).text
    assert "no system of the catalogue stands for Xen" in text


def test_no_records_is_a_clear_error() -> None:
    with pytest.raises(StoreError, match="no records"):
        page([])


def test_same_records_same_bytes(tmp_path: Path) -> None:
    records = synthetic.full_set()
    for folder, given in (("a", records), ("b", records[::-1])):
        write_report(study(given, synthetic.systems()), tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["data.csv", "data.parquet", "index.html", "records.json", "schema.json"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_templates_do_no_arithmetic() -> None:
    """Numbers are formatted in Python; only names, filters and comparisons stand in templates."""
    folder = checkout_root() / "harness" / "report" / "templates"
    for template in folder.glob("*.j2"):
        for code in re.findall(r"\{[{%](.*?)[}%]\}", template.read_text(encoding="utf-8")):
            bare = re.sub(r"'[^']*'", "''", code).strip("-")
            assert not re.search(r"[-+*/]|\|\s*(round|int|float|sum)", bare), (template.name, code)


def test_without_native_absolute_values_stay() -> None:
    records = [one for one in synthetic.full_set(*ALL) if one.system != "native"]
    records.append(synthetic.record("native", "lmbench-process", status=Status.PANIC))
    text = page(records)
    assert text.count('href="#failed-lmbench-process-native">panic</a>') == 20  # also in overhead
    assert "not measured" in text and "0.868\u202fµs" in text
