"""`experiments/*.toml` -> experiments and claims. Every error names the file and the key."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.catalogue.entry import by_id
from harness.catalogue.table import Table
from harness.errors import ConfigError
from harness.model.experiment import (
    CellChoice,
    Claim,
    Experiment,
    Group,
    MetricRef,
    Row,
    Series,
    Verdict,
)
from harness.model.expression import RATIOS, Expression
from harness.model.unit import Better, MetricKind
from harness.model.workload import PROFILES, Metric, Workload

CLAIMS_FILE = "claims.toml"
PAPER_SYSTEMS = ("L-UP", "L-SMP", "Xen", "VMW", "UML")
FIXED = (Verdict.NOT_TESTABLE, Verdict.NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class PaperTable:
    """What the paper prints: the values by (row, system), each row's unit (one of
    `workloads/units.toml` but for a figure's), and of a figure's rows which way is better."""

    values: dict[tuple[str, str], float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    better: dict[str, Better] = field(default_factory=dict)


def load_experiments(
    folder: Path, workloads: Mapping[str, Workload], outside: Iterable[Path] = ()
) -> list[Experiment]:
    """Every experiment of the folder: the paper's figures in order, its tables, then our controls;
    and those of the folders outside.

    Raises ConfigError, also for a row that no chosen cell measures.
    """
    files = [path for path in sorted(folder.glob("*.toml")) if path.name != CLAIMS_FILE]
    if not files:
        raise ConfigError(f"{folder}: holds no experiment (*.toml)")
    files += [path for more in outside for path in sorted(more.glob("*.toml"))]
    found = by_id([(file, read_experiment(file, workloads)) for file in files])
    return sorted(found.values(), key=_place)


def _place(one: Experiment) -> tuple[int, int, str]:
    if one.figure:
        return 0, one.figure, one.id
    return (1, one.table, one.id) if one.table else (2, 0, one.id)


def read_experiment(file: Path, workloads: Mapping[str, Workload]) -> Experiment:
    """One experiment. Raises ConfigError."""
    top = Table.load(file)
    paper = top.text("paper", "")
    printed = read_paper(file.parent / paper) if paper else PaperTable()
    choices = []
    for entry in top.tables("cells"):
        choices.append(_choice(entry, workloads))
        entry.done()
    groups, rows, series = [], [], []
    for entry in top.tables("groups"):
        groups.append(_group(entry, paper, printed, workloads))
        for ref in groups[-1].refs:
            _check_measured(entry, ref, "", choices, workloads)
        entry.done()
    for entry in top.tables("rows"):
        rows.append(_row(entry, paper, printed, workloads))
        _check_measured(entry, rows[-1].ref, "", choices, workloads)
        entry.done()
    for entry in top.tables("series"):
        series.append(_series(entry))
        _check_measured(entry, series[-1].ref, series[-1].over, choices, workloads)
        entry.done()
    if not groups and not rows and not series:
        raise top.wrong("rows", "is missing, and so are groups and series")
    experiment = Experiment(
        id=file.stem,
        title=top.text("title"),
        shows=top.text("shows"),
        table=top.whole("table", 0, least=0),
        cells=tuple(choices),
        rows=tuple(rows),
        series=tuple(series),
        note=top.text("note", ""),
        systems=tuple(top.texts("systems")),
        values=printed.values,
        figure=top.whole("figure", 0, least=0),
        groups=tuple(groups),
    )
    top.done()
    return experiment


def _group(
    entry: Table, paper: str, printed: PaperTable, workloads: Mapping[str, Workload]
) -> Group:
    """Metrics of one unit, so that their mean is in it too. The paper's numbers may be in another,
    for only what they are relative to native is compared. Raises ConfigError."""
    refs = tuple(_ref(entry, "metrics", name) for name in entry.texts("metrics"))
    units = [_metric(entry, ref, workloads).unit for ref in refs]
    if not units:
        raise entry.wrong("metrics", "is missing")
    if len({unit.id for unit in units}) > 1:
        named = ", ".join(f"'{ref}' in {unit.id}" for ref, unit in zip(refs, units, strict=True))
        raise entry.wrong("metrics", f"must be in one unit, not {named}")
    row = entry.text("paper")
    if row not in printed.better:
        where = f"{paper} that says which way is better" if paper else "any paper figure"
        raise entry.wrong("paper", f"{row!r} is no row of {where}")
    return Group(
        name=entry.text("name", row),
        refs=refs,
        unit=units[0],
        paper=row,
        paper_better=printed.better[row],
        what=entry.text("what"),
        differs=entry.text("differs"),
    )


def _choice(entry: Table, workloads: Mapping[str, Workload]) -> CellChoice:
    workload = workloads[entry.choice("workload", workloads)]
    table = entry.table("axes", optional=True)
    axes = {}
    for name, values in table.subtables():
        if name not in workload.axes:
            known = ", ".join(workload.axes) or "none"
            raise table.wrong(name, f"is no axis of {workload.id}, which has {known}")
        axes[name] = {profile: tuple(values.wholes(profile)) for profile in PROFILES}
        values.done()
    perturb = entry.table("perturb", optional=True)
    seeds = {profile: perturb.whole(profile, 0, least=0) for profile in PROFILES}
    perturb.done()
    return CellChoice(
        workload=workload.id,
        systems=tuple(entry.texts("systems")),
        axes=axes,
        perturb=seeds,
        perturb_systems=tuple(entry.texts("perturb_systems")),
    )


def _row(entry: Table, paper: str, printed: PaperTable, workloads: Mapping[str, Workload]) -> Row:
    """The ratios of a time and of a rate point in opposite directions, so a row's metric has the
    unit of the paper's numbers. Raises ConfigError."""
    ref = _ref(entry, "metric", entry.text("metric"))
    printed_name = entry.text("paper", "")
    row = Row(
        ref=ref,
        unit=_metric(entry, ref, workloads).unit,
        paper=printed_name,
        name=entry.text("name", printed_name or None),
        what=entry.text("what"),
        again=entry.flag("again"),
    )
    if row.again and not row.paper:
        raise entry.wrong("again", "is for a row of the paper, and paper is missing")
    if row.paper and row.paper not in printed.units:
        raise entry.wrong("paper", f"{row.paper!r} is no row of {paper or 'any paper table'}")
    if row.paper and printed.units[row.paper] != row.unit.id:
        theirs = printed.units[row.paper]
        raise entry.wrong("metric", f"'{ref}' is in {row.unit.id}, the paper's row in {theirs}")
    return row


