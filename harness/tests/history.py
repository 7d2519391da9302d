"""Nights that never were: a ledger's history for tests, the same at every call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from harness.model.unit import Better
from harness.tracking.night import CellState, ClaimState, Counts, Night, Number, Source

SYSTEMS = ("native", "rexen", "xen", "uml")
METRICS = (
    ("lmbench-process", "null_call", "µs", Better.LOWER),
    ("lmbench-process", "fork", "µs", Better.LOWER),
    ("osdb", "ir", "tuples/s", Better.HIGHER),
    ("dbench", "throughput", "MB/s", Better.HIGHER),
    ("spec-web", "clients", "connections", Better.HIGHER),
)
FIRST = date(2026, 1, 1)
LOCK = """\
# made up
suite trixie
snapshot 20260101T000000Z
archive -
package linux-image 6.12.{build} amd64 {digest}
"""


def digest(*words: object) -> str:
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


def a_night(
    day: int = 0,
    *,
    profile: str = "quick",
    ours: int = 1,
    kernel: int = 1,
    metrics: int = len(METRICS),
    systems: Sequence[str] = SYSTEMS,
) -> Night:
    """The night `day` days after the first. `ours` and `kernel` are versions of our hypervisor and
    of the locked kernel: no value depends on them until `moved`, the inputs of cells do. With more
    `metrics` than there are, points `block=1`, `block=2` ... make up the rest."""
    artefacts = {
        "kernel/vmlinux": digest("kernel", kernel),
        "hypervisor/rexen": digest("hypervisor", ours),
        "root/base.cpio": digest("root"),
    }
    numbers, cells = [], {}
    for place, system in enumerate(systems):
        for at in range(metrics):
            workload, metric, unit, direction = METRICS[at % len(METRICS)]
            point = f"block={at // len(METRICS)}" if at >= len(METRICS) else ""
            cell = _cell(system, workload, point, artefacts)
            cells[cell.id] = cell
            value = 1.0 + 3 * place + 0.37 * at
            numbers.append(
                Number(system, workload, metric, point, unit, direction, value, 0.0, cell.id)
            )
    lock_text = LOCK.format(build=kernel, digest=digest("package", kernel))
    return Night(
        date=(FIRST + timedelta(days=day)).isoformat(),
        profile=profile,
        source=Source(
            commit=digest("commit", ours)[:40],
            subject=f"hypervisor: version {ours}",
            image=f"localhost/rexen-bench:{digest('image', ours, kernel)[:16]}",
            emulator="QEMU 10.0 abcd",
            artefacts=artefacts,
            lock=hashlib.sha256(lock_text.encode()).hexdigest(),
        ),
        counts=Counts(cells=len(cells), run=0, failed=0, changed=0),
        numbers=tuple(sorted(numbers, key=lambda it: it.place)),
        claims=tuple(ClaimState("P1", one, "reproduced", "") for one in systems if one != "native"),
        cells=tuple(sorted(cells.values(), key=lambda it: (it.system, it.workload, it.point))),
        lock_text=lock_text,
        summary="Nothing changed.\n",
    )


def _cell(system: str, workload: str, point: str, artefacts: dict[str, str]) -> CellState:
    """Only `rexen` boots the hypervisor; all boot the kernel."""
    names = [one for one in artefacts if system == "rexen" or not one.startswith("hypervisor/")]
    inputs = {f"file {name}": artefacts[name] for name in names} | {"workload": workload}
    return CellState(digest(system, point, inputs), system, workload, point, "ok", inputs)


def moved(night: Night, system: str, metric: str, factor: float) -> Night:
    """With one number (at every point) times `factor`."""
    numbers = tuple(
        replace(one, value=one.value * factor)
        if (one.system, one.metric) == (system, metric)
        else one
        for one in night.numbers
    )
    return replace(night, numbers=numbers)


def history(days: int, *, profile: str = "quick", metrics: int = len(METRICS)) -> Iterator[Night]:
    """Every 30 days our hypervisor has a new version, which makes `fork` 2 % faster; every 7
    days the kernel is a new one, which makes `null_call` 0.5 % slower everywhere; else nothing."""
    was: Night | None = None
    for day in range(days):
        ours, kernel = 1 + day // 30, 1 + day // 7
        night = a_night(day, profile=profile, ours=ours, kernel=kernel, metrics=metrics)
        night = moved(night, "rexen", "fork", 0.98 ** (ours - 1))
        for system in SYSTEMS:
            night = moved(night, system, "null_call", 1.005 ** (kernel - 1))
        old = was.by_place if was else night.by_place
        changed = sum(one.value != old[one.place].value for one in night.numbers)
        yield replace(night, counts=replace(night.counts, changed=changed))
        was = night
