"""Nights as results of asv, airspeed velocity: the one module that knows its files.

    <folder>/asv.conf.json                 its repository is the ledger: a revision is a night
    <folder>/results/benchmarks.json       one benchmark a metric; its parameters: system, point
    <folder>/results/<machine>/machine.json
    <folder>/results/<machine>/<entry>-<profile>.json     one file a night

asv knows regressions only as increases. A number of which more is better goes in as its
reciprocal, with a name and a unit that say so: `osdb.track_ir_reciprocal`, `s/tuple`.

Everything is made anew from the ledger each time, so there is nothing here to keep.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness import catalogue
from harness.host import process
from harness.model.unit import Better
from harness.paths import Paths, checkout_root
from harness.tracking.changes import STEP
from harness.tracking.ledger import BRANCH, Ledger
from harness.tracking.night import Night, Number

# Of asv 0.6: the versions that these files of its have.
CONFIG_VERSION, BENCHMARKS_VERSION, RESULTS_VERSION, MACHINE_VERSION = 1, 2, 2, 1
# Every host gives the same numbers, so there is but one machine.
MACHINE = {
    "machine": "emulated-pc",
    "arch": "x86_64",
    "cpu": "QEMU TCG icount",
    "num_cpu": "1",
    "os": "Linux",
    "ram": "",
}
RECIPROCAL = "_reciprocal"
NO_URL = "#"
# Beside asv's pages: what they put before a commit, then each night that they have.
DRAWN = "drawn.txt"
PUBLISH_WALL_S = 1800.0


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One metric as asv has it: `axes` maps the names of its parameters to their values."""

    name: str
    title: str
    unit: str
    axes: Mapping[str, tuple[str, ...]]

    def document(self) -> dict[str, object]:
        return {
            "code": "",
            "name": self.name,
            "param_names": list(self.axes),
            "params": [[repr(one) for one in values] for values in self.axes.values()],
            "pretty_name": self.title,
            "type": "track",
            "unit": self.unit,
            # Results under another unit are not drawn on one line with these.
            "version": self.unit or "1",
        }

    def places(self) -> list[tuple[str, str]]:
        """(system, point) in asv's order of results."""
        points = self.axes.get("point", ("",))
        return [(system, point) for system in self.axes["system"] for point in points]


def asv_name(number: Number) -> str:
    """`osdb.track_ir_reciprocal`; asv tells by the prefix that it is a number, not a time."""
    return f"{number.workload}.track_{number.metric}{RECIPROCAL if _inverted(number) else ''}"


def asv_unit(number: Number) -> str:
    """The unit of `asv_value`: `µs`, `s/tuple`, `1/connection`."""
    if not _inverted(number):
        return number.unit
    counted, per, unit = number.unit.partition("/")
    return f"{unit if per else '1'}/{_singular(counted) or 'score'}"


def asv_value(number: Number) -> float | None:
    """None where the number has no reciprocal."""
    value = number.value
    if _inverted(number):
        value = 1 / value if value else math.nan
    return value if math.isfinite(value) else None


def _inverted(number: Number) -> bool:
    return number.direction is Better.HIGHER


def _singular(word: str) -> str:
    """Of a counted word; `MB` is none."""
    return word[:-1] if word.islower() and word.endswith("s") else word


def benchmarks(numbers: Iterable[Number]) -> dict[str, Benchmark]:
    """By name, sorted; newer numbers come later and say the unit."""
    by_name: dict[str, list[Number]] = {}
    for one in numbers:
        by_name.setdefault(asv_name(one), []).append(one)
    return {name: _benchmark(name, mine) for name, mine in sorted(by_name.items())}


def _benchmark(name: str, numbers: Sequence[Number]) -> Benchmark:
    last = numbers[-1]
    points = tuple(sorted({one.point for one in numbers}, key=_in_order))
    axes = {"system": tuple(sorted({one.system for one in numbers}))}
    if points != ("",):
        axes["point"] = points
    title = f"{last.workload}: {last.metric}{', reciprocal' if _inverted(last) else ''}"
    return Benchmark(name, title, asv_unit(last), axes)


def expected(paths: Paths, profile: str) -> list[Number]:
    """A number without a value for each that the experiments will give: names, units and points
    come from the catalogue alone. Raises ConfigError."""
    workloads, systems = catalogue.load_workloads(paths), catalogue.load_systems(paths)
    found: dict[tuple[str, ...], Number] = {}
    for experiment in catalogue.load_experiments(
        paths.experiments, workloads, catalogue.experiment_folders(paths)
    ):
        for choice in experiment.cells:
            workload = workloads[choice.workload]
            able = [one.id for one in systems.values() if not one.cannot(workload)]
            for system in filter(choice.wants, able):
                for point in choice.points(profile):
                    for metric in workload.metrics:
                        one = Number(
                            system=system,
                            workload=workload.id,
                            metric=metric.id,
                            point=str(point),
                            unit=metric.unit.symbol,
                            direction=metric.better,
                            value=math.nan,
                            spread=0.0,
                            cell="",
                        )
                        found[one.place] = one
    return list(found.values())


