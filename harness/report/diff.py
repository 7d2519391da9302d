"""Two sets of results compared -> text, Markdown, one HTML page, or a document for programs.

All four have the same rows: per number old, new, ratio, better or worse, and which inputs differ,
by their place in the list of inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.diff import Change, DiffResult, Judged
from harness.analysis.inputs import InputChange
from harness.model.workload import Workload
from harness.report.colors import PAGE_DARK, PAGE_LIGHT
from harness.report.environment import environment
from harness.report.numbers import MISSING, count_text, exact_text, ratio_text, value_text

SHORT = 40  # characters of an input's value; a digest is cut to DIGEST
DIGEST = 12


class Form(StrEnum):
    """In which form a diff is given."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class RowView:
    """One number that is not the same. `a` and `b` have all their digits, `short_a` and `short_b`
    are for reading; `inputs` are the numbers of the inputs that differ."""

    name: str
    system: str
    profile: str
    a: str
    b: str
    short_a: str
    short_b: str
    ratio: str
    change: str
    judged: str
    inputs: str
    remark: str


@dataclass(frozen=True, slots=True)
class InputView:
    """One input that differs, with its number."""

    number: int
    what: str
    a: str
    b: str
    cells: str


@dataclass(frozen=True, slots=True)
class DiffView:
    """Everything a form shows. `names` are what A and B stand for."""

    names: tuple[str, str]
    summary: str
    rows: tuple[RowView, ...]
    inputs: tuple[InputView, ...]
    profiles: tuple[str, ...]


def diff_view(
    found: DiffResult,
    workloads: Mapping[str, Workload],
    *,
    names: tuple[str, str],
    packages: Iterable[InputChange] = (),
) -> DiffView:
    """`packages` are those of the two locks, where these are known."""
    inputs = [*found.inputs, *packages]
    numbers: dict[str, list[int]] = {}
    for at, one in enumerate(inputs, start=1):
        numbers.setdefault(one.key, []).append(at)
    rows = tuple(_row(one, workloads, numbers) for one in found.unequal)
    return DiffView(
        names=names,
        summary=found.summary(),
        rows=rows,
        inputs=tuple(
            InputView(
                at,
                one.key,
                _short(one.a),
                _short(one.b),
                count_text(one.cells, "cell", "cells") if one.cells else "in the lock",
            )
            for at, one in enumerate(inputs, start=1)
        ),
        profiles=tuple(dict.fromkeys(row.profile for row in rows)),
    )


def _row(
    one: Change, workloads: Mapping[str, Workload], numbers: Mapping[str, list[int]]
) -> RowView:
    workload = workloads.get(one.at.workload)
    metric = workload.metric(one.metric) if workload else None
    sides = (one.a, one.b)
    exact, short = (
        [
            MISSING
            if value is None or math.isnan(value)
            else text(value, metric.unit)
            if metric
            else f"{value:.3f}"
            for value in sides
        ]
        for text in (exact_text, value_text)
    )
    compared = one.ratio is not None and not math.isnan(one.ratio)
    return RowView(
        name=one.name,
        system=one.at.system,
        profile=one.at.profile,
        a=exact[0],
        b=exact[1],
        short_a=short[0],
        short_b=short[1],
        ratio=ratio_text(one.ratio) if compared and one.ratio is not None else MISSING,
        change=f"{one.change:+.4%}" if compared and one.change is not None else one.state.value,
        judged=one.judged.value,
        inputs=" ".join(str(n) for key in one.inputs for n in numbers[key]),
        remark=one.remark,
    )


def _short(value: str) -> str:
    if not value:
        return MISSING
    words = [word[:DIGEST] if len(word) == 64 else word for word in value.split(" ")]
    text = " ".join(words)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


HEAD = ("value", "system", "A", "B", "ratio", "change", "", "inputs", "")
INPUT_HEAD = ("", "input", "A", "B", "in")


def _cells(view: DiffView) -> list[tuple[str, ...]]:
    several = len(view.profiles) > 1
    return [
        (
            f"{row.name} ({row.profile})" if several else row.name,
            *(row.system, row.a, row.b, row.ratio, row.change, row.judged, row.inputs, row.remark),
        )
        for row in view.rows
    ]


def _input_cells(view: DiffView) -> list[tuple[str, ...]]:
    return [(str(it.number), it.what, it.a, it.b, it.cells) for it in view.inputs]


def text_tables(view: DiffView) -> list[list[tuple[str, ...]]]:
    """Head and rows of the tables a terminal shows; none without a row."""
    tables = [[HEAD, *_cells(view)], [INPUT_HEAD, *_input_cells(view)]]
    return [one for one in tables if len(one) > 1]


def markdown(view: DiffView) -> str:
    """For an issue or a pull request."""
    first, second = view.names
    lines = [f"A: `{first}`, B: `{second}`", "", f"{view.summary}.", ""]
    for head, rows in ((HEAD, _cells(view)), (INPUT_HEAD, _input_cells(view))):
        if rows:
            lines += [_bars(head), "|" + "---|" * len(head), *map(_bars, rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _bars(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def html(view: DiffView) -> str:
    """One page with the report's look, without a script or anything beside it."""
    template = environment().get_template("diff.html.j2")
    return template.render(
        view=view,
        several=len(view.profiles) > 1,
        page_light=PAGE_LIGHT,
        page_dark=PAGE_DARK,
        kinds={
            Judged.BETTER.value: "reproduced",
            Judged.WORSE.value: "not-reproduced",
            Judged.OPEN.value: "soft",
        },
    )


def document(
    found: DiffResult, *, names: tuple[str, str], packages: Iterable[InputChange] = ()
) -> dict[str, object]:
    """For programs: numbers as they are, None where there is none."""
    return {
        "a": names[0],
        "b": names[1],
        "summary": {
            "values": len(found.changes),
            "differ": found.differ,
            "better": found.judged(Judged.BETTER),
            "worse": found.judged(Judged.WORSE),
            "missing": found.missing,
        },
        "inputs": [
            {"kind": it.kind.value, "name": it.name, "a": it.a, "b": it.b, "cells": it.cells}
            for it in (*found.inputs, *packages)
        ],
        "changes": [_plain(one) for one in found.unequal],
    }


def _plain(one: Change) -> dict[str, object]:
    numbers = (one.a, one.b, one.ratio)
    a, b, ratio = (None if it is None or math.isnan(it) else it for it in numbers)
    return {
        "at": str(one.at),
        "system": one.at.system,
        "workload": one.at.workload,
        "profile": one.at.profile,
        "point": dict(one.at.point.values),
        "metric": one.metric,
        "state": one.state.value,
        "a": a,
        "b": b,
        "ratio": ratio,
        "judged": one.judged.value,
        "within_spread": one.within_spread,
        "remark": one.remark,
        "inputs": list(one.inputs),
    }
