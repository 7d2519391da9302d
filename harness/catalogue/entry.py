"""What every catalogue entry has in common: a name that is its directory's, and being chosen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from harness.catalogue.table import Table
from harness.errors import ConfigError, UsageError

T = TypeVar("T")
NAME = re.compile(r"[a-z][a-z0-9-]*")


def by_id(entries: list[tuple[Path, T]]) -> dict[str, T]:
    """Entries by their id. Raises ConfigError if two files claim one."""
    found: dict[str, T] = {}
    taken: dict[str, Path] = {}
    for file, entry in entries:
        name = str(getattr(entry, "id", ""))
        if name in found:
            raise ConfigError(f"{file}: key 'id': '{name}' is the name of {taken[name]} already")
        found[name], taken[name] = entry, file
    return found


def entry_name(top: Table, key: str) -> str:
    """The entry's own name, which its directory must bear too. Raises ConfigError."""
    name = top.text(key)
    if not NAME.fullmatch(name):
        raise top.wrong(key, f"{name!r} is no name (a-z, 0-9, -)")
    if top.file.parent.name not in (name, "hypervisor"):
        raise top.wrong(key, f"is {name!r} but its directory is {top.file.parent.name!r}")
    return name


def choose(what: str, known: Mapping[str, T], asked: Iterable[str]) -> list[T]:
    """The named entries, in catalogue order; all of them if none is named.

    Raises UsageError for an unknown name, with the nearest known one.
    """
    wanted = set(asked)
    for name in sorted(wanted):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"unknown {what} '{name}'", hint=hint)
    return [entry for name, entry in known.items() if not wanted or name in wanted]
