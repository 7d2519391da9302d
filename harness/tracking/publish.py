"""One static site of everything: reports, the nights, asv's pages, data, a feed.

    index.html  feed.xml  nights.csv  headlines.csv     from the ledger alone
    <profile>/                                          the report of a profile, its data beside it
    asv/                                                asv's pages, made to stand alone

All links are relative: the same files serve from a file system and from a server of pages. The
site is made beside the old one and takes its place whole.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.analysis.study import Study
from harness.errors import StoreError, UsageError
from harness.model.experiment import Experiment, Verdict
from harness.model.system import System
from harness.report.page import write_report
from harness.report.sections.provenance import cells_text
from harness.steps import Steps
from harness.tracking import asv
from harness.tracking.asv_pages import bring_home
from harness.tracking.feed import MOST, feed
from harness.tracking.headlines import headlines, topics
from harness.tracking.index import History, eventful, index_page
from harness.tracking.ledger import Ledger
from harness.tracking.night import Night

# Without it GitHub's pages are run through a site generator, which drops some files.
PLAIN = ".nojekyll"
OWN = ("index.html", "feed.xml", "nights.csv", "headlines.csv", "asv", PLAIN)
BESIDE = {
    "data.csv": "a row for each sample",
    "data.parquet": "the same",
    "records.json": "all that was recorded",
    "schema.json": "what each field means",
    "overhead.txt": "",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """What a site is made from: studies by profile, and a ledger if there is one. `base` is the
    system that all others are held against."""

    studies: Mapping[str, Study]
    ledger: Ledger | None
    systems: Mapping[str, System]
    experiments: Sequence[Experiment]
    base: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the site will be found (for the feed) and what stands before a commit of the ledger;
    "" where that is not known."""

    site: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What is on the site."""

    index: Path
    nights: int
    reports: tuple[str, ...]


def publish(
    out: Path, sources: Sources, addresses: Addresses, *, scratch: Path, logs: Path, steps: Steps
) -> Published:
    """Write the site. Raises UsageError if `out` holds anything else, StoreError if there is
    nothing to publish. `scratch` is for asv's own files."""
    nights = sources.ledger.nights() if sources.ledger else []
    if not nights and not sources.studies:
        raise StoreError(
            "there is nothing to publish: no results, and no nights in a ledger",
            hint="run './rexen reproduce' or './rexen nightly' first",
        )
    if sources.ledger and not nights:
        raise StoreError(
            f"{sources.ledger.folder} has no nights",
            hint="'rexen nightly --ledger DIR' writes one; without --ledger there are only reports",
        )
    profiles = list(dict.fromkeys([*sources.studies, *(one.profile for one in nights)]))
    refuse_others(out, profiles)
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        for profile, study in sources.studies.items():
            with steps.step(f"rendering the report of the {profile} profile"):
                write_report(study, fresh / profile, home="../index.html")
        if sources.ledger and nights:
            if asv.is_current(out / "asv", nights, addresses.commit):
                steps.say("asv's pages stay: no number changed since they were drawn")
                shutil.copytree(out / "asv", fresh / "asv")
            else:
                with steps.step("drawing asv's pages"):
                    asv.write(scratch, sources.ledger, fresh / "asv", commit_url=addresses.commit)
                    asv.publish(scratch, logs / "asv.log")
                    bring_home(fresh / "asv")
        with steps.step(f"writing the index of {len(nights)} nights"):
            _front(fresh, sources, nights, profiles, addresses)
        _take_place(fresh, out)
    except OSError as error:
        raise StoreError(f"cannot write the site {out}: {error.strerror}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Published(out / "index.html", len(nights), tuple(sources.studies))


def refuse_others(out: Path, profiles: Iterable[str]) -> None:
    """The old site is removed, so it had better be one. Raises UsageError."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is no directory")
    others = sorted({one.name for one in out.iterdir()} - {*OWN, *profiles})
    site = (out / PLAIN).exists() or not any(out.iterdir())
    if others or not site:
        what = f": {', '.join(others[:3])}" if others else ""
        raise UsageError(
            f"{out} has something else in it than a published site{what}",
            hint="name a new or an empty directory",
        )


def _front(
    site: Path,
    sources: Sources,
    nights: Sequence[Night],
    profiles: Sequence[str],
    addresses: Addresses,
) -> None:
    histories = [_history(site, sources, nights, profile) for profile in profiles]
    page = index_page(
        histories, systems=sources.systems, base=sources.base, commit_url=addresses.commit
    )
    (site / "index.html").write_text(page, encoding="utf-8")
    (site / PLAIN).touch()
    if sources.ledger and nights:
        (site / "feed.xml").write_bytes(
            feed(_worth_an_entry(sources.ledger, histories), address=addresses.site)
        )
        _write_csv(site / "nights.csv", _night_lines(nights))
        _write_csv(site / "headlines.csv", _headline_lines(histories))


def _history(site: Path, sources: Sources, nights: Sequence[Night], profile: str) -> History:
    mine = tuple(one for one in nights if one.profile == profile)
    study = sources.studies.get(profile)
    return History(
        profile=profile,
        nights=mine,
        headlines=tuple(
            headlines(mine, topics(sources.experiments), base=sources.base, systems=sources.systems)
        ),
        report=cells_text(study) if study else "",
        files=tuple(it for it in BESIDE.items() if (site / profile / it[0]).exists()),
    )


def _worth_an_entry(ledger: Ledger, histories: Iterable[History]) -> list[Night]:
    """The latest nights on which something happened, of all profiles, oldest first."""
    loud = [night for one in histories for night in eventful(one.nights)]
    loud.sort(key=lambda night: (night.date, night.profile))
    return ledger.with_summaries(loud[-MOST:])


def _night_lines(nights: Sequence[Night]) -> Iterable[Sequence[object]]:
    yield "date", "profile", "commit", "cells", "run", "failed", "numbers", "changed", "reproduced"
    for one in nights:
        counts, claims = one.counts, one.claims
        yield (
            one.date,
            one.profile,
            one.source.commit,
            counts.cells,
            counts.run,
            counts.failed,
            len(one.numbers),
            counts.changed,
            sum(it.verdict == Verdict.REPRODUCED for it in claims),
        )


def _headline_lines(histories: Iterable[History]) -> Iterable[Sequence[object]]:
    yield "date", "profile", "benchmark", "system", "cost"
    for history in histories:
        for one in history.headlines:
            for night, value in zip(history.nights, one.values, strict=True):
                if value is not None:
                    yield night.date, history.profile, one.topic.name, one.system, repr(value)


def _write_csv(path: Path, lines: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def _take_place(fresh: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)
