"""The ledger: a git repository with one commit a night and profile, oldest first.

    <profile>/night.json     date, source, counts
    <profile>/numbers.json   one number a line, sorted by system, workload, metric, point
    <profile>/claims.json    one verdict a line
    <profile>/cells.json     one cell a line, with its inputs
    <profile>/inputs.lock    as it was that night
    <profile>/summary.md     what changed since the night before

A commit's subject begins with `<date> <profile>: `. The difference of two commits is the difference
of two nights, readable as it is; and a step that asv finds lies between two of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.host import process
from harness.host.process import ProcessFailed
from harness.model.unit import Better
from harness.tracking.night import CellState, ClaimState, Counts, Night, Number, Source

LEDGER_VERSION = 1
BRANCH = "ledger"
REF = f"refs/heads/{BRANCH}"
AUTHOR = "rexen nightly <nightly@rexen.invalid>"
BRIEF = ("night.json", "numbers.json", "claims.json")
WHOLE = (*BRIEF, "cells.json", "inputs.lock", "summary.md")
WALL_S = 300.0
SUBJECT = re.compile(r"\d{4}-\d{2}-\d{2} ([a-z0-9-]+): ")


@dataclass(frozen=True, slots=True)
class Ledger:
    """The repository in `folder`, which need not exist before the first night."""

    folder: Path

    def nights(self, profile: str = "", *, whole: bool = False, last: int = 0) -> list[Night]:
        """All nights, oldest first; of one profile, or only the `last` ones of it. Without `whole`
        they have no cells, lock text and summary. Two processes, however many nights. Raises
        StoreError for what is no ledger, or damaged."""
        entries = [one for one in self._entries() if profile in ("", one[1])]
        entries = entries[-last:] if last else entries
        names = WHOLE if whole else BRIEF
        blobs = self._blobs([f"{entry}:{at}/{name}" for entry, at in entries for name in names])
        found = []
        for entry, at in entries:
            texts = {name: next(blobs) for name in names}
            found.append(_night(texts, entry, f"{self.folder}: {entry[:12]}:{at}"))
        return found

    def last(self, profile: str) -> Night | None:
        """The last night of a profile, whole. Raises StoreError."""
        found = self.nights(profile, whole=True, last=1)
        return found[0] if found else None

    def with_summaries(self, nights: Sequence[Night]) -> list[Night]:
        """The same nights, each with its summary. Raises StoreError."""
        names = [f"{one.entry}:{one.profile}/summary.md" for one in nights]
        texts = zip(nights, self._blobs(names), strict=True)
        return [replace(night, summary=text.decode()) for night, text in texts]

    def append(self, nights: Iterable[Night]) -> None:
        """One commit for each, all or none. Raises StoreError: also where a file of the ledger was
        changed by hand, or another night is being written."""
        self._begin()
        entries = self._entries()
        head = entries[-1][0] if entries else ""
        stream = b"".join(_commits(nights, head))
        self._git("fast-import", "--quiet", "--done", feed=stream + b"done\n")
        if self._work_tree:
            self._git("reset", "--quiet", "--hard", BRANCH)

    @property
    def _git_dir(self) -> Path:
        """Named to git, since else it would take the repository around a folder that is none."""
        inside = self.folder / ".git"
        return inside if inside.exists() else self.folder

    @property
    def _work_tree(self) -> bool:
        return self._git_dir != self.folder

    def _begin(self) -> None:
        """A ledger that can be written to."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            empty = not any(self.folder.iterdir())
        except OSError as error:
            raise StoreError(f"{self.folder}: no place for a ledger: {error.strerror}") from None
        if empty:
            process.capture(
                ["git", "init", "--quiet", f"--initial-branch={BRANCH}", str(self.folder)]
            )
        elif not (self._git_dir / "HEAD").exists():
            raise StoreError(f"{self.folder} is no ledger", hint="name an empty or a new folder")
        if self._work_tree and self._git("status", "--porcelain", "--untracked-files=no"):
            raise StoreError(
                f"{self.folder}: files of the ledger were changed by hand",
                hint="look at them, then 'git reset --hard' there; nights are never edited",
            )

    def _entries(self) -> list[tuple[str, str]]:
        """Commit and profile of every night, oldest first. Raises StoreError."""
        if not (self._git_dir / "HEAD").exists():
            return []
        if not self._git("for-each-ref", REF):
            return []
        lines = self._git("log", "--reverse", "--first-parent", "--format=%H %s", REF).decode()
        found = []
        for line in lines.splitlines():
            entry, _, subject = line.partition(" ")
            found_night = SUBJECT.match(subject)
            if not found_night:
                raise StoreError(
                    f"{self.folder}: commit {entry[:12]} is no night: {subject[:60]!r}"
                )
            found.append((entry, found_night[1]))
        return found

    def _blobs(self, names: Sequence[str]) -> Iterator[bytes]:
        """The content of each, in order. Raises StoreError."""
        if not names:
            return
        answer = self._git("cat-file", "--batch", feed="".join(f"{it}\n" for it in names).encode())
        at = 0
        for name in names:
            end = answer.index(b"\n", at)
            head = answer[at:end].split(b" ")
            if len(head) != 3:
                raise StoreError(f"{self.folder}: {name} is missing")
            size = int(head[2])
            yield answer[end + 1 : end + 1 + size]
            at = end + 1 + size + 1

    def _git(self, *words: str, feed: bytes = b"") -> bytes:
        argv = ["git", f"--git-dir={self._git_dir}"]
        argv += [f"--work-tree={self.folder}"] if self._work_tree else []
        try:
            return process.filter_bytes([*argv, *words], feed, wall_s=WALL_S)
        except ProcessFailed as error:
            raise StoreError(f"{self.folder}: {error.message}") from None


