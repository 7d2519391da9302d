"""A store of thousands of records, to see how long a verb takes on it:

    python -m harness.tests.many DIR COUNT [MOVED]

The reference results and as many perturbations of them as it takes, so the real catalogue reads
it. The perturbations' numbers are made up; nothing here was measured. With MOVED every seventh
cell has another input, and takes so many times as long (1.01, say).
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

from harness.model.record import HostSide, Record
from harness.paths import Paths, checkout_root
from harness.store import Store, read_reference

# Every seventh cell is moved; a perturbation moves a time by up to this part of it.
MOVED_EVERY = 7
WIDEST = 0.004


def many(records: Sequence[Record], *, moved: float = 1.0) -> Iterator[Record]:
    """Without end: the unperturbed records, then the first perturbation of each, and so on."""
    cells = [one for one in records if not one.at.point.perturb]
    for seed in count():
        for place, one in enumerate(cells):
            changed = _perturbed(one, seed)
            if moved != 1.0 and place % MOVED_EVERY == 0:
                changed = _moved(changed, moved)
            yield changed


def _digest(*words: object) -> str:
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


def _perturbed(one: Record, seed: int) -> Record:
    """As a run would have written it; seed 0 leaves all numbers as they are."""
    # In [-1, 1], and the same for the same cell and seed.
    part = int(_digest(one.cell_id, seed)[:8], 16) / 0x7FFFFFFF - 1
    factor = 1 + WIDEST * part if seed else 1.0
    place = one.at.point.perturbed(seed)
    host = HostSide(
        started_at=f"2003-10-19T12:{seed % 60:02d}:00+00:00",
        boot_wall_s=3.0,
        total_wall_s=9.5,
        machine_wall_s=9.0,
        host={"cores": "2"},
    )
    return replace(
        _slower(one, factor),
        cell_id=_digest(one.cell_id, seed) if seed else one.cell_id,
        point=dict(place.values),
        host=host,
    )


def _moved(one: Record, factor: float) -> Record:
    files = one.inputs.get("files")
    assert isinstance(files, dict)
    own = sorted(files)[-1]
    inputs = {**one.inputs, "files": {**files, own: _digest(files[own], "moved")}}
    return replace(_slower(one, factor), cell_id=_digest(one.cell_id, "moved"), inputs=inputs)


def _slower(one: Record, factor: float) -> Record:
    samples = tuple(replace(it, total_ns=round(it.total_ns * factor)) for it in one.outcome.samples)
    return replace(one, outcome=replace(one.outcome, samples=samples))


def main(arguments: Sequence[str]) -> None:
    folder, wanted, *moved = arguments
    records = read_reference(Paths.of(checkout_root()).reference("quick"))
    store = Store(Path(folder))
    made = many(records, moved=float(moved[0]) if moved else 1.0)
    for one in islice(made, int(wanted)):
        store.add(one, b"made up\n")


if __name__ == "__main__":
    main(sys.argv[1:])
