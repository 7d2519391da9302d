"""The experiments as shipped, and what their reader refuses."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.claims import paper_ratio
from harness.analysis.performance import paper_performance
from harness.catalogue.experiments import load_claims, load_experiments, read_experiment
from harness.catalogue.workloads import load_workloads
from harness.errors import ConfigError
from harness.model.experiment import Verdict
from harness.paths import Paths, checkout_root
from harness.tests import synthetic

FOLDER = checkout_root() / "harness" / "experiments"
PAPER = checkout_root() / "harness" / "paper"
SECTIONS = ("4.1", "abstract", "4.2", "4.2.1")
WORKLOADS = synthetic.workloads()
METRIC = WORKLOADS[synthetic.SERIES].metrics[0]


@pytest.mark.parametrize("table", [3, 4, 5, 6])
def test_each_table_has_the_papers_rows_in_the_papers_order(table: int) -> None:
    with (PAPER / f"table{table}.csv").open(encoding="utf-8") as lines:
        printed = list(dict.fromkeys(line["metric"] for line in csv.DictReader(lines)))
    experiment = read_experiment(FOLDER / f"table{table}.toml", WORKLOADS)
    assert experiment.table == table
    assert [row.paper for row in experiment.rows if row.paper and not row.again] == printed


def test_the_figure_comes_first_then_tables_and_what_the_paper_has_not_last() -> None:
    found = load_experiments(FOLDER, load_workloads(Paths.of(checkout_root())))
    assert [one.id for one in found[:5]] == ["figure3", "table3", "table4", "table5", "table6"]
    assert [one.number for one in found[:2]] == ["Figure 3", "Table 3"]
    assert {one.number for one in found[5:]} == {""}


def test_the_figure_has_the_papers_benchmarks_in_the_papers_order() -> None:
    with (PAPER / "figure3.csv").open(encoding="utf-8") as lines:
        printed = list(dict.fromkeys(line["metric"] for line in csv.DictReader(lines)))
    figure = read_experiment(FOLDER / "figure3.toml", WORKLOADS)
    assert [group.paper for group in figure.groups] == printed
    assert all(len(group.differs) > 80 for group in figure.groups)


def test_the_figures_numbers_are_those_that_are_listed_with_their_claims() -> None:
    """The claims' recomputed column was made from the same page of the paper, by hand."""
    figure = read_experiment(FOLDER / "figure3.toml", WORKLOADS)
    with (PAPER / "claims.csv").open(encoding="utf-8") as lines:
        listed = {
            line["id"]: line["recomputed_from_printed_data"] for line in csv.DictReader(lines)
        }

    def ours(name: str, system: str) -> float:
        group = next(it for it in figure.groups if it.name == name)
        return paper_performance(figure, group, group.paper_better, system)

    assert f"+{100 / ours('Linux build time', 'Xen') - 100:.1f} %" == listed["R3"]
    assert f"{100 * ours('OSDB-IR', 'Xen') - 100:.1f} %" == listed["R6"]
    assert f"{ours('OSDB-OLTP', 'VMW'):.3f} / {ours('OSDB-OLTP', 'UML'):.3f}" == listed["R8"]
    assert f"{ours('SPEC WEB99', 'VMW'):.3f} / {ours('SPEC WEB99', 'UML'):.3f}" == listed["R11"]


def test_paper_values_are_read() -> None:
    experiment = read_experiment(FOLDER / "table3.toml", WORKLOADS)
    fork = next(row for row in experiment.rows if row.paper == "fork proc")
    assert experiment.paper_value(fork, "Xen") == 198.0
    assert experiment.paper_value(fork, "L-UP") == 110.0
    assert experiment.paper_value(fork, "") is None


def test_every_claim_of_the_papers_section_is_there() -> None:
    with (PAPER / "claims.csv").open(encoding="utf-8") as lines:
        listed = [line["id"] for line in csv.DictReader(lines) if line["section"] in SECTIONS]
    claims = load_claims(FOLDER, synthetic.experiments())
    expected = [f"R{at}" for at in range(1, 15)] + [f"O{at}" for at in range(1, 12)]
    assert [claim.id for claim in claims] == listed == [*expected, "N1", "N2", "N3"]