def subject(night: Night) -> str:
    """`2026-11-24 quick: 7 of 512 numbers changed; rexen 0123456789ab`."""
    counts = night.counts
    changed = f"{counts.changed} of {len(night.numbers)} numbers changed"
    failed = f", {counts.failed} cells failed" if counts.failed else ""
    return f"{night.date} {night.profile}: {changed}{failed}; rexen {night.source.commit[:12]}"


def _commits(nights: Iterable[Night], head: str) -> Iterator[bytes]:
    """What git fast-import reads. The first one's parent is `head`, if there is one."""
    for place, night in enumerate(nights):
        yield f"commit {REF}\ncommitter {AUTHOR} {_seconds(night)} +0000\n".encode()
        yield _data(f"{subject(night)}\n\n{night.summary}".encode())
        if head and not place:
            yield f"from {head}\n".encode()
        for name, content in _files(night).items():
            yield f"M 100644 inline {night.profile}/{name}\n".encode() + _data(content)


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _seconds(night: Night) -> int:
    """Midnight of its date: the same night, the same commit."""
    return int(datetime.fromisoformat(night.date).replace(tzinfo=UTC).timestamp())


def _files(night: Night) -> dict[str, bytes]:
    head = {
        "version": LEDGER_VERSION,
        "date": night.date,
        "profile": night.profile,
        "source": asdict(night.source),
        "counts": asdict(night.counts),
    }
    return {
        "night.json": (json.dumps(head, indent=1, sort_keys=True) + "\n").encode(),
        "numbers.json": _lines(sorted(night.numbers, key=lambda it: it.place)),
        "claims.json": _lines(night.claims),
        "cells.json": _lines(
            sorted(night.cells, key=lambda it: (it.system, it.workload, it.point))
        ),
        "inputs.lock": night.lock_text.encode(),
        "summary.md": night.summary.encode(),
    }


def _lines(items: Sequence[Any]) -> bytes:
    """A JSON list with an item a line, so that nights differ by lines."""
    texts = [json.dumps(asdict(one), sort_keys=True, separators=(",", ":")) for one in items]
    return ("[\n" + ",\n".join(texts) + "\n]\n").encode() if texts else b"[]\n"


def _night(texts: dict[str, bytes], entry: str, where: str) -> Night:
    try:
        head = json.loads(texts["night.json"])
        if head["version"] != LEDGER_VERSION:
            raise StoreError(f"{where}: version {head['version']!r}, not {LEDGER_VERSION}")
        source = Source(**{**head["source"], "differs": tuple(head["source"]["differs"])})
        night = Night(
            date=head["date"],
            profile=head["profile"],
            source=source,
            counts=Counts(**head["counts"]),
            numbers=tuple(_number(one) for one in json.loads(texts["numbers.json"])),
            claims=tuple(ClaimState(**one) for one in json.loads(texts["claims.json"])),
            entry=entry,
        )
        if "cells.json" not in texts:
            return night
        return replace(
            night,
            cells=tuple(CellState(**one) for one in json.loads(texts["cells.json"])),
            lock_text=texts["inputs.lock"].decode(),
            summary=texts["summary.md"].decode(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{where}: this night is damaged: {error!r}") from None


def _number(data: dict[str, Any]) -> Number:
    return Number(**{**data, "direction": Better(data["direction"])})