def _in_order(point: str) -> list[tuple[str, int]]:
    """`block=512` before `block=4096`."""
    pairs = (pair.partition("=") for pair in point.split(",") if pair)
    return [(name, int(value)) for name, _, value in pairs]


def benchmarks_document(known: Mapping[str, Benchmark]) -> dict[str, object]:
    documents = {name: one.document() for name, one in known.items()}
    return {**documents, "version": BENCHMARKS_VERSION}


def machine_document() -> dict[str, object]:
    return {**MACHINE, "version": MACHINE_VERSION}


def result(night: Night, known: Mapping[str, Benchmark]) -> dict[str, object]:
    """One night's file of results."""
    values = {(asv_name(one), one.system, one.point): one for one in night.numbers}
    results: dict[str, object] = {}
    for name, benchmark in known.items():
        found = [values.get((name, *place)) for place in benchmark.places()]
        if any(found):
            row = [asv_value(one) if one else None for one in found]
            document = benchmark.document()
            results[name] = [row, document["params"], document["version"]]
    return {
        "commit_hash": night.entry,
        "date": _js_date(night),
        "env_name": night.profile,
        "env_vars": {},
        "durations": {},
        "params": {**MACHINE, "profile": night.profile},
        "python": "",
        "requirements": {},
        "result_columns": ["result", "params", "version"],
        "results": results,
        "version": RESULTS_VERSION,
    }


def _js_date(night: Night) -> int:
    return int(datetime.fromisoformat(night.date).replace(tzinfo=UTC).timestamp()) * 1000


def config(ledger: Ledger, html: Path, commit_url: str) -> dict[str, object]:
    """asv's own configuration; a step of exact numbers is real however small."""
    return {
        "version": CONFIG_VERSION,
        "project": "Rexen, by night",
        "project_url": "#",
        "repo": str(ledger.folder.resolve()),
        "branches": [BRANCH],
        "dvcs": "git",
        "environment_type": "existing",
        "benchmark_dir": "benchmarks",
        "results_dir": "results",
        "html_dir": str(html.resolve()),
        "show_commit_url": commit_url or NO_URL,
        "hash_length": 12,
        "regressions_thresholds": {".*": STEP},
    }


def write(folder: Path, ledger: Ledger, html: Path, *, commit_url: str = "") -> int:
    """All files for `asv publish`, in `folder` made anew; how many nights. Raises StoreError."""
    nights = ledger.nights()
    shutil.rmtree(folder, ignore_errors=True)
    machine = folder / "results" / MACHINE["machine"]
    machine.mkdir(parents=True)
    _json(folder / "asv.conf.json", config(ledger, html, commit_url))
    _json(machine / "machine.json", machine_document())
    known = benchmarks(one for night in nights for one in night.numbers)
    _json(folder / "results" / "benchmarks.json", benchmarks_document(known))
    for night in nights:
        name = f"{night.entry[:8]}-{night.profile}.json"
        _json(machine / name, result(night, known))
    lines = [commit_url or NO_URL, *(one.entry for one in nights)]
    (folder / DRAWN).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(nights)


def is_current(html: Path, nights: Sequence[Night], commit_url: str) -> bool:
    """Whether the pages have every night on which a number changed, and the first one; the nights
    between them are a straight line."""
    try:
        url, *drawn = (html / DRAWN).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    wanted = {one.entry for one in nights if one.counts.changed} | {nights[0].entry}
    return url == (commit_url or NO_URL) and wanted <= set(drawn)


def publish(folder: Path, log: Path) -> None:
    """asv's site from the files that `write` made. Raises ProcessFailed."""
    command = [sys.executable, "-P", "-m", "harness.tracking.asv_command"]
    process.run(
        [*command, "publish", "--no-pull", "--config", str(folder / "asv.conf.json")],
        log=log,
        wall_s=PUBLISH_WALL_S,
        environment={"PYTHONPATH": str(checkout_root())},
    )
    conf = json.loads((folder / "asv.conf.json").read_text(encoding="utf-8"))
    shutil.copy(folder / DRAWN, Path(conf["html_dir"]) / DRAWN)


def as_text(document: object) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _json(path: Path, document: object) -> None:
    path.write_text(as_text(document), encoding="utf-8")
