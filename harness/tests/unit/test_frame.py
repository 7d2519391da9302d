"""Records to frames: values, ratios, what may stand side by side, what must stay visible."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.analysis import frame
from harness.errors import ConfigError, StoreError
from harness.model.record import Phase, Purpose, Record, Sample, Status
from harness.tests import synthetic


def build(records: list[Record], *names: str) -> frame.Frames:
    return frame.build(records, synthetic.systems(*names), synthetic.workloads())


def with_samples(record: Record, *samples: Sample) -> Record:
    return replace(record, outcome=replace(record.outcome, samples=samples))


def test_value_is_the_median_of_runs_without_the_warm_up() -> None:
    totals = [(Phase.WARM, 9_000), (Phase.RUN, 500), (Phase.RUN, 300), (Phase.RUN, 400)]
    samples = (Sample("stat", phase, at, 10, ns, 0) for at, (phase, ns) in enumerate(totals))
    frames = build([with_samples(synthetic.record("native", "lmbench-process"), *samples)])
    assert frames.value("native", "lmbench-process", "stat") == 40.0


def test_ratio_divides_by_native_of_the_same_row() -> None:
    frames = build(synthetic.full_set())
    value = frames.value("xen", "lmbench-process", "fork")
    base = frames.value("native", "lmbench-process", "fork")
    assert frames.ratio("xen", "lmbench-process", "fork") == value / base
    assert frames.ratio("native", "lmbench-process", "fork") == 1.0


def test_ratio_is_missing_without_native() -> None:
    frames = build([synthetic.record("xen", "lmbench-process")])
    assert math.isnan(frames.ratio("xen", "lmbench-process", "fork"))
    assert frames.value("xen", "lmbench-process", "fork") > 0


def test_a_system_unknown_to_the_code_is_one_more_row() -> None:
    frames = build(synthetic.full_set("native", "rexen"), "native", "rexen")
    assert frames.ratio("rexen", "lmbench-process", "null_call") == pytest.approx(1.35)


def test_columns_and_types_are_as_declared() -> None:
    frames = build(synthetic.full_set())
    for found, declared in (
        (frames.samples, frame.SAMPLE_COLUMNS),
        (frames.values, frame.VALUE_COLUMNS),
        (frames.cells, frame.CELL_COLUMNS),
    ):
        assert {name: str(kind) for name, kind in found.dtypes.items()} == dict(declared)


def test_failed_cell_keeps_a_row_and_gives_no_value() -> None:
    failed = synthetic.record("uml", "controls", status=Status.PANIC, reason="no init")
    frames = build([synthetic.record("native", "controls"), failed])
    row = frames.cells.set_index("system").loc["uml"]
    assert (row["status"], row["reason"]) == ("panic", "no init")
    assert frames.samples.set_index("system").loc["uml", "status"] == "panic"
    assert math.isnan(frames.value("uml", "controls", "cpu_loop"))


def test_samples_of_a_failed_cell_are_kept_but_never_become_values() -> None:
    good = synthetic.record("uml", "controls")
    failed = replace(good, outcome=replace(good.outcome, status=Status.HANG))
    frames = build([synthetic.record("native", "controls"), failed])
    assert (frames.samples["system"] == "uml").sum() > 1
    assert math.isnan(frames.value("uml", "controls", "cpu_loop"))


def test_good_attempt_counts_before_failed_one() -> None:
    failed = synthetic.record("native", "controls", status=Status.ENGINE, attempt=1)
    good = synthetic.record("native", "controls", attempt=2)
    assert build([good, failed]).cells["status"].tolist() == ["ok"]


def test_two_cells_for_one_place_are_refused() -> None:
    other = synthetic.record("native", "controls", files={"kernel/new": "0" * 64})
    with pytest.raises(StoreError, match="two different cells for controls@native"):
        build([synthetic.record("native", "controls"), other])


def test_two_profiles_are_refused() -> None:
    full = synthetic.record("xen", "controls", profile="full")
    with pytest.raises(StoreError, match="profile is 'quick' for controls@native and 'full'"):
        build([synthetic.record("native", "controls"), full])


def test_different_artefacts_of_one_name_are_refused() -> None:
    older = synthetic.record("xen", "controls", files={"root/guest.cpio": "0" * 64})
    with pytest.raises(StoreError, match="file root/guest.cpio is .* for controls@native and '000"):
        build([synthetic.record("native", "controls"), older])


@pytest.mark.parametrize("key", ["emulator", "testbed", "record_schema"])
def test_different_machines_are_refused(key: str) -> None:
    xen = synthetic.record("xen", "controls")
    other = replace(xen, inputs={**xen.inputs, key: "another"})
    with pytest.raises(StoreError, match=f"{key} is .* and 'another' for controls@xen"):
        build([synthetic.record("native", "controls"), other])


def test_parameters_may_differ_only_where_the_system_says_so() -> None:
    frames = build(synthetic.full_set())  # fullvirt divides by 20
    assert "fullvirt" in frames.cells["system"].tolist()
    xen = synthetic.record("xen", "controls")
    other = replace(xen, inputs={**xen.inputs, "params": {"reps": 1, "percent": 50, "divide": 1}})
    with pytest.raises(StoreError, match=r"parameter controls\.percent is 100 .* and 50"):
        build([synthetic.record("native", "controls"), other])


def test_undeclared_metric_is_refused() -> None:
    alien = with_samples(
        synthetic.record("native", "controls"), Sample("warp", Phase.RUN, 0, 1, 1, 0)
    )
    with pytest.raises(StoreError, match="controls@native measured 'warp'"):
        build([alien])


def test_no_system_to_divide_by_is_an_error() -> None:
    with pytest.raises(ConfigError, match="L-UP"):
        build(synthetic.full_set("xen"), "xen")


def repeated(record: Record, attempt: int, **outcome: object) -> Record:
    changed = replace(record.outcome, **outcome)  # type: ignore[arg-type]
    return replace(record, attempt=attempt, purpose=Purpose.VERIFY, outcome=changed)


def test_repetitions_are_counted() -> None:
    first = synthetic.record("native", "controls")
    cells_df = build([first, repeated(first, 2), repeated(first, 3)]).cells
    assert (cells_df["same"][0], cells_df["difference"][0]) == (2, "")


def test_a_repetition_of_other_bits_is_a_difference() -> None:
    first = synthetic.record("native", "controls")
    one, *rest = first.outcome.samples
    other = (replace(one, total_ns=one.total_ns + 1), *rest)
    cells_df = build([first, repeated(first, 2, samples=other)]).cells
    assert cells_df["same"][0] == 0
    assert cells_df["difference"][0] == (
        f"attempt 2: cpu_loop warm 0: total_ns {one.total_ns} / {one.total_ns + 1}"
    )


def test_an_engine_that_failed_says_nothing_about_the_machine() -> None:
    first = synthetic.record("native", "controls")
    cells_df = build([first, repeated(first, 2, status=Status.ENGINE)]).cells
    assert (cells_df["same"][0], cells_df["difference"][0]) == (0, "")


def test_a_repetition_that_hangs_is_a_difference() -> None:
    first = synthetic.record("native", "controls")
    cells_df = build([first, repeated(first, 2, status=Status.HANG)]).cells
    assert cells_df["difference"][0] == "attempt 2: status: ok / hang"
