"""The ledger: nights in, the same nights out, and what is not to be written is refused."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.tests.history import a_night, history
from harness.tracking.ledger import Ledger


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def test_no_ledger_has_no_nights(ledger: Ledger) -> None:
    assert ledger.nights() == []
    assert ledger.last("quick") is None


def test_nights_come_back_as_they_were_oldest_first(ledger: Ledger) -> None:
    written = list(history(9))
    ledger.append(written[:4])
    for one in written[4:]:
        ledger.append([one])
    assert ledger.nights(whole=True) == written
    brief = ledger.nights()
    assert [one.numbers for one in brief] == [one.numbers for one in written]
    assert {(one.cells, one.lock_text) for one in brief} == {((), "")}
    assert ledger.last("quick") == written[-1]


def test_profiles_share_a_ledger(ledger: Ledger) -> None:
    quick, full = a_night(0), a_night(0, profile="full")
    ledger.append([quick, full, a_night(1)])
    assert ledger.nights("full", whole=True) == [full]
    assert [one.date for one in ledger.nights("quick")] == ["2026-01-01", "2026-01-02"]
    assert sorted(one.name for one in ledger.folder.iterdir()) == [".git", "full", "quick"]


def test_a_night_is_a_commit_that_says_what_changed(ledger: Ledger) -> None:
    night = replace(a_night(3), summary="7 of 512 numbers changed.\n")
    ledger.append([a_night(2), night])
    (entry,) = ledger.nights(last=1)
    assert git(ledger.folder, "log", "-1", "--format=%H|%ad|%s|%b", "--date=iso").strip() == (
        f"{entry.entry}|2026-01-04 00:00:00 +0000|2026-01-04 quick: 0 of 20 numbers changed; "
        f"rexen {night.source.commit[:12]}|7 of 512 numbers changed."
    )
    assert git(ledger.folder, "status", "--porcelain") == ""
    assert (ledger.folder / "quick" / "inputs.lock").read_text() == night.lock_text


def test_the_same_nights_are_the_same_commits(tmp_path: Path) -> None:
    entries = []
    for name in ("one", "other"):
        ledger = Ledger(tmp_path / name)
        ledger.append(history(3))
        entries.append([one.entry for one in ledger.nights()])
    assert entries[0] == entries[1]


def test_a_changed_number_is_one_line_of_the_difference(ledger: Ledger) -> None:
    night = a_night(0)
    first, *rest = night.numbers
    ledger.append([night, replace(night, numbers=(replace(first, value=9.5), *rest))])
    assert "1\t1\tquick/numbers.json" in git(ledger.folder, "show", "--numstat", "--format=")


def test_a_bare_ledger_works_too(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare")], check=True)
    ledger = Ledger(tmp_path / "bare")
    ledger.append([a_night(0)])
    ledger.append([a_night(1)])
    assert len(ledger.nights()) == 2


def test_inside_another_repository_it_is_one_of_its_own(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    ledger = Ledger(tmp_path / "ledger")
    ledger.append([a_night(0)])
    assert len(ledger.nights()) == 1
    assert git(tmp_path, "for-each-ref") == ""


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="no ledger"):
        Ledger(tmp_path).append([a_night(0)])


def test_a_ledger_changed_by_hand_is_refused_and_left_alone(ledger: Ledger) -> None:
    ledger.append([a_night(0)])
    edited = ledger.folder / "quick" / "numbers.json"
    edited.write_text("[]\n")
    with pytest.raises(StoreError, match="changed by hand"):
        ledger.append([a_night(1)])
    assert edited.read_text() == "[]\n"
    assert len(ledger.nights()) == 1


def test_a_commit_that_is_no_night_is_named(ledger: Ledger) -> None:
    ledger.append([a_night(0)])
    who = ("-c", "user.name=x", "-c", "user.email=x@x.invalid")
    git(ledger.folder, *who, "commit", "-q", "--allow-empty", "-m", "a remark")
    with pytest.raises(StoreError, match="is no night: 'a remark'"):
        ledger.nights()


def test_a_damaged_night_is_named(ledger: Ledger) -> None:
    ledger.append([a_night(0)])
    (ledger.folder / "quick" / "numbers.json").write_text('[{"system": "native"}]\n')
    who = ("-c", "user.name=x", "-c", "user.email=x@x.invalid")
    git(ledger.folder, *who, "commit", "-q", "-a", "-m", "2026-01-02 quick: edited")
    with pytest.raises(StoreError, match="damaged"):
        ledger.nights()


def test_a_year_is_read_whole(ledger: Ledger) -> None:
    ledger.append(history(365))
    nights = ledger.nights()
    assert len(nights) == 365
    assert sum(len(one.numbers) for one in nights) == 365 * 20
