"""An experiment: one table or figure of the paper, the cells it needs, its rows mapped to our
metrics; and the claims.

`MetricRef` names a metric as `workload/metric` or `workload/metric@domains=8`, the one spelling
used in TOML files, claims and exported data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from harness.model.expression import Expression
from harness.model.point import Point
from harness.model.unit import Better, Unit

REF = re.compile(r"[a-z0-9-]+/[a-z0-9_]+")


class Verdict(StrEnum):
    """What became of a claim, best first. The value is the word the report prints."""

    REPRODUCED = "reproduced"
    DIRECTION = "direction only"
    NOT_REPRODUCED = "not reproduced"
    NOT_MEASURED = "not measured"
    NOT_TESTABLE = "not testable here"


@dataclass(frozen=True, slots=True)
class MetricRef:
    """One metric of one workload at one point."""

    workload: str
    metric: str
    point: Point = Point()

    @classmethod
    def parse(cls, text: str) -> MetricRef:
        """Raises ValueError."""
        name, _, point = text.partition("@")
        if not REF.fullmatch(name) or ("@" in text and not point):
            raise ValueError(f"must be like 'workload/metric' or 'workload/metric@a=1': {text!r}")
        workload, _, metric = name.partition("/")
        return cls(workload, metric, Point.parse(point))

    def __str__(self) -> str:
        name = f"{self.workload}/{self.metric}"
        return f"{name}@{self.point}" if self.point else name

    def at(self, point: Point) -> MetricRef:
        """The same metric at another point."""
        return MetricRef(self.workload, self.metric, point)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: our metric and its unit, the paper's name for it ("" if it has none),
    the name shown, and what is timed, in a sentence for someone who never saw lmbench. `again`: the
    paper's row has one of ours already, which alone is in shares and targets."""

    ref: MetricRef
    unit: Unit
    paper: str
    name: str
    what: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class CellChoice:
    """The cells an experiment needs of one workload: on these systems (none: all), at every
    combination of the axes' values in a profile. `perturb` says how many perturbations are
    measured beside the unperturbed cell, on `perturb_systems` (none: on all of `systems`)."""

    workload: str
    systems: tuple[str, ...]
    axes: Mapping[str, Mapping[str, tuple[int, ...]]]
    perturb: Mapping[str, int]
    perturb_systems: tuple[str, ...]

    def wants(self, system: str) -> bool:
        return not self.systems or system in self.systems

    def points(self, profile: str) -> Iterator[Point]:
        """The unperturbed points, in the order of the axes' values."""
        names = list(self.axes)
        for values in product(*(self.axes[name][profile] for name in names)):
            yield Point.of(dict(zip(names, values, strict=True)))

    def seeds(self, system: str, profile: str) -> int:
        """How many perturbations of a cell on this system; their seeds are 1, 2, 3 ..."""
        chosen = not self.perturb_systems or system in self.perturb_systems
        return self.perturb.get(profile, 0) if chosen else 0


@dataclass(frozen=True, slots=True)
class Series:
    """A metric over one axis: a figure with a line for each system. `ref` has every other
    coordinate of the point; `what` says what is timed."""

    ref: MetricRef
    over: str
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Group:
    """The bars of one benchmark, one for each system: its performance relative to native, of
    several metrics (all in one unit) the geometric mean. Its name is the one claims know it by.
    `paper` is the paper's row, `paper_better` the direction of the numbers there, which may be in
    another unit. `what` says what is timed, `differs` what ours shares with the paper's benchmark
    and what not, and why."""

    name: str
    refs: tuple[MetricRef, ...]
    unit: Unit
    paper: str
    paper_better: Better
    what: str
    differs: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """`figure` or `table` is the paper's (both 0: a control of ours), `values` its numbers by (row,
    system), each in the unit of the row. `systems` restricts the columns; empty means all of the
    catalogue. `note` says where what we time differs from what the paper timed."""

    id: str
    title: str
    shows: str
    table: int
    cells: tuple[CellChoice, ...]
    rows: tuple[Row, ...]
    series: tuple[Series, ...]
    note: str
    systems: tuple[str, ...]
    values: Mapping[tuple[str, str], float]
    figure: int = 0
    groups: tuple[Group, ...] = ()

    @property
    def number(self) -> str:
        """`Figure 3` or `Table 3`, as the paper counts; "" of a control."""
        if self.figure:
            return f"Figure {self.figure}"
        return f"Table {self.table}" if self.table else ""

    def paper_value(self, row: Row | Group, stands_for: str) -> float | None:
        """What the paper prints for this row and system, if it does, in the paper's unit."""
        return self.values.get((row.paper, stands_for))


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the paper, as data.

    `about` and `versus` are systems of the paper; the claim is judged once for every system of
    the catalogue that stands for one of `about`, against each that stands for one of `versus`.
    What stands for one of `untestable` is judged nowhere and held against nobody. `holds` and
    `direction` are expressions evaluated for each of `refs` and `groups` (see `model.expression`);
    `need` of these must satisfy one for its verdict. Without `holds` a claim is *direction only*
    at best. One that this testbed cannot decide, or that nothing measures yet, has its verdict in
    `fixed` and no expressions. `because` says why a verdict is fixed or limited, or a system not
    testable; `note` what a reader of the numbers should know.
    """

    id: str
    sentence: str
    paper: str
    about: tuple[str, ...]
    versus: tuple[str, ...]
    untestable: tuple[str, ...]
    refs: tuple[MetricRef, ...]
    groups: tuple[str, ...]
    holds: str
    direction: str
    need: int
    tolerance: float
    fixed: Verdict | None
    because: str
    note: str

    @property
    def subjects(self) -> tuple[MetricRef | str, ...]:
        """The rows and groups that its expressions are evaluated for."""
        return (*self.refs, *self.groups)

    @property
    def names(self) -> frozenset[str]:
        """The numbers that its expressions name."""
        texts = (text for text in (self.holds, self.direction) if text)
        return frozenset(name for text in texts for name in Expression(text).names)
