"""The store: every record and console ever measured, append only.

    <results>/records/<first two digits>/<cell id>.<attempt>.json
    <results>/consoles/<first two digits>/<cell id>.<attempt>.txt
    <results>/counts/<first two digits>/<cell id>.json   what it executes: no record, and replaced
    <results>/.lock                  held, by flock, by the one writer

One file a record, written under another name, synced and renamed: a record is whole or absent,
whatever is killed when. (Lines of one file would need repair after a torn last line, and two
stores could not be merged by copying files.)
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from harness.errors import DiskFullError, HarnessError, StoreError
from harness.model.cell import Coordinates
from harness.model.counts import COUNTS_VERSION, NAMES, CountedSample, Counts, Work
from harness.model.record import (
    SCHEMA_VERSION,
    HostSide,
    Outcome,
    Phase,
    Purpose,
    Record,
    Sample,
    Status,
)

# What a perturbation leaves as it is: all but the command line, which has its seed.
UNPERTURBED_INPUTS = ("record_schema", "testbed", "emulator", "files", "workload", "params")
PHASES = {one.value: one for one in Phase}  # a fifth of the time of `Phase(...)`
RECORD_NAME = re.compile(r"([0-9a-f]{64})\.([0-9]+)\.json")


class Store:
    """Reads at any time; writes only inside `writing()`."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.records_dir = results / "records"
        self.consoles_dir = results / "consoles"
        self.counts_dir = results / "counts"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store's lock. Raises StoreError if another run holds it."""
        try:
            self.results.mkdir(parents=True, exist_ok=True)
            lock = (self.results / ".lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise _os_error(error, f"cannot write to the store {self.results}") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                owner = lock.read().strip() or "another process"
                raise StoreError(
                    f"the store {self.results} is in use by {owner}",
                    hint="wait for it, stop it, or use another store (--results DIR)",
                ) from None
            lock.truncate(0)
            lock.write(f"process {os.getpid()}\n")
            lock.flush()
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what a killed writer left half written."""
        for torn in self.results.glob("*/*/.*.new"):
            torn.unlink(missing_ok=True)

    def console_path(self, cell_id: str, attempt: int) -> Path:
        return self.consoles_dir / cell_id[:2] / f"{cell_id}.{attempt}.txt"

    def record_path(self, cell_id: str, attempt: int) -> Path:
        return self.records_dir / cell_id[:2] / f"{cell_id}.{attempt}.json"

    def counts_path(self, cell_id: str) -> Path:
        return self.counts_dir / cell_id[:2] / f"{cell_id}.json"

    def next_attempt(self, cell_id: str) -> int:
        """One above the highest attempt of this cell, whichever of its two files exists."""
        taken = [
            int(path.name.split(".")[1])
            for folder in (self.records_dir, self.consoles_dir)
            for path in (folder / cell_id[:2]).glob(f"{cell_id}.*")
        ]
        return max(taken, default=0) + 1

    def add(self, record: Record, console: bytes) -> Path:
        """Write console, then record. Refuses to overwrite; raises StoreError, DiskFullError."""
        path = self.record_path(record.cell_id, record.attempt)
        _write_new(self.console_path(record.cell_id, record.attempt), console)
        _write_new(path, (json.dumps(asdict(record), indent=1, sort_keys=True) + "\n").encode())
        return path

    def find(self, prefix: str) -> list[str]:
        """The ids of all cells with a record that begin like this, in order."""
        names = {path.name.split(".")[0] for path in self.records_dir.glob(f"*/{prefix}*.json")}
        return sorted(name for name in names if name.startswith(prefix))

    def attempts(self, cell_id: str) -> list[Record]:
        """All records of one cell, oldest first."""
        folder = self.records_dir / cell_id[:2]
        return [read_record(path) for path in _in_order(folder.glob(f"{cell_id}.*.json"))]

    def measured(self, cell_id: str) -> Record | None:
        """The record that represents a cell: the first good one, else the latest failure."""
        return representative(self.attempts(cell_id))

    def all_records(self) -> Iterator[Record]:
        """Every record, in a fixed order."""
        for path in _in_order(self.records_dir.glob("*/*.json")):
            yield read_record(path)

    def console(self, record: Record) -> bytes:
        path = self.console_path(record.cell_id, record.attempt)
        try:
            return path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}") from None

    def console_end(self, record: Record, most: int) -> bytes:
        """The last bytes of it; none where it was not kept with the record."""
        try:
            with self.console_path(record.cell_id, record.attempt).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - most, 0))
                return file.read(most)
        except OSError:
            return b""

    def keep_counts(self, counts: Counts) -> None:
        """In place of the cell's earlier ones. Raises StoreError, DiskFullError."""
        text = json.dumps(asdict(counts), indent=1, sort_keys=True) + "\n"
        write_whole(self.counts_path(counts.cell_id), text.encode())

    def counts(self, cell_id: str) -> Counts | None:
        """What was counted of a cell. Raises StoreError if that is damaged."""
        path = self.counts_path(cell_id)
        return read_counts(path) if path.exists() else None


def representative(attempts: Sequence[Record]) -> Record | None:
    """The attempt that stands for its cell: the first good one, else the last measured one."""
    good = [record for record in attempts if record.ok]
    tried = [record for record in attempts if record.purpose is Purpose.MEASURE]
    return good[0] if good else tried[-1] if tried else None


def newest_cells(records: Iterable[Record]) -> dict[Coordinates, list[Record]]:
    """By place in the matrix: all attempts of the cell measured last, so that an older image's
    numbers never stand beside a newer one's. For the same reason without the perturbations of a
    cell that were measured from other inputs than the cell itself."""
    by_cell: dict[str, list[Record]] = {}
    for record in records:
        by_cell.setdefault(record.cell_id, []).append(record)
    ordered = sorted(by_cell.values(), key=_measured_at)
    newest = {one[0].at: one for one in ordered}
    return {at: one for at, one in newest.items() if not _is_stale(at, newest)}


def _is_stale(at: Coordinates, newest: Mapping[Coordinates, Sequence[Record]]) -> bool:
    """Whether this is a perturbation of a cell that has been measured anew since."""
    original = newest.get(replace(at, point=at.point.unperturbed), newest[at])
    one, other = (attempts[0].inputs for attempts in (original, newest[at]))
    return any(one.get(key) != other.get(key) for key in UNPERTURBED_INPUTS)


def _measured_at(attempts: Sequence[Record]) -> tuple[str, str]:
    chosen = representative(attempts) or attempts[-1]
    return chosen.host.started_at, chosen.cell_id


def read_record(path: Path) -> Record:
    """One record file. Raises StoreError if it is cut short or of an unknown version."""
    hint = "move it away to measure its cell again; everything else is still readable"
    data = _loaded(path, "record", hint)
    return _parsed(data, str(path), hint)


def _loaded(path: Path, what: str, hint: str) -> object:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise StoreError(f"{path}: {what} is cut short or not JSON", hint=hint) from None


def _parsed(data: Any, where: str, hint: str) -> Record:  # noqa: ANN401  (JSON, not yet checked)
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{where}: record of format {version!r}, this harness reads {SCHEMA_VERSION}", hint=hint
        )
    try:
        return _record(data)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{where}: record is damaged: {error!r}", hint=hint) from None