def test_what_translates_user_code_is_nowhere_judged_by_an_application() -> None:
    claims = load_claims(FOLDER, synthetic.experiments())
    about = [it for it in claims if it.groups and "VMW" in {*it.about, *it.versus}]
    assert [claim.id for claim in about] == ["R2", "R4", "R8", "R11", "R12"]
    assert all(claim.untestable == ("VMW",) for claim in about)


def test_claims_that_rest_on_caches_or_processors_are_not_testable() -> None:
    claims = load_claims(FOLDER, synthetic.experiments())
    fixed = {claim.id: claim.fixed for claim in claims if claim.fixed is not None}
    untestable = dict.fromkeys(("O1", "O2", "O4", "O6", "O10"), Verdict.NOT_TESTABLE)
    assert fixed == untestable | {"O9": Verdict.NOT_MEASURED}


def test_rows_name_metrics_the_synthetic_catalogue_has_too() -> None:
    for experiment in synthetic.experiments():
        for row in experiment.rows:
            assert row.ref.metric in synthetic.NATIVE[row.ref.workload], row.ref


def test_every_metric_of_the_catalogue_stands_in_the_report() -> None:
    found = load_workloads(Paths.of(checkout_root()))
    experiments = load_experiments(FOLDER, found)
    rows = {row.ref for experiment in experiments for row in experiment.rows}
    series = {one.ref for experiment in experiments for one in experiment.series}
    series |= {ref for one in experiments for group in one.groups for ref in group.refs}
    known = {(work.id, metric.id) for work in found.values() for metric in work.metrics}
    assert {(ref.workload, ref.metric) for ref in rows | series} == known


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


# A workload `w` with a metric `m` and an axis `block`.
KNOWN = {"w": replace(WORKLOADS[synthetic.SERIES], id="w", metrics=(replace(METRIC, id="m"),))}
CELLS = '[[cells]]\nworkload = "w"\n'
SERIES = f'{CELLS}[[series]]\nmetric = "w/m"\nover = "block"\nname = "m"\nwhat = "x"\n'
ROW = f'{CELLS}[[rows]]\nmetric = "w/m"\nname = "m"\nwhat = "x"\n'
AXIS = "[cells.axes.block]\nquick = [1, 2]\nfull = [1, 2, 4]\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f'shows = "s"\n{ROW}', "key 'title': is missing"),
        ('title = "t"\nshows = "s"\n', "key 'rows': is missing"),
        (f'title = "t"\nshows = "s"\nnosie = 1\n{ROW}', "key 'nosie': is unknown"),
        (f'title = "t"\nshows = "s"\n{ROW}paper = "row"\n', r"rows\[0\].paper.*is no row of"),
        (f'title = "t"\nshows = "s"\n{ROW}again = true\n', "again.*paper is missing"),
        ('title = "t"\nshows = "s"\n[[rows]]\nmetric = "m"\nwhat = "x"\n', "'workload/metric'"),
        ('title = "t"\nshows = "s"\n[[rows]]\nmetric = "w/m"\nwhat = "x"\n', "name.*is missing"),
        (f'title = "t"\nshows = "s"\npaper = "no.csv"\n{ROW}', "no.csv: cannot be read"),
        (f'title = "t"\nshows = "s"\nsystems = [1]\n{ROW}', "list of strings"),
        (f'title = "t"\nshows = "s"\n{ROW.replace(CELLS, "")}', "choose no cell of w"),
        (f'title = "t"\nshows = "s"\n{ROW.replace("w/m", "w/other")}', "declared by no workload"),
        (f'title = "t"\nshows = "s"\n{ROW.replace("w/m", "w/m@block=1")}', "no cell at that point"),
        (f'title = "t"\nshows = "s"\n{SERIES}', "'block' is no axis of the chosen cells"),
        (
            f'title = "t"\nshows = "s"\n{CELLS}[cells.axes.size]\nquick = [1]\nfull = [1]\n',
            "size.*is no axis of w, which has block",
        ),
        (
            f'title = "t"\nshows = "s"\n{CELLS}{AXIS.replace("[1, 2]", "[]")}',
            "quick.*whole numbers",
        ),
    ],
)
def test_broken_experiment_names_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    file = written(tmp_path, "table9.toml", text)
    with pytest.raises(ConfigError, match=complaint) as caught:
        read_experiment(file, KNOWN)
    assert str(tmp_path) in str(caught.value)


