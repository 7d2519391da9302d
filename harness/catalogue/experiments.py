"""`experiments/*.toml` -> experiments and claims. Every error names the file and the key."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.catalogue.table import Table
from harness.errors import ConfigError
from harness.model.experiment import (
    CellChoice,
    Claim,
    Experiment,
    MetricRef,
    Row,
    Series,
    Verdict,
)
from harness.model.expression import Expression
from harness.model.unit import MetricKind
from harness.model.workload import PROFILES, Metric, Workload

CLAIMS_FILE = "claims.toml"
PAPER_SYSTEMS = ("L-UP", "L-SMP", "Xen", "VMW", "UML")
FIXED = (Verdict.NOT_TESTABLE, Verdict.NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class PaperTable:
    """What the paper prints: the values by (row, system), and each row's unit (one of
    `workloads/units.toml`)."""

    values: dict[tuple[str, str], float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)


def load_experiments(folder: Path, workloads: Mapping[str, Workload]) -> list[Experiment]:
    """Every experiment of the folder: the paper's tables in order, then our controls.

    Raises ConfigError, also for a row that no chosen cell measures.
    """
    files = [path for path in sorted(folder.glob("*.toml")) if path.name != CLAIMS_FILE]
    if not files:
        raise ConfigError(f"{folder}: holds no experiment (*.toml)")
    found = [read_experiment(file, workloads) for file in files]
    return sorted(found, key=lambda it: (it.table == 0, it.table, it.id))


def read_experiment(file: Path, workloads: Mapping[str, Workload]) -> Experiment:
    """One experiment. Raises ConfigError."""
    top = Table.load(file)
    paper = top.text("paper", "")
    printed = read_paper(file.parent / paper) if paper else PaperTable()
    choices = []
    for entry in top.tables("cells"):
        choices.append(_choice(entry, workloads))
        entry.done()
    rows, series = [], []
    for entry in top.tables("rows"):
        rows.append(_row(entry, paper, printed, workloads))
        _check_measured(entry, rows[-1].ref, "", choices, workloads)
        entry.done()
    for entry in top.tables("series"):
        series.append(_series(entry))
        _check_measured(entry, series[-1].ref, series[-1].over, choices, workloads)
        entry.done()
    if not rows and not series:
        raise top.wrong("rows", "is missing, and so is series")
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
    )
    top.done()
    return experiment


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
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{file}: not a table of the paper: {error!r}") from None
    return printed


def load_claims(folder: Path, experiments: Sequence[Experiment]) -> list[Claim]:
    """The claims, in the file's order. Raises ConfigError."""
    top = Table.load(folder / CLAIMS_FILE)
    rows = {row.ref: row for experiment in experiments for row in experiment.rows}
    claims = []
    for entry in top.tables("claims"):
        claims.append(_claim(entry, rows))
        entry.done()
    top.done()
    return claims


def _claim(entry: Table, rows: dict[MetricRef, Row]) -> Claim:
    refs = tuple(_ref(entry, "metrics", name) for name in entry.texts("metrics"))
    for ref in refs:
        if ref not in rows:
            raise entry.wrong("metrics", f"'{ref}' is a row of no experiment")
    fixed = entry.choice("verdict", FIXED, "") if "verdict" in entry.data else ""
    claim = Claim(
        id=entry.text("id"),
        sentence=entry.text("sentence"),
        paper=entry.text("paper"),
        about=_about(entry),
        versus=entry.choice("versus", PAPER_SYSTEMS) if "versus" in entry.data else "",
        refs=refs,
        holds=_expression(entry, "holds", refs, rows),
        direction=_expression(entry, "direction", refs, rows),
        need=entry.whole("need", max(len(refs), 1)),
        tolerance=entry.number("tolerance") if "tolerance" in entry.data else 0.0,
        fixed=Verdict(fixed) if fixed else None,
        because=entry.text("because", ""),
        note=entry.text("note", ""),
    )
    _refuse_nonsense(entry, claim)
    return claim


def _about(entry: Table) -> tuple[str, ...]:
    if isinstance(entry.data.get("about"), str):
        return (entry.choice("about", PAPER_SYSTEMS),)
    about = tuple(entry.texts("about"))
    if not about or set(about) - set(PAPER_SYSTEMS):
        raise entry.wrong("about", f"must be one or more of {', '.join(PAPER_SYSTEMS)}")
    return about


def _refuse_nonsense(entry: Table, claim: Claim) -> None:
    """Keys that contradict each other. Raises ConfigError."""
    if claim.fixed is not None and (claim.holds or claim.direction):
        raise entry.wrong("verdict", f"'{claim.fixed}' cannot stand beside an expression")
    if claim.fixed is None and not (claim.refs and (claim.holds or claim.direction)):
        raise entry.wrong("holds", "neither an expression over metrics nor a fixed verdict")
    if not claim.holds and not claim.because:
        raise entry.wrong("because", "is missing: a fixed or limited verdict has a reason")
    uses = Expression(claim.holds or claim.direction or "0 < 1").names
    if "versus" in uses and not claim.versus:
        raise entry.wrong("versus", "is missing, but the expression names it")
    if "tolerance" in uses and not claim.tolerance:
        raise entry.wrong("tolerance", "is missing, but the expression names it")


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
        if "paper" in names and not rows[ref].paper:
            raise entry.wrong(key, f"names the paper's ratio, but '{ref}' has no row there")
    return text


def _ref(entry: Table, key: str, name: str) -> MetricRef:
    try:
        return MetricRef.parse(name)
    except ValueError as error:
        raise entry.wrong(key, str(error)) from None
