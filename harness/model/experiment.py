"""An experiment: one table of the paper, its rows mapped to our metrics; and the claims.

`MetricRef` names a metric as `workload/metric`, the one spelling used in TOML files, claims and
exported data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a claim, best first. The value is the word the report prints."""

    REPRODUCED = "reproduced"
    DIRECTION = "direction only"
    NOT_REPRODUCED = "not reproduced"
    NOT_MEASURED = "not measured"
    NOT_TESTABLE = "not testable here"


@dataclass(frozen=True, slots=True)
class MetricRef:
    """One metric of one workload."""

    workload: str
    metric: str

    def __str__(self) -> str:
        return f"{self.workload}/{self.metric}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: our metric, the paper's name for it ("" if it has none), the name
    shown, and what is timed, in a sentence for someone who never saw lmbench."""

    ref: MetricRef
    paper: str
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """`table` is the paper's (0: a control of ours), `values` its numbers in microseconds by
    (row, system). `systems` restricts the columns; empty means all of the catalogue. `note`
    says where what we time differs from what the paper timed."""

    id: str
    title: str
    shows: str
    table: int
    rows: tuple[Row, ...]
    note: str
    systems: tuple[str, ...]
    values: Mapping[tuple[str, str], float]

    def paper_value(self, row: Row, stands_for: str) -> float | None:
        """Microseconds the paper prints for this row and system, if it does."""
        return self.values.get((row.paper, stands_for))


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the paper, as data.

    `about` and `versus` are systems of the paper; the claim is judged once for every system of
    the catalogue that stands for `about`. `holds` and `direction` are expressions evaluated for
    each metric of `refs` (see `analysis.expression`); `need` of the rows must satisfy one for
    its verdict. Without `holds` a claim is *direction only* at best. One that this testbed
    cannot decide, or that nothing measures yet, has its verdict in `fixed` and no expressions.
    `because` says why a verdict is fixed or limited; `note` what a reader of the numbers
    should know.
    """

    id: str
    sentence: str
    paper: str
    about: str
    versus: str
    refs: tuple[MetricRef, ...]
    holds: str
    direction: str
    need: int
    tolerance: float
    fixed: Verdict | None
    because: str
    note: str