def test_a_series_and_the_points_it_needs(tmp_path: Path) -> None:
    text = f'title = "t"\nshows = "s"\n{SERIES.replace(CELLS, CELLS + AXIS)}'
    experiment = read_experiment(written(tmp_path, "s.toml", text), KNOWN)
    (choice,) = experiment.cells
    assert [str(point) for point in choice.points("full")] == ["block=1", "block=2", "block=4"]
    (series,) = experiment.series
    assert (str(series.ref), series.over) == ("w/m", "block")


def test_perturbations_that_an_experiment_asks_for(tmp_path: Path) -> None:
    seeds = 'perturb = { quick = 2, full = 8 }\nperturb_systems = ["xen"]\n'
    text = f'title = "t"\nshows = "s"\n{ROW.replace(CELLS, CELLS + seeds)}'
    (choice,) = read_experiment(written(tmp_path, "p.toml", text), KNOWN).cells
    assert (choice.seeds("xen", "quick"), choice.seeds("xen", "full")) == (2, 8)
    assert choice.seeds("native", "quick") == 0


PAPER_ROW = f'title = "t"\nshows = "s"\npaper = "p.csv"\n{ROW}paper = "row"\n'
HEAD = "table,metric,unit,system,value\n"


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("9,row,us,Xen,5\n", "'w/m' is in MB/s, the paper's row in us"),
        ("9,row,MB/s,Xen,5\n9,row,us,L-UP,5\n", "'row' is in MB/s and in us"),
        ("9,row,MB/s,Linux,5\n", "unknown system"),
        ("9,row,MB/s,Xen,fast\n", "not a table of the paper"),
    ],
)
def test_numbers_of_the_paper_that_do_not_fit(tmp_path: Path, lines: str, complaint: str) -> None:
    written(tmp_path, "p.csv", HEAD + lines)
    with pytest.raises(ConfigError, match=complaint):
        read_experiment(written(tmp_path, "t.toml", PAPER_ROW), KNOWN)


def test_numbers_of_the_paper_are_in_the_rows_unit(tmp_path: Path) -> None:
    written(tmp_path, "p.csv", f"{HEAD}9,row,MB/s,Xen,5\n9,row,MB/s,L-UP,8\n")
    experiment = read_experiment(written(tmp_path, "t.toml", PAPER_ROW), KNOWN)
    (row,) = experiment.rows
    assert (row.unit.id, experiment.paper_value(row, "Xen")) == ("MB/s", 5.0)
    assert paper_ratio(experiment, row, "Xen") == 5 / 8


FIGURE = f'title = "t"\nshows = "s"\nfigure = 9\npaper = "f.csv"\n{CELLS}'
GROUP = f'{FIGURE}[[groups]]\npaper = "row"\nmetrics = ["w/m"]\nwhat = "x"\ndiffers = "y"\n'
FIGURE_HEAD = "figure,metric,unit,better,system,value\n"


def test_a_group_whose_paper_counts_in_another_unit(tmp_path: Path) -> None:
    written(tmp_path, "f.csv", f"{FIGURE_HEAD}9,row,s,lower,Xen,5\n9,row,s,lower,L-UP,4\n")
    experiment = read_experiment(written(tmp_path, "f.toml", GROUP), KNOWN)
    (group,) = experiment.groups
    assert (group.name, group.unit.id, experiment.number) == ("row", "MB/s", "Figure 9")
    assert paper_performance(experiment, group, group.paper_better, "Xen") == 4 / 5


