"""`inputs.lock`: every Debian package that reaches a cell, by version and digest.

    # remarks
    suite trixie
    snapshot 20261124T120000Z       when it was made; a snapshot archive is asked for this moment
    archive -                       that archive's address; "-" is none, REXEN_SNAPSHOT is another
    package NAME VERSION ARCHITECTURE SHA256

Packages are sorted, one a line, so the difference of two locks reads well as it is. QEMU and the
base system are packages like all others. recipe/pool.sh reads the same file in the image build.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import BuildError, ConfigError

FILE = "inputs.lock"
NO_ARCHIVE = "-"
ENVIRONMENT = "REXEN_SNAPSHOT"
SUITE = "trixie"
HEADER = """\
# Every Debian package that reaches a cell, directly or through what it is built with.
# './rexen lock' renews this file; the image build takes exactly these, or says what differs.
"""
SHAPES = {
    "suite": re.compile(r"[a-z]+"),
    "snapshot": re.compile(r"\d{8}T\d{6}Z"),
    "archive": re.compile(r"-|[a-z]+:/\S+"),
}
PACKAGE = re.compile(r"package ([a-z0-9][a-z0-9.+-]+) (\S+) ([a-z0-9]+) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package."""

    version: str
    architecture: str
    sha256: str


@dataclass(frozen=True, slots=True)
class InputsLock:
    """The whole file. `archive` is "" for none."""

    suite: str = SUITE
    snapshot: str = ""
    archive: str = ""
    packages: Mapping[str, Locked] = field(default_factory=dict)

    def text(self) -> str:
        """As it stands in the file."""
        lines = [
            f"suite {self.suite}",
            f"snapshot {self.snapshot}",
            f"archive {self.archive or NO_ARCHIVE}",
            *(
                f"package {name} {it.version} {it.architecture} {it.sha256}"
                for name, it in sorted(self.packages.items())
            ),
        ]
        return HEADER + "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class LockDiff:
    """What a renewed lock changes: package to version, and to (old, new) version."""

    added: Mapping[str, str]
    removed: Mapping[str, str]
    changed: Mapping[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def lines(self) -> list[str]:
        """For people, sorted by package."""
        found = {
            **{name: f"+ {name} {version}" for name, version in self.added.items()},
            **{name: f"- {name} {version}" for name, version in self.removed.items()},
            **{name: f"  {name} {old} -> {new}" for name, (old, new) in self.changed.items()},
        }
        return [found[name] for name in sorted(found)]


def load(file: Path) -> InputsLock:
    """Raises ConfigError with the file and the line."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file}: cannot be read: {error}", hint="./rexen lock makes it"
        ) from None
    return parse(text, str(file))


def parse(text: str, where: str) -> InputsLock:
    """Raises ConfigError with `where` and the line's number."""
    head: dict[str, str] = {}
    packages: dict[str, Locked] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        found = PACKAGE.fullmatch(line)
        if found:
            if found[1] in packages:
                raise ConfigError(f"{where}: line {number}: package {found[1]} stands twice")
            packages[found[1]] = Locked(found[2], found[3], found[4])
        elif word in SHAPES and word not in head and SHAPES[word].fullmatch(rest):
            head[word] = rest
        else:
            what = "stands twice" if word in head else f"is not understood: {line[:80]!r}"
            raise ConfigError(f"{where}: line {number}: {what}")
    for word in SHAPES:
        if word not in head:
            raise ConfigError(f"{where}: line '{word} ...' is missing")
    archive = "" if head["archive"] == NO_ARCHIVE else head["archive"]
    return InputsLock(head["suite"], head["snapshot"], archive, packages)


def diff(old: InputsLock, new: InputsLock) -> LockDiff:
    """From one lock to another."""
    both = old.packages.keys() & new.packages.keys()
    return LockDiff(
        added={n: it.version for n, it in new.packages.items() if n not in both},
        removed={n: it.version for n, it in old.packages.items() if n not in both},
        changed={
            name: _versions(old.packages[name], new.packages[name])
            for name in both
            if old.packages[name] != new.packages[name]
        },
    )


def _versions(old: Locked, new: Locked) -> tuple[str, str]:
    """The same version with other bytes must be told apart too."""
    if old.version != new.version:
        return old.version, new.version
    return f"{old.version} {old.sha256[:12]}", f"{new.version} {new.sha256[:12]}"


def archive_of(lock: InputsLock, environment: Mapping[str, str] | None = None) -> str:
    """The address of the snapshot archive, "" for none; REXEN_SNAPSHOT goes before the file."""
    chosen = (os.environ if environment is None else environment).get(ENVIRONMENT, "")
    return chosen or lock.archive


def emptied(old: InputsLock) -> InputsLock:
    """What a renewal builds with: no package is locked, the moment is now."""
    return replace(old, snapshot=datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), packages={})


def filled(empty: InputsLock, inputs: str) -> InputsLock:
    """The new lock, out of what the pool says it took. Raises BuildError."""
    try:
        lock = parse(empty.text() + inputs, "what the pool took")
    except ConfigError as error:
        raise BuildError(error.message) from None
    if not lock.packages:
        raise BuildError("the pool took no package at all")
    return lock