def _series(entry: Table) -> Series:
    return Series(
        ref=_ref(entry, "metric", entry.text("metric")),
        over=entry.text("over"),
        name=entry.text("name"),
        what=entry.text("what"),
    )


def _metric(entry: Table, ref: MetricRef, workloads: Mapping[str, Workload]) -> Metric:
    workload = workloads.get(ref.workload)
    metric = workload.metric(ref.metric) if workload else None
    if metric is None:
        raise entry.wrong("metric", f"'{ref}' is declared by no workload")
    return metric


def _check_measured(
    entry: Table,
    ref: MetricRef,
    over: str,
    choices: Sequence[CellChoice],
    workloads: Mapping[str, Workload],
) -> None:
    """A row or a series rests on cells the experiment chooses. Raises ConfigError."""
    _metric(entry, ref, workloads)
    mine = [one for one in choices if one.workload == ref.workload]
    if not mine:
        raise entry.wrong("metric", f"'{ref}': [[cells]] choose no cell of {ref.workload}")
    for profile in PROFILES:
        points = {point for one in mine for point in one.points(profile)}
        if over and not any(one.at(over) is not None for one in points):
            raise entry.wrong("over", f"{over!r} is no axis of the chosen cells")
        if (ref.point not in points) and not over:
            what = f"'{ref}': no cell at that point in profile {profile}"
            raise entry.wrong("metric", what)


def read_paper(file: Path) -> PaperTable:
    """A table of the paper. Raises ConfigError."""
    printed = PaperTable()
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                row, unit = line["metric"], line["unit"]
                if line["system"] not in PAPER_SYSTEMS:
                    raise ConfigError(f"{file}: unknown system in {line}")
                if printed.units.setdefault(row, unit) != unit:
                    raise ConfigError(f"{file}: '{row}' is in {printed.units[row]} and in {unit}")
                printed.values[row, line["system"]] = float(line["value"])
                if "better" in line:
                    printed.better[row] = Better(line["better"])
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{file}: not a table of the paper: {error!r}") from None
    return printed


