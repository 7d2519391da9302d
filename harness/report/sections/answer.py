"""What a visitor asks first: does the paper reproduce, on which systems, how far from it?"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.claims import Judgement
from harness.analysis.distance import Distance, distances, typical
from harness.analysis.study import Study
from harness.model.experiment import Experiment, Verdict
from harness.model.system import System
from harness.report.figures.canvas import NARROW, WIDE
from harness.report.figures.distances import DISTANCE_COLUMNS, distance_figure
from harness.report.numbers import MISSING, count_text, ratio_text
from harness.report.sections.table import FigureView
from harness.report.sections.verdicts import KINDS, MARKS, concerns

JUDGED = (Verdict.REPRODUCED, Verdict.DIRECTION, Verdict.NOT_REPRODUCED)


@dataclass(frozen=True, slots=True)
class VerdictHead:
    """A verdict as the head of a column."""

    word: str
    kind: str
    mark: str


@dataclass(frozen=True, slots=True)
class SystemScore:
    """One system: its verdicts counted, and how many times its numbers lie from the paper's."""

    id: str
    stands_for: str
    counts: tuple[str, ...]
    distance: str
    numbers: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    """`figure` is None where no number of the paper's was measured. `caveats` are of the systems
    in it."""

    word: str
    sentences: tuple[str, ...]
    heads: tuple[VerdictHead, ...]
    systems: tuple[SystemScore, ...]
    figure: FigureView | None
    caveats: tuple[tuple[str, str], ...]


def answer_view(study: Study, judgements: Sequence[Judgement]) -> AnswerView:
    found = distances(study)
    counts = Counter(one.verdict for one in judgements)
    return AnswerView(
        word=_word(counts),
        sentences=tuple(_sentences(study, judgements, counts, found)),
        heads=tuple(VerdictHead(one.value, KINDS[one], MARKS[one]) for one in Verdict),
        systems=tuple(_score(study, judgements, one, found) for one in study.systems.values()),
        figure=_figure(study, found) if found else None,
        caveats=tuple(
            (one.id, one.caveat)
            for one in study.systems.values()
            if one.caveat and any(it.system.id == one.id for it in found)
        ),
    )


def _word(counts: Counter[Verdict]) -> str:
    judged = sum(counts[one] for one in JUDGED)
    if not judged:
        return "Nothing is judged yet."
    if counts[Verdict.REPRODUCED] == judged:
        return "Yes."
    return "No." if counts[Verdict.NOT_REPRODUCED] == judged else "In part."


def _sentences(
    study: Study,
    judgements: Sequence[Judgement],
    counts: Counter[Verdict],
    found: Sequence[Distance],
) -> Iterator[str]:
    claims = count_text(len({one.claim.id for one in judgements}), "statement", "statements")
    judged = sum(counts[one] for one in JUDGED)
    if judged:
        yield (
            f"{claims} of the paper, each judged for every system that stands for the one it is "
            f"about: of {count_text(judged, 'verdict', 'verdicts')} {counts[Verdict.REPRODUCED]} "
            f"are reproduced, {counts[Verdict.DIRECTION]} in their direction only, "
            f"{counts[Verdict.NOT_REPRODUCED]} not."
        )
        left = [
            f"{words}: {counts[verdict]}"
            for verdict, words in (
                (Verdict.NOT_TESTABLE, "not testable here"),
                (Verdict.NOT_MEASURED, "not measured yet"),
            )
            if counts[verdict]
        ]
        if left:
            yield f"{'; '.join(left).capitalize()}."
    near = [
        f"{ratio_text(typical(mine))} on {one.id}"
        for one in study.systems.values()
        if (mine := [it for it in found if it.system.id == one.id])
    ]
    if near:
        yield f"Half of the numbers lie nearer to the paper’s than {_listed(near)}."


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _score(
    study: Study, judgements: Sequence[Judgement], system: System, found: Sequence[Distance]
) -> SystemScore:
    counts = Counter(one.verdict for one in judgements if concerns(one, system))
    mine = [one for one in found if one.system.id == system.id]
    return SystemScore(
        id=system.id,
        stands_for=system.stands_for,
        counts=tuple(str(counts[one] or "·") for one in Verdict),
        distance=ratio_text(typical(mine)) if mine else MISSING,
        numbers=str(len(mine)) if mine else MISSING,
    )


def _figure(study: Study, found: Sequence[Distance]) -> FigureView:
    experiments = [one for one in study.experiments if any(it.experiment is one for it in found)]
    ids = tuple(it for it in study.systems if any(one.system.id == it for one in found))
    distances_df = pd.DataFrame(
        [(_title(one.experiment), one.system.id, one.factor) for one in found],
        columns=list(DISTANCE_COLUMNS),
    )
    wide, narrow = (
        distance_figure(
            distances_df,
            experiments=[_title(one) for one in experiments],
            systems=ids,
            figure_id=f"fig-distance-{shape.name}",
            shape=shape,
            title="How many times the paper’s cost each number’s is, by experiment and system",
            told=" ".join(_told(one, ids, found) for one in experiments),
        )
        for shape in (WIDE, NARROW)
    )
    return FigureView(wide, narrow, ids, has_paper=False)


def _title(experiment: Experiment) -> str:
    return experiment.number or experiment.title


def _told(experiment: Experiment, ids: Sequence[str], found: Sequence[Distance]) -> str:
    """The figure in words: of each lane the median, the ends, and how many numbers."""
    said = []
    for system in ids:
        factors = [
            it.factor for it in found if it.experiment is experiment and it.system.id == system
        ]
        if factors:
            middle = ratio_text(statistics.median(factors))
            ends = f"{ratio_text(min(factors))} to {ratio_text(max(factors))}"
            many = count_text(len(factors), "number", "numbers")
            said.append(f"{system} {middle} in the middle of {many}, {ends}")
    return f"{_title(experiment)}: {'; '.join(said)}."
