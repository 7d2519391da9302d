"""Series, spreads and holes on the page: what a cell with a point adds to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest

from harness.model.experiment import Experiment
from harness.model.record import Purpose, Record, Status
from harness.model.system import System
from harness.report.figures.canvas import NARROW, WIDE, Shape
from harness.report.figures.series import SERIES_COLUMNS, series_figure
from harness.tests import synthetic
from harness.tests.unit.test_report import CLAIMS, TABLES, Reader, written

NAMES = ("native", "rexen", "xen")
THIN = "\u202f"


def page(
    records: Sequence[Record],
    systems: dict[str, System] | None = None,
    experiments: Sequence[Experiment] = (),
) -> str:
    """With plain spaces."""
    known = systems or synthetic.systems(*NAMES)
    chosen = experiments or (*TABLES, synthetic.series_experiment())
    study = synthetic.study(records, known, experiments=chosen, claims=CLAIMS)
    return written(study).replace(THIN, " ")


def whole() -> list[Record]:
    return synthetic.full_set(*NAMES) + synthetic.series_set(*NAMES)


def section(text: str, name: str) -> str:
    found = re.search(rf'<section[^>]*aria-labelledby="{name}">.*?</section>', text, re.S)
    assert found is not None, name
    return found.group()


def test_a_series_has_a_figure_and_a_row_for_each_value_of_its_axis() -> None:
    source = section(page(whole()), synthetic.SERIES)
    reader = Reader(source)
    assert (2, "Pipes") in reader.headings and (3, "bandwidth") in reader.headings
    assert reader.tags["svg"] == 2
    assert all("bandwidth over block size for each system" in it for it in reader.labels)
    head = reader.text.index("block size, B native rexen xen")
    rows = re.findall(r"(512|4 096|32 768|262 144) [\d .]+ MB/s", reader.text[head:])
    assert rows == ["512", "4 096", "32 768", "262 144"]
    assert (
        "; more is better. In text these numbers are called pipe-bandwidth/bandwidth@block=…"
        in (reader.text)
    )


def test_a_series_on_some_systems_is_about_those_only() -> None:
    chosen = (synthetic.series_experiment("native", "xen"),)
    text = page(synthetic.series_set("native", "xen"), experiments=chosen)
    assert "rexen</th>" not in section(text, synthetic.SERIES)
    assert "Not run:" not in text


@pytest.mark.parametrize("name", ["table4", "controls", synthetic.SERIES])
def test_one_experiment_alone_is_a_page(name: str) -> None:
    known = (*TABLES, synthetic.series_experiment())
    (chosen,) = [one for one in known if one.id == name]
    used = {one.workload for one in chosen.cells}
    text = page([it for it in whole() if it.workload in used], experiments=[chosen])
    assert Reader(section(text, name)).tags["svg"] == 2
    assert "Not run:" not in text and ("overhead-rexen" in text) is (name == "table4")


def test_a_missing_point_is_a_visible_hole() -> None:
    records = [it for it in whole() if (it.system, it.point) != ("xen", {"block": 4096})]
    text = page(records)
    assert section(text, synthetic.SERIES).count('href="#not-run">not run</a>') == 1
    assert "Not run:</strong> pipe-bandwidth on xen at block=4096." in text


def test_a_failed_point_is_named_with_its_point() -> None:
    records = [it for it in whole() if (it.system, it.point) != ("xen", {"block": 4096})]
    point = synthetic.series_set("xen")[1].at.point
    records.append(synthetic.record("xen", synthetic.SERIES, point=point, status=Status.HANG))
    text = page(records)
    anchor = "failed-pipe-bandwidth-xen-block-4096"
    assert f'href="#{anchor}">hang</a>' in text and f'<li id="{anchor}">' in text
    assert "<strong>pipe-bandwidth on xen at block=4096</strong>" in text


def test_what_a_system_cannot_run_is_a_hole_with_its_reason() -> None:
    systems = synthetic.systems(*NAMES)
    systems["xen"] = replace(systems["xen"], unable={synthetic.SERIES: "it has no <pipes>."})
    records = synthetic.full_set(*NAMES) + synthetic.series_set("native", "rexen")
    text = page(records, systems)
    assert section(text, synthetic.SERIES).count('href="#unable">cannot</a>') == 4
    assert "pipe-bandwidth on xen</strong> cannot be: it has no &lt;pipes&gt;." in text
    assert "Not run:" not in text


def with_variants(*factors: float) -> list[Record]:
    records = whole()
    (cell,) = [it for it in records if (it.system, it.workload) == ("xen", "lmbench-process")]
    moved = [synthetic.variant(cell, at, fork=it) for at, it in enumerate(factors, start=1)]
    return records + moved


def test_the_spread_stands_beside_the_number() -> None:
    still, moved = page(whole()), page(with_variants(1.02, 0.99))
    assert 'class="spread"' not in still and "perturbed" not in still.replace("perturbation", "")
    row = re.search(r"fork proc</th>.*?</tr>", section(moved, "table3"), re.S)
    assert row is not None
    (spread,) = re.findall(r'<span class="spread" title="([^"]*)">±0.06</span>', row.group())
    assert re.fullmatch(r"[\d.]+ ns; [\d.]+×, [\d.]+ to [\d.]+ in 3 variants", spread)
    assert "after ± how far it moves" in section(moved, "table3")
    assert "after ± how far it moves" not in section(moved, "table4")
    assert "2 of them perturbed" in moved


def test_verdicts_show_the_spread_of_their_evidence() -> None:
    text = Reader(section(page(with_variants(1.02)), "claims")).text
    assert re.search(r"fork proc [\d.]+× ±0\.06 \(1\.80×\)", text)


def test_overhead_has_ranges_where_there_are_variants() -> None:
    text = Reader(section(page(with_variants(1.02)), "overhead-rexen")).text
    assert re.search(r"geometric mean of 24 rows 0\.\d+ 0\.\d+ to 0\.\d+ ≤ 0.5 ● met", text)
    assert "The ranges are over 2 variants" in text
    assert " to 0." not in Reader(section(page(whole()), "overhead-rexen")).text


def test_a_row_within_its_spread_is_left_out_with_the_reason() -> None:
    value = synthetic.NATIVE["lmbench-process"]["stat"] * 1.05
    records = synthetic.replaced(whole(), "xen", "lmbench-process", "stat", value)
    (cell,) = [it for it in records if (it.system, it.workload) == ("xen", "lmbench-process")]
    source = section(page([*records, synthetic.variant(cell, 1, stat=1.06)]), "overhead-rexen")
    assert source.count('class="left-out"') == 1
    assert "left out as well: stat. There the overhead of xen is not larger" in source


def test_repetitions_of_several_cells_are_told_together() -> None:
    records = whole()
    again = [
        replace(it, attempt=2, purpose=Purpose.VERIFY)
        for it in records
        if it.workload == synthetic.SERIES and it.system in ("native", "rexen")
    ]
    text = Reader(section(page(records + again[:-1]), "exactness")).text
    assert "pipe-bandwidth identical, 2 runs each of 4 cells 3 of 4 cells identical" in text


def test_inputs_that_differ_from_the_lock_are_said_at_the_top() -> None:
    records = [
        replace(it, host=replace(it.host, host={**it.host.host, "inputs": said}))
        for it, said in zip(whole(), ["as locked", "as locked", "linux 6.12.90"] * 99, strict=False)
    ]
    text = Reader(page(records)).text
    assert text.count("Not the locked inputs") == 1
    assert text.index("linux 6.12.90") < text.index("the clock here counts instructions")
    assert "Not the locked inputs" not in page(whole())


def figure(*lines: tuple[float, str, float, float, float], shape: Shape = WIDE) -> str:
    return series_figure(
        pd.DataFrame(list(lines), columns=list(SERIES_COLUMNS)),
        systems=["native", "xen"],
        figure_id="f",
        shape=shape,
        title="a <title>",
        axis_title="block size, B",
        value_title="bandwidth, MB/s",
        axis_text=lambda place: f"{place:.0f}",
    )


def line(system: str, *values: float) -> list[tuple[float, str, float, float, float]]:
    return [(8.0**at, system, value, value, value) for at, value in enumerate(values, start=1)]


def test_figure_leaves_colours_to_the_page() -> None:
    svg = figure(*line("native", 1.0, 2.0, 3.0), *line("xen", 1.0, 1.5, 2.0))
    assert "var(--sys-xen)" in svg and "var(--sys-native)" in svg and "currentColor" in svg
    assert "#c0c0c" not in svg and "#a0b0" not in svg
    assert "a &lt;title&gt;" in svg and ">block size, B<" in svg and ">bandwidth, MB/s<" in svg


@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_axis_has_the_places_that_were_measured(shape: Shape) -> None:
    svg = figure(*line("native", 1.0, 2.0, 3.0, 4.0), shape=shape)
    assert all(f">{8**at}<" in svg for at in (1, 2, 3, 4))


def test_a_narrow_figure_leaves_out_labels_but_not_the_last() -> None:
    lines = [(float(10**8 + at * 10**7), "xen", 1.0, 1.0, 1.0) for at in range(12)]
    svg = figure(*lines, shape=NARROW)
    assert ">210000000<" in svg and ">200000000<" not in svg


def test_a_missing_value_is_not_drawn_and_a_spread_is() -> None:
    gap = float("nan")
    marks = "var(--sys-native)"
    assert figure((1.0, "native", gap, gap, gap)).count(marks) < (
        figure((1.0, "native", 2.0, 2.0, 2.0)).count(marks)
    )
    assert figure((1.0, "native", 2.0, 1.0, 3.0)).count(marks) > (
        figure((1.0, "native", 2.0, 2.0, 2.0)).count(marks)
    )


def test_values_far_apart_are_drawn_on_a_logarithmic_scale() -> None:
    assert ">5<" in figure(*line("native", 0.5, 5.0, 50.0, 500.0))
    assert ">500<" in figure(*line("native", 100.0, 500.0))


def test_nothing_to_draw_is_still_a_figure() -> None:
    assert "<svg" in figure() and "<svg" in figure(shape=NARROW)
