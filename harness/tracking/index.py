"""The ledger -> the front page of the published site, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.model.experiment import Verdict
from harness.model.system import System
from harness.report.colors import PAGE_DARK, PAGE_LIGHT
from harness.report.environment import environment
from harness.report.numbers import count_text, ratio_text
from harness.report.page import system_colors
from harness.tracking.asv import asv_name
from harness.tracking.feed import anchor
from harness.tracking.headlines import Headline, Topic
from harness.tracking.night import ClaimState, Night
from harness.tracking.sparkline import sparkline

TEMPLATES = Path(__file__).with_name("templates")
COMMIT = 12


@dataclass(frozen=True, slots=True)
class History:
    """One profile: its nights, oldest first, and their headline numbers. `report` is "" where its
    report is not on the site, else what it rests on; `files` lie beside it."""

    profile: str
    nights: tuple[Night, ...]
    headlines: tuple[Headline, ...]
    report: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SparkView:
    """A number and its way; `text` is "" where the last night has none."""

    system: str
    text: str
    sort: str
    spark: str
    moved: str
    kind: str


@dataclass(frozen=True, slots=True)
class TopicView:
    """One line of the headline numbers; `href` is "" where asv has no page of just this."""

    name: str
    href: str
    cells: tuple[SparkView, ...]


@dataclass(frozen=True, slots=True)
class NightView:
    """A night on which something happened."""

    anchor: str
    date: str
    href: str
    told: str
    commit: str
    subject: str


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A section of the index."""

    name: str
    report: str
    files: tuple[tuple[str, str], ...]
    systems: tuple[str, ...]
    topics: tuple[TopicView, ...]
    span: str
    verdicts: SparkView | None
    nights: tuple[NightView, ...]
    still: str


def index_page(
    histories: Sequence[History], *, systems: Mapping[str, System], base: str, commit_url: str
) -> str:
    """The page. `commit_url` stands before a night's commit of the ledger; "" makes no link."""
    dates = [night.date for one in histories for night in one.nights]
    return (
        environment(TEMPLATES)
        .get_template("site.html.j2")
        .render(
            colors=system_colors(systems.values()),
            page_light=PAGE_LIGHT,
            page_dark=PAGE_DARK,
            base=base,
            last=max(dates, default=""),
            nights=bool(dates),
            profiles=[_profile(one, systems, commit_url) for one in histories],
        )
    )


def eventful(nights: Sequence[Night]) -> list[Night]:
    """The nights of one profile on which something happened; the first is one of them."""
    pairs = zip([None, *nights], nights, strict=False)
    return [new for old, new in pairs if old is None or _happened(old, new)]


def _happened(old: Night, new: Night) -> bool:
    return bool(
        new.counts.changed
        or new.counts.failed
        or old.counts.failed
        or len(old.numbers) != len(new.numbers)
        or turned(old, new)
    )


def turned(old: Night, new: Night) -> list[tuple[ClaimState, ClaimState]]:
    """Claims with another verdict than the night before."""
    was = {(one.id, one.system): one for one in old.claims}
    pairs = ((was.get((one.id, one.system)), one) for one in new.claims)
    return [(before, one) for before, one in pairs if before and before.verdict != one.verdict]


def _profile(history: History, systems: Mapping[str, System], commit_url: str) -> ProfileView:
    nights = history.nights
    shown = tuple(it for it in systems if any(one.system == it for one in history.headlines))
    loud = eventful(nights)
    still = len(nights) - len(loud)
    return ProfileView(
        name=history.profile,
        report=history.report,
        files=history.files,
        systems=shown,
        topics=tuple(_topics(history, shown)),
        span=count_text(len(nights), "night", "nights"),
        verdicts=_verdicts(nights) if nights else None,
        nights=tuple(_nights(nights, commit_url))[::-1],
        still=f"On the other {count_text(still, 'night', 'nights')} nothing changed."
        if still
        else "",
    )