@pytest.mark.parametrize(
    ("text", "lines", "complaint"),
    [
        (GROUP, "9,row,s,faster,Xen,5\n", "not a table of the paper"),
        (GROUP, "9,other,s,lower,Xen,5\n", r"groups\[0\].paper.*is no row of f.csv"),
        (GROUP.replace('["w/m"]', "[]"), "9,row,s,lower,Xen,5\n", "metrics.*is missing"),
        (GROUP.replace("w/m", "w/o"), "9,row,s,lower,Xen,5\n", "declared by no workload"),
        (GROUP.replace('"w/m"', '"w/m", "w/n"'), "9,row,s,lower,Xen,5\n", "must be in one unit"),
        (GROUP.replace(CELLS, ""), "9,row,s,lower,Xen,5\n", "choose no cell of w"),
        (GROUP.replace('differs = "y"\n', ""), "9,row,s,lower,Xen,5\n", "differs.*is missing"),
    ],
)
def test_a_broken_group_names_file_and_key(
    tmp_path: Path, text: str, lines: str, complaint: str
) -> None:
    written(tmp_path, "f.csv", FIGURE_HEAD + lines)
    metrics = (*KNOWN["w"].metrics, replace(METRIC, id="n", unit=synthetic.UNITS["us"]))
    known = {"w": replace(KNOWN["w"], metrics=metrics)}
    with pytest.raises(ConfigError, match=complaint) as caught:
        read_experiment(written(tmp_path, "f.toml", text), known)
    assert str(tmp_path) in str(caught.value)


CLAIM = '[[claims]]\nid = "O1"\nsentence = "s"\npaper = "p"\nabout = "Xen"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('metrics = ["w/m"]\nholds = "ous > 1"\n', "holds.*unknown name 'ous'"),
        ('metrics = ["w/m"]\nholds = "ours"\n', "neither true nor false"),
        ('metrics = ["w/m"]\nholds = "extra_us > 0"\n', "names microseconds.*is in MB/s"),
        ('metrics = ["w/m"]\nholds = "ours > paper"\n', "names the paper's ratio"),
        ('metrics = ["w/m"]\nholds = "ours > versus"\n', "versus.*is missing"),
        ('metrics = ["w/m"]\nholds = "ours > tolerance"\n', "tolerance.*is missing"),
        ('metrics = ["w/other"]\nholds = "ours > 1"\n', "'w/other' is a row of no experiment"),
        ('metrics = ["w/m"]\ndirection = "ours > 1"\n', "because.*is missing"),
        ('metrics = ["w/m"]\n', "neither an expression over metrics nor a fixed verdict"),
        ('verdict = "not testable here"\n', "because.*is missing"),
        ('about = ["VMW", "ESX"]\n', "about.*must be one or more of"),
        ('verdict = "reproduced"\nbecause = "b"\n', "verdict.*must be one of"),
        ('metrics = ["w/m"]\nverdict = "not measured"\nholds = "ours > 1"\n', "cannot stand"),
        ('groups = ["r"]\nholds = "performance > 1"\n', "groups.*'r' is a group of no experiment"),
        ('groups = ["row"]\nholds = "ours > 1"\n', "groups.*have a performance, and no ours"),
        ('groups = ["row"]\nholds = "performance > versus_performance"\n', "versus.*is missing"),
        ('metrics = ["w/m"]\nholds = "performance > paper_performance"\n', "paper's ratio"),
        ('groups = ["row"]\nholds = "performance > 1"\nuntestable = ["Xen"]\n', "for a reason"),
        (
            'groups = ["row"]\nholds = "performance > 1"\nuntestable = ["UML"]\nbecause = "b"\n',
            "untestable.*is not about",
        ),
        ('metrics = ["w/m"]\nholds = "ours > versus"\nversus = ["ESX"]\n', "versus.*must be one"),
    ],
)
def test_broken_claim_names_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    written(tmp_path, "t.toml", f'title = "t"\nshows = "s"\n{ROW}')
    written(tmp_path, "f.csv", f"{FIGURE_HEAD}9,row,s,lower,Xen,5\n")
    written(tmp_path, "f.toml", GROUP)
    head = CLAIM.replace('about = "Xen"\n', "") if "about =" in text else CLAIM
    written(tmp_path, "claims.toml", head + text)
    with pytest.raises(ConfigError, match=complaint) as caught:
        load_claims(tmp_path, load_experiments(tmp_path, KNOWN))
    assert "claims.toml: key 'claims[0]." in str(caught.value)


def test_folder_without_experiments_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no experiment"):
        load_experiments(tmp_path, KNOWN)