def _record(data: Mapping[str, Any]) -> Record:
    fields = dict(data)
    outcome = dict(fields["outcome"])
    outcome["status"] = Status(outcome["status"])
    outcome["samples"] = tuple(
        Sample(**sample | {"phase": PHASES[sample["phase"]]}) for sample in outcome["samples"]
    )
    fields["outcome"] = Outcome(**outcome)
    fields["host"] = HostSide(**fields["host"])
    fields["purpose"] = Purpose(fields["purpose"])
    return Record(**fields)


def read_counts(path: Path) -> Counts:
    """One file of counts. Raises StoreError."""
    hint = "remove it, count again"
    data: Any = _loaded(path, "counts", hint)
    try:
        if data["version"] != COUNTS_VERSION:
            raise ValueError(f"version {data['version']}")
        samples = tuple(
            CountedSample(it["metric"], Phase(it["phase"]), it["count"], _work(it["work"]))
            for it in data["samples"]
        )
        return Counts(**{**data, "clock": _work(data["clock"]), "samples": samples})
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: counts are damaged: {error!r}", hint=hint) from None


def _work(data: Mapping[str, Any]) -> Work:
    return Work(int(data["sections"]), {name: int(data["counted"][name]) for name in NAMES})


def write_reference(path: Path, records: Iterable[Record]) -> None:
    """The representative record of each cell measured last, as one JSON list with a record a
    line, so that two references can be read as a diff. Nothing of the host or of the moment is
    kept: the same results give the same bytes anywhere."""
    newest = newest_cells(records)
    chosen = [found for at in sorted(newest, key=_spelled) if (found := representative(newest[at]))]
    lines = [
        json.dumps(asdict(_timeless(one)), sort_keys=True, separators=(",", ":")) for one in chosen
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(error, path) from None


def read_reference(path: Path) -> list[Record]:
    """The records of a reference file. Raises StoreError, also for another version."""
    hint = "make it anew from the records of a run"
    data = _loaded(path, "reference", hint)
    if not isinstance(data, list):
        raise StoreError(f"{path}: no list of records", hint=hint)
    return [_parsed(one, f"{path}, record {at}", hint) for at, one in enumerate(data, start=1)]


def _spelled(at: Coordinates) -> tuple[object, ...]:
    return at.workload, at.system, at.profile, at.point


def _timeless(record: Record) -> Record:
    host = HostSide(started_at="", boot_wall_s=0.0, total_wall_s=0.0, machine_wall_s=0.0, host={})
    return replace(record, attempt=1, purpose=Purpose.MEASURE, host=host)


def _in_order(paths: Iterator[Path]) -> list[Path]:
    """By cell, then by attempt as a number."""
    named = [(match, path) for path in paths if (match := RECORD_NAME.fullmatch(path.name))]
    return [path for _, path in sorted(named, key=lambda it: (it[0][1], int(it[0][2])))]


def _write_new(path: Path, content: bytes) -> None:
    """Never over an existing file."""
    if path.exists():
        raise StoreError(f"{path}: exists already; records are never overwritten")
    write_whole(path, content)


def write_whole(path: Path, content: bytes) -> None:
    """A file, whole or not at all. Raises StoreError, DiskFullError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError as error:
        raise cannot_write(error, path) from None


def cannot_write(error: OSError, path: Path) -> HarnessError:
    """What to raise for a file that could not be written."""
    return _os_error(error, f"cannot write {path}")


def _os_error(error: OSError, what: str) -> HarnessError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            f"{what}: no space left", hint="free some and run again; what was measured is kept"
        )
    return StoreError(f"{what}: {error.strerror}")
