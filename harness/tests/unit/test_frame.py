"""Records to frames: values, ratios, what may stand side by side, what must stay visible."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.analysis import frame
from harness.errors import ConfigError, StoreError
from harness.model.experiment import MetricRef
from harness.model.record import Phase, Purpose, Record, Sample, Status
from harness.tests import synthetic


def build(records: list[Record], *names: str) -> frame.Frames:
    return frame.build(records, synthetic.systems(*names), synthetic.workloads())


def ref(text: str) -> MetricRef:
    return MetricRef.parse(text)


def with_samples(record: Record, *samples: Sample) -> Record:
    return replace(record, outcome=replace(record.outcome, samples=samples))


def test_value_is_the_median_of_runs_without_the_warm_up() -> None:
    totals = [(Phase.WARM, 9_000), (Phase.RUN, 500), (Phase.RUN, 300), (Phase.RUN, 400)]
    samples = (Sample("stat", phase, at, 10, ns, 0) for at, (phase, ns) in enumerate(totals))
    frames = build([with_samples(synthetic.record("native", "lmbench-process"), *samples)])
    assert frames.measured.value("native", ref("lmbench-process/stat")).value == 40.0


def test_ratio_divides_by_native_of_the_same_row() -> None:
    frames = build(synthetic.full_set())
    value = frames.measured.value("xen", ref("lmbench-process/fork")).value
    base = frames.measured.value("native", ref("lmbench-process/fork")).value
    assert frames.measured.ratio("xen", ref("lmbench-process/fork")).value == value / base
    assert frames.measured.ratio("native", ref("lmbench-process/fork")).value == 1.0


def test_ratio_is_missing_without_native() -> None:
    frames = build([synthetic.record("xen", "lmbench-process")])
    assert math.isnan(frames.measured.ratio("xen", ref("lmbench-process/fork")).value)
    assert frames.measured.value("xen", ref("lmbench-process/fork")).value > 0


def test_a_system_unknown_to_the_code_is_one_more_row() -> None:
    frames = build(synthetic.full_set("native", "rexen"), "native", "rexen")
    assert frames.measured.ratio("rexen", ref("lmbench-process/null_call")).value == pytest.approx(
        1.35
    )


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
    assert math.isnan(frames.measured.value("uml", ref("controls/cpu_loop")).value)


def test_samples_of_a_failed_cell_are_kept_but_never_become_values() -> None:
    good = synthetic.record("uml", "controls")
    failed = replace(good, outcome=replace(good.outcome, status=Status.HANG))
    frames = build([synthetic.record("native", "controls"), failed])
    assert (frames.samples["system"] == "uml").sum() > 1
    assert math.isnan(frames.measured.value("uml", ref("controls/cpu_loop")).value)


def test_good_attempt_counts_before_failed_one() -> None:
    failed = synthetic.record("native", "controls", status=Status.ENGINE, attempt=1)
    good = synthetic.record("native", "controls", attempt=2)
    assert build([good, failed]).cells["status"].tolist() == ["ok"]


def test_two_cells_for_one_place_are_refused() -> None:
    other = synthetic.record("native", "controls", files={"kernel/new": "0" * 64})
    with pytest.raises(StoreError, match="two different cells for controls on native"):
        build([synthetic.record("native", "controls"), other])


def test_two_profiles_are_refused() -> None:
    full = synthetic.record("xen", "controls", profile="full")
    with pytest.raises(StoreError, match="profile is 'quick' for controls on native and 'full'"):
        build([synthetic.record("native", "controls"), full])


def test_different_artefacts_of_one_name_are_refused() -> None:
    older = synthetic.record("xen", "controls", files={"root/guest.cpio": "0" * 64})
    with pytest.raises(
        StoreError, match="file root/guest.cpio is .* for controls on native and '000"
    ):
        build([synthetic.record("native", "controls"), older])


@pytest.mark.parametrize("key", ["emulator", "testbed", "record_schema"])
def test_different_machines_are_refused(key: str) -> None:
    xen = synthetic.record("xen", "controls")
    other = replace(xen, inputs={**xen.inputs, key: "another"})
    with pytest.raises(StoreError, match=f"{key} is .* and 'another' for controls on xen"):
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
    with pytest.raises(StoreError, match="controls on native measured 'warp'"):
        build([alien])


def test_no_system_to_divide_by_is_an_error() -> None:
    with pytest.raises(ConfigError, match="L-UP"):
        build(synthetic.full_set("xen"), "xen")


def test_points_are_cells_of_their_own() -> None:
    frames = build(synthetic.series_set("native", "xen"), "native", "xen")
    found = frames.values.set_index(["system", "point"])["value"]
    at_4k = ref("pipe-bandwidth/bandwidth@block=4096")
    assert found["xen", "block=4096"] == frames.measured.value("xen", at_4k).value
    assert frames.measured.ratio("xen", at_4k).value == (
        found["xen", "block=4096"] / found["native", "block=4096"]
    )
    assert frames.cells["point"].tolist()[:4] == [f"block={it}" for it in synthetic.BLOCKS]
    assert math.isnan(frames.measured.value("xen", ref("pipe-bandwidth/bandwidth")).value)


def test_a_points_own_parameter_may_differ_from_the_profiles() -> None:
    cells = [
        replace(one, inputs={**one.inputs, "params": {"reps": block, "percent": 100}})
        for block, one in enumerate(synthetic.series_set("native"), start=1)
    ]
    named = [replace(one, point={**one.point, "reps": at}) for at, one in enumerate(cells, start=1)]
    assert len(build(named, "native").cells) == 4
    with pytest.raises(StoreError, match=r"parameter pipe-bandwidth\.reps"):
        build(cells, "native")


def variants(system: str, *factors: float) -> list[Record]:
    """A cell, and its perturbations with the fork so many times as long."""
    cell = synthetic.record(system, "lmbench-process")
    moved = [synthetic.variant(cell, at, fork=it) for at, it in enumerate(factors, start=1)]
    return [cell, *moved]


FORK = MetricRef("lmbench-process", "fork")


def test_perturbations_are_the_spread_of_the_unperturbed_cell() -> None:
    frames = build(variants("native") + variants("xen", 1.1, 0.95))
    value, alone = (frames.measured.value("xen", FORK), build(variants("xen")).measured)
    assert value.value == alone.value("xen", FORK).value
    assert (value.low, value.high) == pytest.approx(
        (value.value * 0.95, value.value * 1.1), rel=1e-4
    )
    rows_df = frames.values[frames.values["system"] == "xen"].set_index("metric")
    names = ["value", "value_low", "value_high"]
    assert [rows_df[name]["fork"] for name in names] == [value.value, value.low, value.high]
    assert (rows_df["variants"]["fork"], rows_df["point"]["fork"]) == (3, "")
    assert frames.samples["point"].unique().tolist() == ["", "perturb=1", "perturb=2"]


def test_a_ratio_is_to_native_under_the_same_seed() -> None:
    """A perturbation that moves both alike is no difference between them."""
    frames = build(variants("native", 1.1) + variants("xen", 1.1, 1.2))
    found, alone = frames.measured.ratio("xen", FORK), frames.measured.value("xen", FORK).value
    base = frames.measured.value("native", FORK).value
    assert found.value == alone / base
    assert found.low == pytest.approx(found.value, rel=1e-5), "seed 1 is in both"
    assert found.high == pytest.approx(found.value * 1.2, rel=1e-4), "seed 2 has native's own value"


def test_a_perturbed_cell_alone_gives_no_value() -> None:
    frames = build(variants("native") + variants("xen", 1.1)[1:])
    assert frames.measured.value("xen", FORK).missing
    assert frames.values["system"].unique().tolist() == ["native"]


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
