"""What a reviewer runs: is the archive whole, and does one thing in it follow from another?

Everything hangs on the commit's name: it gives the sources, these the lock and the records, and
these with the sources the report. So whoever trusts the name trusts the rest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StoreError
from harness.model.record import Record
from harness.store import read_reference
from harness.tracking.artifact.agreement import agreement, disagreement
from harness.tracking.artifact.bundle import Bundle
from harness.tracking.artifact.pack import (
    COMMIT,
    COPIES,
    LOCK,
    RECORDS,
    REPORT,
    SOURCES,
    Render,
)
from harness.tracking.artifact.sources import check_sources, unpack

# Reads a lock: its text, and its name for messages; package to version.
ReadLock = Callable[[str, str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked."""

    what: str
    ok: bool
    evidence: str


def check(
    bundle: Bundle, sources: Path, *, read_lock: ReadLock, render: Render
) -> Iterator[Finding]:
    """Each finding as it is made; the sources are unpacked into the new folder `sources`.

    Raises StoreError where what follows would mean nothing: files that are not those that were
    packed, or sources that are not the commit's. Runs the sources only after that.
    """
    bundle.check()
    count = len(bundle.manifest.parts)
    yield Finding("files", True, f"{count} files have the SHA-256 that the manifest names")
    commit = str(bundle.manifest.about.get("commit", ""))
    archive = bundle.read(SOURCES)
    yield Finding("sources", True, check_sources(commit, bundle.read(COMMIT), archive))
    unpack(archive, sources)
    yield _copies(bundle, sources)
    with tempfile.TemporaryDirectory(prefix="rexen-artifact-") as scratch:
        references = dict(_references(bundle, Path(scratch)))
    packages = read_lock(bundle.read(LOCK).decode("utf-8", "replace"), LOCK)
    for profile, records in references.items():
        wrong = disagreement(records, packages)
        yield Finding(f"lock and {profile} records", not wrong, wrong or agreement(records))
    for profile, records in references.items():
        yield _report(bundle, profile, render(sources, records, profile))


def _copies(bundle: Bundle, sources: Path) -> Finding:
    """Lock, records and the rest beside the sources are those in them."""
    inside = {LOCK: LOCK, **{name: name for name in COPIES}}
    inside |= {f"{RECORDS}/{it}": f"results/reference/{it}" for it in bundle.names(RECORDS)}
    present = {name: sources / it for name, it in inside.items() if name in bundle.manifest.parts}
    other = [
        name
        for name, file in present.items()
        if not file.is_file() or file.read_bytes() != bundle.read(name)
    ]
    if other:
        return Finding("copies", False, f"not as in the sources: {', '.join(sorted(other))}")
    return Finding("copies", True, f"{', '.join(sorted(present))}: as in the sources")


def _references(bundle: Bundle, folder: Path) -> Iterator[tuple[str, Sequence[Record]]]:
    for name in bundle.names(RECORDS):
        file = folder / name
        bundle.copy(f"{RECORDS}/{name}", file)
        try:
            yield file.stem, read_reference(file)
        except StoreError as error:
            raise StoreError(error.message.replace(str(file), f"{RECORDS}/{name}")) from None


def _report(bundle: Bundle, profile: str, made: Mapping[str, bytes]) -> Finding:
    folder = f"{REPORT}/{profile}"
    packed = {name: bundle.read(f"{folder}/{name}") for name in bundle.names(folder)}
    other = sorted(
        name for name in packed.keys() | made.keys() if packed.get(name) != made.get(name)
    )
    if other:
        evidence = f"made anew it has other bytes: {', '.join(other)}"
        return Finding(f"report of {profile}", False, evidence)
    return Finding(f"report of {profile}", True, f"{len(made)} files come out of the records alike")
