"""Which cells a command is about: its options, and what they choose from the catalogue."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from harness import catalogue
from harness.errors import UsageError
from harness.model.cell import Coordinates
from harness.model.experiment import Experiment
from harness.model.point import Point
from harness.model.shard import Shard
from harness.model.system import System
from harness.model.workload import PROFILES, Workload
from harness.paths import Paths

# What --cluster says for one of this host's own.
LOCAL = "local"
KINDS = ("experiment", "system", "workload")


@dataclass(frozen=True, slots=True)
class Choice:
    """The names on the command line; none of a kind means all. `point` is None for all points."""

    profile: str
    experiments: tuple[str, ...]
    systems: tuple[str, ...]
    workloads: tuple[str, ...]
    point: Point | None
    shard: Shard | None = None

    @classmethod
    def of(cls, parsed: argparse.Namespace) -> Choice:
        return cls(
            profile=parsed.profile,
            experiments=tuple(parsed.experiment),
            systems=tuple(parsed.system),
            workloads=tuple(parsed.workload),
            point=parsed.point,
            shard=getattr(parsed, "shard", None),
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The part of the catalogue a command works on, checked before anything slow begins."""

    profile: str
    experiments: list[Experiment]
    systems: list[System]
    workloads: list[Workload]
    point: Point | None

    def wants(self, at: Coordinates) -> bool:
        """Whether a measured cell is one that these experiments, names and point choose."""
        return (
            at.profile == self.profile
            and any(one.id == at.system for one in self.systems)
            and any(one.id == at.workload for one in self.workloads)
            and (self.point is None or at.point == self.point)
            and any(_asks(one, at) for one in self.experiments)
        )

    def plans(self, at: Coordinates) -> bool:
        """Whether these experiments would measure the cell unasked: no seed beyond theirs."""
        seeds = (
            one.seeds(at.system, at.profile)
            for experiment in self.experiments
            for one in experiment.cells
            if one.workload == at.workload
        )
        return self.wants(at) and at.point.perturb <= max(seeds, default=0)


def _asks(experiment: Experiment, at: Coordinates) -> bool:
    """Whether an experiment needs this cell, under whatever perturbation."""
    return any(
        one.workload == at.workload
        and one.wants(at.system)
        and at.point.unperturbed in one.points(at.profile)
        for one in experiment.cells
    )


def choose(paths: Paths, choice: Choice) -> Chosen:
    """Raises UsageError for unknown names, ConfigError for broken files."""
    catalogue.choose("profile", {name: name for name in PROFILES}, [choice.profile])
    systems = catalogue.load_systems(paths)
    workloads = catalogue.load_workloads(paths)
    experiments = catalogue.load_experiments(
        paths.experiments, workloads, catalogue.experiment_folders(paths)
    )
    by_id = {experiment.id: experiment for experiment in experiments}
    chosen = Chosen(
        profile=choice.profile,
        experiments=catalogue.choose("experiment", by_id, choice.experiments),
        systems=catalogue.choose("system", systems, choice.systems),
        workloads=catalogue.choose("workload", workloads, choice.workloads),
        point=choice.point,
    )
    if choice.point is not None and not _has_point(chosen, choice.point):
        raise UsageError(
            f"no chosen cell lies at point '{choice.point}'", hint="rexen plan lists all points"
        )
    return chosen


def _has_point(chosen: Chosen, point: Point) -> bool:
    choices = (one for experiment in chosen.experiments for one in experiment.cells)
    return any(point.unperturbed in one.points(chosen.profile) for one in choices)


def choosing_options() -> argparse.ArgumentParser:
    """--profile, --experiment, --system, --workload, --point."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--profile",
        default=PROFILES[0],
        metavar="NAME",
        help="quick: small parameters, in minutes (default); full: the paper's, in a night",
    )
    for what in KINDS:
        options.add_argument(
            f"--{what}",
            action="append",
            default=[],
            metavar="NAME",
            help=f"only this {what}; may be given several times (default: all)",
        )
    options.add_argument(
        "--point", type=_point, default=None, metavar="A=1", help="only cells at this point"
    )
    return options


def _point(text: str) -> Point:
    try:
        return Point.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def jobs_option() -> argparse.ArgumentParser:
    """--jobs."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--jobs", type=_jobs, default=None, metavar="N", help="machines at a time (default: cores)"
    )
    return options


def cluster_option() -> argparse.ArgumentParser:
    """--cluster."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--cluster",
        default="",
        metavar="WHERE",
        help="run cells on Dask workers: 'local' starts --jobs of them here, else a scheduler's "
        "address (default: threads of this process)",
    )
    return options


def running_options() -> argparse.ArgumentParser:
    """--jobs, --perturb, --shard."""
    options = argparse.ArgumentParser(add_help=False, parents=[jobs_option()])
    options.add_argument(
        "--perturb",
        type=_count,
        default=None,
        metavar="N",
        help="measure N perturbations of every cell (default: as its experiment says)",
    )
    options.add_argument(
        "--shard",
        type=_shard,
        default=None,
        metavar="I/N",
        help="only the I-th of N parts of the cells; 'rexen merge' joins what they measured",
    )
    return options


def again_option() -> argparse.ArgumentParser:
    """--again."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--again", action="store_true", help="run cells that are measured already once more"
    )
    return options


def _jobs(text: str) -> int:
    jobs = int(text)
    if jobs < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return jobs


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("must be at least 0")
    return count
