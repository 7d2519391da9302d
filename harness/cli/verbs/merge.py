"""rexen merge: put what other stores have measured into one, as the shards of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, StoreError, UsageError
from harness.model.record import Record
from harness.store import Store, representative


def add(verbs: Verbs) -> None:
    parser = verbs.add("merge", merge, "put what other stores have measured into one store")
    parser.add_argument("into", type=Path, metavar="INTO", help="the store that gets it all")
    parser.add_argument("sources", type=Path, nargs="+", metavar="FROM", help="stores, left as is")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record of another store."""

    source: Store
    record: Record


def merge(context: Context, *, into: Path, sources: list[Path]) -> ExitCode:
    """DIFFERENT if a cell has other results here and there; both are kept. All is read before the
    first is written, so a damaged store changes nothing."""
    stores = [_store(path, into) for path in sources]
    target = Store(into.resolve())
    arrivals = [Arrival(it, record) for it in stores for record in it.all_records()]
    counts = [counted for it in stores for counted in it.all_counts()]
    with target.writing():
        added = [it for it in arrivals if _take(target, it)]
        for one in counts:
            if target.counts(one.cell_id) is None:
                target.keep_counts(one)
        different = list(_differences(target, {it.record.cell_id for it in arrivals}))
        different += [
            f"{one.cell_id[:12]}: other counts in {into}, which are kept"
            for one in counts
            if target.counts(one.cell_id) != one
        ]
    if context.json:
        emit({"records": len(arrivals), "added": len(added), "different": different})
    else:
        for line in different:
            print(line)
        print(f"{len(added)} of {len(arrivals)} records are new in {into}")
    return ExitCode.DIFFERENT if different else ExitCode.OK


def _store(path: Path, into: Path) -> Store:
    """Raises StoreError if there is none, UsageError if it is the one that gets all."""
    store = Store(path.resolve())
    if store.results == into.resolve():
        raise UsageError(f"{path} is INTO and FROM at once")
    if not store.records_dir.is_dir():
        raise StoreError(f"{path} is no store: it has no records/", hint="rexen run makes one")
    return store


def _take(target: Store, arrival: Arrival) -> bool:
    """Keep a record under the next attempt number, unless it is there already."""
    record = arrival.record
    there = target.attempts(record.cell_id)
    if any(replace(one, attempt=record.attempt) == record for one in there):
        return False
    console = arrival.source.console(record)
    target.add(replace(record, attempt=target.next_attempt(record.cell_id)), console)
    return True


def _differences(store: Store, cell_ids: set[str]) -> Iterator[str]:
    """A line for every good record that is not the bits of its cell's first good one."""
    from harness.analysis.compare import first_difference

    for cell_id in sorted(cell_ids):
        attempts = store.attempts(cell_id)
        first = representative(attempts)
        if first is None or not first.ok:
            continue
        for other in attempts:
            if other.ok and other.outcome != first.outcome:
                consoles = store.console(first), store.console(other)
                where = first_difference(first.outcome, other.outcome, consoles)
                yield (
                    f"{first.at} ({cell_id[:12]}) differs between attempts {first.attempt} and "
                    f"{other.attempt}: {where}"
                )
