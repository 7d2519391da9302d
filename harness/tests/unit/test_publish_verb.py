"""rexen publish and rexen report on the real catalogue, of cells measured on fake machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.store import Store
from harness.tests.history import history
from harness.tests.world import CELL, WorldEngine, unwrapped
from harness.tracking import asv
from harness.tracking.ledger import Ledger

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """asv's pages in one line: it takes seconds to draw them, and has its own tests."""

    def drawn(folder: Path, log: Path) -> None:
        html = Path(json.loads((folder / "asv.conf.json").read_text())["html_dir"])
        html.mkdir(parents=True)
        (html / "index.html").write_text("<html><head></head></html>")

    monkeypatch.setattr(asv, "publish", drawn)


def test_a_report_has_the_consoles_of_its_cells(
    engine: WorldEngine, rexen: Rexen, store: Store, tmp_path: Path
) -> None:
    rexen("run", *CELL)
    assert rexen("report") == ExitCode.OK
    page = (tmp_path / "reports" / "quick" / "index.html").read_text(encoding="utf-8")
    block = page[page.index('<div id="cell-controls-native">') :]
    assert "@rexen end 0" in block[: block.index("</details>")]
    (record,) = store.all_records()
    store.console_path(record.cell_id, record.attempt).unlink()
    assert rexen("report") == ExitCode.OK
    page = (tmp_path / "reports" / "quick" / "index.html").read_text(encoding="utf-8")
    assert "Its console was not kept." in page


def test_a_site_of_what_is_measured_and_of_the_nights(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, undrawn: None, capsys: Capture
) -> None:
    rexen("run", *CELL)
    capsys.readouterr()
    Ledger(tmp_path / "ledger").append(history(9))
    site, ledger = str(tmp_path / "site"), str(tmp_path / "ledger")
    assert rexen("publish", site, "--ledger", ledger, "--json") == ExitCode.OK
    said = json.loads(capsys.readouterr().out)
    assert said == {"index": f"{site}/index.html", "nights": 9, "reports": ["quick"]}
    names = {it.name for it in (tmp_path / "site").iterdir()}
    assert names >= {"index.html", "feed.xml", "asv", "quick", "nights.csv"} and "full" not in names
    assert (tmp_path / "site" / "quick" / "records.json").exists()


def test_nothing_measured_and_no_night_is_said(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    site = tmp_path / "site"
    assert rexen("publish", str(site)) == ExitCode.STORE
    assert "there is nothing to publish" in unwrapped(capsys.readouterr().err)
    assert not site.exists()


def test_a_folder_of_something_else_is_left_alone(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    rexen("run", *CELL)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.tex").touch()
    assert rexen("publish", str(tmp_path / "site")) == ExitCode.USAGE
    assert "thesis.tex" in unwrapped(capsys.readouterr().err)
    assert (tmp_path / "site" / "thesis.tex").exists()


def test_a_ledger_that_is_none_is_said(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    """A mistyped name would else give a site without its nights."""
    rexen("run", *CELL)
    assert rexen("publish", str(tmp_path / "site"), "--ledger", str(tmp_path / "no")) == (
        ExitCode.STORE
    )
    assert "no nights" in unwrapped(capsys.readouterr().err)


def test_a_site_behind_a_link_is_replaced_where_it_lies(
    engine: WorldEngine, rexen: Rexen, tmp_path: Path
) -> None:
    """The link itself took the old site's place, and could not be removed."""
    rexen("run", *CELL)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for _ in range(2):
        assert rexen("publish", str(tmp_path / "link")) == ExitCode.OK
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "index.html").exists()
