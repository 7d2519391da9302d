"""Catalogue folders outside the checkout, as `--catalogue DIR` names them.

    DIR/systems/<id>/system.toml        as a directory of baselines/
    DIR/workloads/<name>/workload.toml  as a directory of workloads/
    DIR/experiments/<name>.toml         as a file of harness/experiments/

In the image build they stand among those of the checkout, so the recipe knows no difference; a name
that the checkout has already is therefore refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import ConfigError, UsageError
from harness.paths import Paths

SYSTEMS, WORKLOADS, EXPERIMENTS = PARTS = ("systems", "workloads", "experiments")


def check_folders(paths: Paths) -> None:
    """Raises UsageError for a folder that is no catalogue."""
    for folder in paths.catalogues:
        if not any((folder / part).is_dir() for part in PARTS):
            raise UsageError(
                f"--catalogue {folder}: has none of {', '.join(f'{it}/' for it in PARTS)}",
                hint="harness/EXTENDING.md shows one",
            )


def system_files(paths: Paths) -> list[Path]:
    """Every `system.toml`. Raises ConfigError for one in a directory that baselines/ has too."""
    return _files(paths, SYSTEMS, "system.toml", paths.baselines)


def workload_files(paths: Paths) -> list[Path]:
    """Every `workload.toml`. Raises ConfigError for one in a directory that workloads/ has too."""
    return _files(paths, WORKLOADS, "workload.toml", paths.workloads)


def experiment_folders(paths: Paths) -> list[Path]:
    """The folders of experiments outside."""
    folders = [folder / EXPERIMENTS for folder in paths.catalogues]
    return [folder for folder in folders if folder.is_dir()]


def entries(paths: Paths) -> Iterator[tuple[str, Path]]:
    """Every system's and workload's directory, by the place where the image build expects it, in
    that order. Raises ConfigError."""
    systems = [("baselines", file.parent) for file in system_files(paths)]
    workloads = [("workloads", file.parent) for file in workload_files(paths)]
    for top, folder in sorted(systems + workloads, key=lambda it: (it[0], it[1].name)):
        yield f"{top}/{folder.name}", folder


def _files(paths: Paths, part: str, name: str, ours: Path) -> list[Path]:
    files = [
        file for folder in paths.catalogues for file in sorted((folder / part).glob(f"*/{name}"))
    ]
    for file in files:
        taken = ours / file.parent.name
        if taken.exists():
            raise ConfigError(f"{file}: {taken} exists already: give the directory another name")
    return files
