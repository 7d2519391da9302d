"""Counts: the plugin's lines, what an operation of a metric comes to, and the verb."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.instructions import Operation, operations
from harness.catalogue.systems import read_system
from harness.catalogue.workloads import load_workloads
from harness.errors import ConfigError, CountingError, ExitCode, StoreError
from harness.measure.counting.output import RAW, counts_of
from harness.measure.counting.run import plugin_argv
from harness.model.cell import Cell, CellInputs, Coordinates, Run
from harness.model.counts import NAMES, Counts
from harness.model.limits import Limits
from harness.model.record import Phase, Sample
from harness.model.system import OwnerTable
from harness.paths import Paths, checkout_root
from harness.store import Store
from harness.tests.builders import a_system, a_workload
from harness.tests.world import CELL, PANIC, Script, WorldEngine, console_of

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]

SAMPLES = (
    Sample("null_call", Phase.WARM, 0, 1, 10, 0),
    Sample("null_call", Phase.RUN, 1, 4, 40, 0),
    Sample("null_call", Phase.RUN, 2, 4, 44, 0),
)


def raw(word: str, sections: int, **counted: int) -> str:
    """A line as the plugin writes it; what is not named is 0."""
    numbers = {name: 0 for name in RAW} | counted
    return f"{word} sections {sections} " + " ".join(f"{k} {v}" for k, v in numbers.items())


CLOCKS = [raw("clock", 100, user=14_900, ring0=700), raw("clock", 100, user=14_800)]
NATIVE = [
    *CLOCKS,
    raw("sample", 1, user=9999, ring0=9999),
    raw("sample", 2, user=396, ring0=400, syscalls=4),
    raw("sample", 2, user=396, ring0=440, syscalls=4),
]


def a_cell(system: str = "native") -> Cell:
    limits = Limits(virtual_s=1, wall_s=1)
    inputs = CellInputs(2, "pc", "QEMU", (), {}, "demo", {})
    run = Run(memory_mib=1, boot=limits, total=limits, metrics=("null_call",))
    return Cell.of(at=Coordinates(system, "demo", "quick"), run=run, inputs=inputs)


def counted(lines: list[str], system: str = "native") -> Counts:
    return counts_of(a_cell(system), "".join(f"{line}\n" for line in lines), SAMPLES)


def paravirtual(*, kernel: int, ring0: int, beside: int = 0) -> list[str]:
    one = raw("sample", 2, user=396, kernel=kernel, ring0=ring0, beside_kernel=beside)
    return [*CLOCKS, one, one, one]


def test_ring_0_is_the_kernel_of_a_machine_of_its_own() -> None:
    found = counted(NATIVE).samples[1].work
    assert found.sections == 2
    assert (found.counted["user"], found.counted["kernel"]) == (396, 400)
    assert found.counted["hypervisor"] == found.counted["beside"] == 0
    assert found.counted["syscalls"] == 4 and found.instructions == 796


def test_ring_0_is_the_hypervisor_below_a_paravirtual_kernel() -> None:
    work = counted(paravirtual(kernel=500, ring0=80, beside=7)).samples[0].work
    assert [work.counted[name] for name in ("kernel", "hypervisor", "beside")] == [500, 80, 7]
    assert work.instructions == 396 + 500 + 80 + 7


def test_the_least_of_the_empty_sections_counts() -> None:
    assert counted(NATIVE).clock.instructions == 14_800


def test_a_number_that_was_not_timed_has_no_counts() -> None:
    """A share, say, that the program works out itself: its line holds the place of its sample."""
    lines = [*NATIVE[:3], raw("sample", 0), NATIVE[4]]
    assert [it.work.sections for it in counted(lines).samples] == [1, 2]
    assert [it.count for it in counted(lines).samples] == [1, 4]
    untimed = [*NATIVE[:3], raw("sample", 0), raw("sample", 0)]
    assert compared(counted(untimed)) == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "marks no timed sections"),
        (CLOCKS, "marks no timed sections"),
        (NATIVE[:-1], "2 samples counted, 3 printed"),
        ([*NATIVE, NATIVE[-1]], "4 samples counted, 3 printed"),
        ([*NATIVE, "error more owners of pages than there is room for"], "more owners of pages"),
        ([*CLOCKS, "sample sections 1 user x"], "the plugin wrote 'sample sections 1 user x'"),
        ([*CLOCKS, "sample sections 1 user"], "the plugin wrote 'sample sections 1 user'"),
        ([*CLOCKS, "sample sections 1 user 5"], "KeyError('ring0')"),
        ([raw("what", 1)], "KeyError('what')"),
    ],
)
def test_what_cannot_be_counted_is_said(lines: list[str], words: str) -> None:
    with pytest.raises(CountingError) as raised:
        counted(lines)
    assert words in raised.value.message


def test_an_operation_is_the_mean_of_the_runs_without_the_clock() -> None:
    (one,) = compared(counted(NATIVE))
    # Two sections of 148 a run; eight operations in all, the warm-up left out.
    assert one.counted["user"] == pytest.approx((2 * 396 - 4 * 148) / 8)
    assert one.counted["kernel"] == pytest.approx(840 / 8)
    assert one.counted["syscalls"] == 1
    assert one.per == "operation" and one.over_base is None and one.share is None


def compared(*counts: Counts) -> list[Operation]:
    systems = {
        name: replace(a_system(name), stands_for=stands_for, order=order, reference=reference)
        for order, (name, stands_for, reference) in enumerate(
            [("native", "L-UP", ""), ("ours", "Xen", "other"), ("other", "Xen", "")]
        )
    }
    return operations(counts, systems=systems, workloads={"demo": a_workload()})


def test_shares_are_of_the_whole_and_of_what_is_added() -> None:
    native = [*CLOCKS, *[raw("sample", 2, user=296, ring0=800)] * 3]
    ours = paravirtual(kernel=1000, ring0=100)
    other = paravirtual(kernel=1000, ring0=1000, beside=1000)
    base, mine, reference = compared(
        *(counted(*it) for it in ((other, "other"), (native, "native"), (ours, "ours")))
    )
    assert [base.system, mine.system, reference.system] == ["native", "ours", "other"]
    assert base.instructions == 200 and mine.instructions == 300 and reference.instructions == 775
    assert (mine.over_base, reference.over_base) == (100, 575)
    assert mine.share == pytest.approx(300 / 775)
    assert mine.share_of_overhead == pytest.approx(100 / 575)
    assert reference.share is None


def test_without_the_others_there_is_nothing_to_compare_with() -> None:
    (mine,) = compared(counted(paravirtual(kernel=1000, ring0=100), "ours"))
    assert mine.over_base is mine.share is mine.share_of_overhead is None


def test_bytes_are_counted_by_the_packet() -> None:
    units = {
        metric.id: metric.unit.bytes
        for name in ("ttcp", "network", "disk")
        for metric in load_workloads(Paths.of(checkout_root()))[name].metrics
    }
    assert units["transmit"] and units["stream_right"] and units["read_random_64k"]
    assert not (units["packets"] or units["read_random_4k"] or units["requests_8"])


def test_owners_are_named_to_the_plugin() -> None:
    assert plugin_argv(None) == ["-plugin", "/opt/rexen/count/count.so,out=/cell/counts"]
    table = OwnerTable(address=0xFFFF82E000000000, entry=32, at=24)
    assert plugin_argv(table)[1].endswith(",owners=0xffff82e000000000,entry=32,at=24")


def test_an_owner_beyond_its_entry_is_refused(tmp_path: Path) -> None:
    text = (checkout_root() / "baselines/xen/system.toml").read_text()
    file = tmp_path / "xen" / "system.toml"
    file.parent.mkdir()
    file.write_text(text.replace("at = 24", "at = 29"))
    with pytest.raises(ConfigError, match="key 'owners.at': four bytes do not fit"):
        read_system(file, "")


def test_counts_are_kept_and_replaced(store: Store) -> None:
    first = counted(NATIVE)
    assert store.counts(first.cell_id) is None
    store.keep_counts(first)
    assert store.counts(first.cell_id) == first
    second = counted(paravirtual(kernel=1, ring0=1))
    store.keep_counts(second)
    assert store.counts(first.cell_id) == second != first


@pytest.mark.parametrize("damage", [("version", 99), ("samples", [{}]), ("clock", None)])
def test_damaged_counts_are_named(store: Store, damage: tuple[str, Any]) -> None:
    one = counted(NATIVE)
    store.keep_counts(one)
    path = store.counts_path(one.cell_id)
    path.write_text(json.dumps(json.loads(path.read_text()) | dict([damage])))
    with pytest.raises(StoreError, match="counts are damaged"):
        store.counts(one.cell_id)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(StoreError, match="cut short"):
        store.counts(one.cell_id)


def play(engine: WorldEngine, lines: list[str] | None = None, name: str = "controls@native") -> str:
    """A machine that is counted: its console, as long as the workload's, and the plugin's file."""
    console = console_of(engine.workloads["controls"])
    samples = console.count("@rexen sample")
    found = [*CLOCKS, *[raw("sample", 1, user=1148, ring0=500)] * samples]
    text = "\n".join(found if lines is None else lines) + "\n"
    engine.scripts[name] = [["write", "counts", text], ["print", console], ["sleep", 5]]
    return text


def test_count_prints_a_row_a_metric(engine: WorldEngine, rexen: Rexen, capsys: Capture) -> None:
    play(engine)
    assert rexen("count", *CELL) == ExitCode.OK
    head, *rows = capsys.readouterr().out.rstrip().splitlines()
    assert head.split()[:5] == ["metric", "per", "system", "user", "kernel"]
    assert len(rows) == len(engine.workloads["controls"].metrics)
    assert rows[0].split()[:5] == ["controls/cpu_loop", "operation", "native", "1", "0.5"]


def test_count_makes_no_record_and_runs_once(
    engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture
) -> None:
    play(engine)
    assert [rexen("count", *CELL), rexen("count", *CELL)] == [0, 0]
    assert engine.names == ["controls@native"]
    assert "1 of 1 cells are counted already" in capsys.readouterr().err
    assert list(store.all_records()) == []
    assert rexen("count", *CELL, "--again") == ExitCode.OK
    assert len(engine.names) == 2


def test_count_as_json(engine: WorldEngine, rexen: Rexen, capsys: Capture) -> None:
    play(engine)
    assert rexen("count", *CELL, "--json") == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert document["failed"] == document["different"] == []
    first = document["operations"][0]
    assert (first["system"], first["metric"], first["per"]) == ("native", "cpu_loop", "operation")
    assert set(first["counted"]) == set(NAMES)
    assert first["instructions"] == pytest.approx(1.5)


def test_counted_bits_are_those_of_the_record(
    engine: WorldEngine, rexen: Rexen, capsys: Capture
) -> None:
    rexen("run", *CELL)
    play(engine)
    assert rexen("count", *CELL) == ExitCode.OK
    play(engine)
    script = engine.scripts["controls@native"]
    script[1][1] = script[1][1].replace("cpu_loop run 1 1000 2000 0", "cpu_loop run 1 1000 2001 0")
    assert rexen("count", *CELL, "--again") == ExitCode.DIFFERENT
    said = capsys.readouterr().out
    assert "controls on native gives other bits while counted: cpu_loop run 1: total_ns" in said


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (PANIC, "controls on native: panic: Kernel panic"),
        ([], "controls on native marks no timed sections"),
    ],
)
def test_count_of_what_fails(
    engine: WorldEngine, rexen: Rexen, store: Store, capsys: Capture, script: Script, words: str
) -> None:
    if script:
        engine.scripts["controls@native"] = script
    assert rexen("count", *CELL) == ExitCode.CELL_FAILED
    assert words in capsys.readouterr().out
    assert not list(store.counts_dir.rglob("*.json"))
