"""The plugin's lines -> counts. Pure.

clock sections <n> <name> <number>...     empty timed sections
sample sections <n> <name> <number>...    one for each sample line of the console, in order; 0
                                          sections: it was not timed, and there is nothing to count
error <what it could not do>
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.errors import CountingError
from harness.model.cell import Cell
from harness.model.counts import COUNTS_VERSION, EVENTS, CountedSample, Counts, Work
from harness.model.record import Sample

# What the plugin counts. In ring 0 is the kernel, or below a paravirtual one the hypervisor.
RAW = ("ring0", "user", "kernel", "beside_user", "beside_kernel", *EVENTS)
Raw = Mapping[str, int]


def counts_of(cell: Cell, text: str, samples: Sequence[Sample]) -> Counts:
    """Join what the plugin wrote with the samples of the console. Raises CountingError."""
    found: dict[str, list[Raw]] = {"clock": [], "sample": []}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "error":
            raise CountingError(f"counting failed: {rest}")
        try:
            found[word].append(_numbers(rest.split()))
        except (ValueError, KeyError) as error:
            raise CountingError(f"the plugin wrote {line!r}: {error!r}") from None
    clocks, counted = found["clock"], found["sample"]
    if not clocks or not counted:
        raise CountingError(
            f"{cell.at} marks no timed sections",
            hint="they are seen in programs of workloads/lib/bench.h, on processors not translated",
        )
    if len(counted) != len(samples):
        raise CountingError(f"{cell.at}: {len(counted)} samples counted, {len(samples)} printed")
    paravirtual = any(raw["kernel"] for raw in counted)
    return Counts(
        version=COUNTS_VERSION,
        cell_id=cell.id,
        system=cell.at.system,
        workload=cell.at.workload,
        profile=cell.at.profile,
        point=dict(cell.at.point.values),
        # A tick may fall into some of the empty sections, not into all.
        clock=min((_work(raw, paravirtual) for raw in clocks), key=lambda it: it.instructions),
        samples=tuple(
            CountedSample(sample.metric, sample.phase, sample.count, _work(raw, paravirtual))
            for sample, raw in zip(samples, counted, strict=True)
            if raw["sections"]
        ),
    )


def _numbers(words: Sequence[str]) -> Raw:
    """Raises ValueError or KeyError if the line is malformed."""
    found = {name: int(it) for name, it in zip(words[::2], words[1::2], strict=True)}
    return {name: found[name] for name in ("sections", *RAW)}


def _work(raw: Raw, paravirtual: bool) -> Work:
    counted = {
        "user": raw["user"],
        "kernel": raw["kernel"] if paravirtual else raw["ring0"],
        "hypervisor": raw["ring0"] if paravirtual else 0,
        "beside": raw["beside_user"] + raw["beside_kernel"],
    }
    return Work(raw["sections"], counted | {name: raw[name] for name in EVENTS})
