"""TOML files -> systems and workloads. Every error names the file and the key.

A catalogue entry is a directory with a `system.toml` or `workload.toml` in it. Systems are the
directories of `baselines/`, and `hypervisor/`; nothing here knows any of them by name.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from harness.errors import ConfigError, UsageError
from harness.model.system import Boot, BootModule, Guest, Limits, MachineOptions, System
from harness.model.workload import Better, Metric, MetricKind, PaperRow, Workload
from harness.paths import Paths

T = TypeVar("T")
NAME = re.compile(r"[a-z][a-z0-9-]*")


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
            raise self.wrong(key, "is missing")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, f"must be a {kind.__name__}, not {value!r}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        return self._get(key, str, default)

    def whole(self, key: str, default: int | None = None, least: int = 1) -> int:
        value = self._get(key, int, default)
        if value < least:
            raise self.wrong(key, f"must be at least {least}, not {value}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        self.asked.add(key)
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise self.wrong(key, f"must be a number above 0, not {value!r}")
        return float(value)

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


def load_systems(paths: Paths) -> dict[str, System]:
    """Every system, in the order the report shows them."""
    files = sorted(paths.baselines.glob("*/system.toml"))
    own = paths.hypervisor / "system.toml"
    if own.exists():
        files.append(own)
    systems = [read_system(file) for file in files]
    return _by_id(sorted(systems, key=lambda system: system.order), files)


def load_workloads(paths: Paths) -> dict[str, Workload]:
    """Every workload, by directory name."""
    files = sorted(paths.workloads.glob("*/workload.toml"))
    return _by_id([read_workload(file) for file in files], files)


def _by_id(entries: list[T], files: list[Path]) -> dict[str, T]:
    found: dict[str, T] = {}
    for entry in entries:
        name = str(getattr(entry, "id", ""))
        if name in found:
            raise ConfigError(
                f"two catalogue entries are called '{name}': {files[0].parent.parent}"
            )
        found[name] = entry
    return found


def read_system(file: Path) -> System:
    """One `system.toml`. Raises ConfigError."""
    top = Table.load(file)
    boot, guest = top.table("boot"), top.table("guest")
    machine, limits = top.table("machine", optional=True), top.table("deadline")
    modules = []
    for entry in boot.tables("modules"):
        modules.append(BootModule(file=entry.text("file"), args=entry.text("args", "")))
        entry.done()
    color = top.text("color")
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise top.wrong("color", f"must be like '#1f77b4', not {color!r}")
    system = System(
        id=_name(top, "id"),
        title=top.text("title"),
        summary=top.text("summary"),
        order=top.whole("order", least=0),
        stands_for=top.choice("stands_for", ["L-UP", "L-SMP", "Xen", "VMW", "UML", ""], ""),
        color=color,
        machine=MachineOptions(
            cpu=machine.text("cpu", "qemu64"), memory_mib=machine.whole("memory_mib", 512)
        ),
        boot=Boot(
            kernel=boot.text("kernel"),
            append=boot.text("append", ""),
            initrd=boot.text("initrd", ""),
            modules=tuple(modules),
        ),
        guest=Guest(
            memory_mib=guest.whole("memory_mib"),
            kernel=guest.text("kernel"),
            divide=guest.whole("divide", 1),
        ),
        limits=Limits(virtual_s=limits.number("virtual_s"), wall_s=limits.number("wall_s")),
        caveat=top.text("caveat", ""),
    )
    if boot.data.get("initrd") and modules:
        raise boot.wrong("initrd", "cannot stand beside boot.modules: QEMU has one -initrd")
    words = system.boot.append + "".join(module.args for module in modules)
    if words.count("{run}") != 1:
        raise boot.wrong("append", "'{run}' must stand exactly once, here or in a module's args")
    for table in (top, boot, guest, machine, limits):
        table.done()
    return system


def read_workload(file: Path) -> Workload:
    """One `workload.toml`. Raises ConfigError."""
    top = Table.load(file)
    metrics = []
    for metric_id, entry in top.table("metrics").subtables():
        metrics.append(_metric(metric_id, entry))
    profiles: dict[str, dict[str, int]] = {}
    for profile, entry in top.table("profiles").subtables():
        profiles[profile] = {key: entry.whole(key) for key in entry.data}
    for needed in ("quick", "full"):
        if needed not in profiles:
            raise top.wrong(f"profiles.{needed}", "is missing")
    workload = Workload(
        id=_name(top, "id"),
        title=top.text("title"),
        summary=top.text("summary"),
        metrics=tuple(metrics),
        profiles=profiles,
    )
    if not metrics:
        raise top.wrong("metrics", "declares no metric")
    top.done()
    return workload


def _metric(metric_id: str, entry: Table) -> Metric:
    if not re.fullmatch(r"[a-z0-9_]+", metric_id):
        raise entry.wrong("", f"{metric_id!r} is no metric name (a-z, 0-9, _)")
    paper = None
    if "paper" in entry.data:
        place = entry.table("paper")
        paper = PaperRow(table=place.whole("table"), row=place.text("row"))
        place.done()
    metric = Metric(
        id=metric_id,
        title=entry.text("title"),
        kind=MetricKind(entry.choice("kind", [kind.value for kind in MetricKind])),
        unit=entry.choice("unit", ["ns", "us", "ms", "MB/s"]),
        better=Better(entry.choice("better", [better.value for better in Better])),
        paper=paper,
    )
    entry.done()
    return metric


def _name(top: Table, key: str) -> str:
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
