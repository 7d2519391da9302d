"""A TOML table that is read strictly: every error names the file and the key.

Every reader of TOML stands on this: systems, workloads, experiments and claims.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from harness.errors import ConfigError

T = TypeVar("T")
KINDS: Mapping[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "a table",
}


class Table:
    """One TOML table that remembers where it stands and which keys were asked for."""

    def __init__(self, file: Path, data: Mapping[str, object], prefix: str = "") -> None:
        self.file = file
        self.data = data
        self.prefix = prefix
        self.asked: set[str] = set()

    @classmethod
    def load(cls, file: Path) -> Table:
        try:
            return cls(file, tomllib.loads(file.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: not valid TOML: {error}") from None

    def wrong(self, key: str, what: str) -> ConfigError:
        return ConfigError(f"{self.file}: key '{self.prefix}{key}': {what}")

    def _get(self, key: str, kind: type[T], default: T | None) -> T:
        self.asked.add(key)
        value = self.data.get(key, default)
        if value is None:
            raise self._missing(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, f"must be {KINDS[kind]}, not {value!r}")
        return value

    def _missing(self, key: str) -> ConfigError:
        near = difflib.get_close_matches(key, set(self.data) - self.asked, n=1)
        return self.wrong(key, f"is missing{f', is {near[0]!r} meant for it?' if near else ''}")

    def text(self, key: str, default: str | None = None) -> str:
        return self._get(key, str, default)

    def texts(self, key: str) -> list[str]:
        """A list of strings; an absent key is an empty list."""
        entries: list[object] = self._get(key, list, [])
        if not all(isinstance(entry, str) for entry in entries):
            raise self.wrong(key, f"must be a list of strings, not {entries!r}")
        return [str(entry) for entry in entries]

    def whole(self, key: str, default: int | None = None, least: int = 1) -> int:
        value = self._get(key, int, default)
        if value < least:
            raise self.wrong(key, f"must be at least {least}, not {value}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        self.asked.add(key)
        value = self.data.get(key, default)
        if value is None:
            raise self._missing(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise self.wrong(key, f"must be a number above 0, not {value!r}")
        return float(value)

    def flag(self, key: str) -> bool:
        """true or false; an absent key is false."""
        return self._get(key, bool, False)

    def wholes(self, key: str, least: int = 1) -> list[int]:
        """A list of whole numbers, at least one."""
        entries: list[object] = self._get(key, list, [])
        found = [one for one in entries if isinstance(one, int) and not isinstance(one, bool)]
        if not entries or len(found) != len(entries) or min(found) < least:
            what = f"must be a list of whole numbers of at least {least}, not {entries!r}"
            raise self.wrong(key, what)
        return found

    def choice(self, key: str, among: Iterable[str], default: str | None = None) -> str:
        value, names = self.text(key, default), list(among)
        if value not in names:
            raise self.wrong(key, f"must be one of {', '.join(names)}, not {value!r}")
        return value

    def table(self, key: str, *, optional: bool = False) -> Table:
        empty: dict[str, object] | None = {} if optional else None
        return Table(self.file, self._get(key, dict, empty), f"{self.prefix}{key}.")

    def tables(self, key: str) -> list[Table]:
        """A list of tables; an absent key is an empty list."""
        entries: list[object] = self._get(key, list, [])
        found = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, dict):
                raise self.wrong(f"{key}[{index}]", f"must be a table, not {entry!r}")
            found.append(Table(self.file, entry, f"{self.prefix}{key}[{index}]."))
        return found

    def subtables(self) -> Iterator[tuple[str, Table]]:
        """Every key of this table, each of which must hold a table."""
        for key in self.data:
            yield key, self.table(key)

    def done(self) -> None:
        """Refuse keys that nobody asked for: mostly they are misspelled."""
        for key in self.data:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, n=1)
                raise self.wrong(key, f"is unknown{f', did you mean {near[0]!r}' if near else ''}")