def load_claims(folder: Path, experiments: Sequence[Experiment]) -> list[Claim]:
    """The claims, in the file's order. Raises ConfigError."""
    top = Table.load(folder / CLAIMS_FILE)
    rows = {row.ref: row for experiment in experiments for row in experiment.rows}
    groups = {group.name: group for experiment in experiments for group in experiment.groups}
    claims = []
    for entry in top.tables("claims"):
        claims.append(_claim(entry, rows, groups))
        entry.done()
    top.done()
    return claims


def _claim(entry: Table, rows: dict[MetricRef, Row], groups: Mapping[str, Group]) -> Claim:
    refs = tuple(_ref(entry, "metrics", name) for name in entry.texts("metrics"))
    for ref in refs:
        if ref not in rows:
            raise entry.wrong("metrics", f"'{ref}' is a row of no experiment")
    named = tuple(entry.texts("groups"))
    for name in named:
        if name not in groups:
            raise entry.wrong("groups", f"{name!r} is a group of no experiment")
    fixed = entry.choice("verdict", FIXED, "") if "verdict" in entry.data else ""
    claim = Claim(
        id=entry.text("id"),
        sentence=entry.text("sentence"),
        paper=entry.text("paper"),
        about=_systems(entry, "about", least=1),
        versus=_systems(entry, "versus"),
        untestable=_systems(entry, "untestable"),
        refs=refs,
        groups=named,
        holds=_expression(entry, "holds", refs, rows),
        direction=_expression(entry, "direction", refs, rows),
        need=entry.whole("need", max(len(refs) + len(named), 1)),
        tolerance=entry.number("tolerance") if "tolerance" in entry.data else 0.0,
        fixed=Verdict(fixed) if fixed else None,
        because=entry.text("because", ""),
        note=entry.text("note", ""),
    )
    _refuse_nonsense(entry, claim)
    return claim


def _systems(entry: Table, key: str, least: int = 0) -> tuple[str, ...]:
    """One system of the paper, or a list of them."""
    if isinstance(entry.data.get(key), str):
        return (entry.choice(key, PAPER_SYSTEMS),)
    found = tuple(entry.texts(key))
    if len(found) < least or set(found) - set(PAPER_SYSTEMS):
        raise entry.wrong(key, f"must be one or more of {', '.join(PAPER_SYSTEMS)}")
    return found


def _refuse_nonsense(entry: Table, claim: Claim) -> None:
    """Keys that contradict each other. Raises ConfigError."""
    if claim.fixed is not None and (claim.holds or claim.direction):
        raise entry.wrong("verdict", f"'{claim.fixed}' cannot stand beside an expression")
    if claim.fixed is None and not (claim.subjects and (claim.holds or claim.direction)):
        raise entry.wrong("holds", "neither an expression over metrics nor a fixed verdict")
    if not claim.holds and not claim.because:
        raise entry.wrong("because", "is missing: a fixed or limited verdict has a reason")
    if claim.untestable and not claim.because:
        raise entry.wrong("because", "is missing: what is not testable is so for a reason")
    if set(claim.untestable) - {*claim.about, *claim.versus}:
        raise entry.wrong("untestable", "names a system that the claim is not about")
    if claim.names & {"versus", "versus_performance"} and not claim.versus:
        raise entry.wrong("versus", "is missing, but the expression names it")
    if "tolerance" in claim.names and not claim.tolerance:
        raise entry.wrong("tolerance", "is missing, but the expression names it")
    if claim.groups and claim.names & RATIOS:
        wrong = ", ".join(sorted(claim.names & RATIOS))
        raise entry.wrong("groups", f"have a performance, and no {wrong}")


def _expression(
    entry: Table, key: str, refs: Sequence[MetricRef], rows: dict[MetricRef, Row]
) -> str:
    text = entry.text(key, "")
    if not text:
        return ""
    try:
        names = Expression(text).names
    except ValueError as error:
        raise entry.wrong(key, str(error)) from None
    for ref in refs:
        if "extra_us" in names and rows[ref].unit.kind is not MetricKind.LATENCY:
            raise entry.wrong(key, f"names microseconds, but '{ref}' is in {rows[ref].unit.id}")
        if names & {"paper", "paper_performance"} and not rows[ref].paper:
            raise entry.wrong(key, f"names the paper's ratio, but '{ref}' has no row there")
    return text


def _ref(entry: Table, key: str, name: str) -> MetricRef:
    try:
        return MetricRef.parse(name)
    except ValueError as error:
        raise entry.wrong(key, str(error)) from None