def _topics(history: History, systems: Sequence[str]) -> Iterator[TopicView]:
    for name in dict.fromkeys(one.topic.name for one in history.headlines):
        mine = {one.system: one for one in history.headlines if one.topic.name == name}
        topic = next(iter(mine.values())).topic
        yield TopicView(
            name=name,
            href=_href(topic, history.nights[-1]),
            cells=tuple(_spark(name, it, mine.get(it), history.nights) for it in systems),
        )


def _href(topic: Topic, night: Night) -> str:
    """asv's page of a topic of one metric."""
    if len(topic.refs) != 1:
        return ""
    ref = topic.refs[0]
    found = (
        one for one in night.numbers if (one.workload, one.metric) == (ref.workload, ref.metric)
    )
    return next((f"asv/index.html#{asv_name(one)}" for one in found), "")


def _spark(name: str, system: str, headline: Headline | None, nights: Sequence[Night]) -> SparkView:
    if headline is None or headline.last is None:
        return SparkView(system, "", "", "", "", "")
    seen = [it for it in headline.values if it is not None]
    now = ratio_text(headline.last)
    moved, kind, told = "", "", "never changed"
    if headline.moved is not None:
        date = nights[headline.moved].date
        old, new = headline.values[headline.moved - 1], headline.values[headline.moved]
        moved, kind = _moved(old, new, date)
        told = f"last changed on {date}"
    return SparkView(
        system=system,
        text=now,
        sort=f"{headline.last:.6g}",
        spark=sparkline(
            headline.values,
            f"{name} on {system}: {now} now, {ratio_text(min(seen))} to {ratio_text(max(seen))} "
            f"over {count_text(len(seen), 'night', 'nights')}, {told}",
        ),
        moved=moved,
        kind=kind,
    )


def _moved(old: float | None, new: float | None, date: str) -> tuple[str, str]:
    """The latest change of a cost, in words, and whether it was for the better."""
    if old is None or new is None:
        return f"{'back' if old is None else 'gone'} {date}", ""
    change = f"{100 * (new / old - 1):+.2f}".replace("-", "−")
    day = date.replace("-", "\u2011")  # in one piece
    return f"{change}\u202f% {day}", "worse" if new > old else "better"


def _verdicts(nights: Sequence[Night]) -> SparkView:
    counts = [
        float(sum(it.verdict == Verdict.REPRODUCED for it in night.claims)) for night in nights
    ]
    whole = len(nights[-1].claims)
    text = f"{counts[-1]:.0f} of {whole}"
    moved = [at for at in range(1, len(counts)) if counts[at] != counts[at - 1]]
    told = f"since {nights[moved[-1]].date}" if moved else "on every night"
    return SparkView("", text, "", sparkline(counts, f"Reproduced: {text}, {told}"), told, "")


def _nights(nights: Sequence[Night], commit_url: str) -> Iterator[NightView]:
    before = dict(zip((one.entry for one in nights[1:]), nights, strict=False))
    for night in eventful(nights):
        yield NightView(
            anchor=anchor(night),
            date=night.date,
            href=f"{commit_url}{night.entry}" if commit_url else "",
            told="; ".join(_told(before.get(night.entry), night)),
            commit=night.source.commit[:COMMIT],
            subject=night.source.subject,
        )


def _told(old: Night | None, night: Night) -> Iterable[str]:
    if old is None:
        yield f"the first night: {count_text(len(night.numbers), 'number', 'numbers')}"
        return
    if night.counts.changed:
        yield f"{night.counts.changed} of {len(night.numbers)} numbers changed"
    elif len(old.numbers) != len(night.numbers):
        yield f"{len(night.numbers)} numbers, {len(old.numbers)} the night before"
    if night.counts.failed:
        yield count_text(night.counts.failed, "cell failed", "cells failed")
    elif old.counts.failed:
        yield "no cell fails any more"
    for before, after in turned(old, night):
        where = f" on {after.system}" if after.system else ""
        yield f"{after.id}{where}: {before.verdict} → {after.verdict}"
