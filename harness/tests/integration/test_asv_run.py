"""`asv run`, as someone who knows asv would call it, in a checkout whose machines are fake."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import catalogue
from harness.paths import Paths, checkout_root

pytestmark = pytest.mark.slow

PARTS = ("harness", "baselines", "workloads", "hypervisor", "asv.conf.json", "inputs.lock")
# One is enough, of a workload that has both times and rates.
EXPERIMENTS = ("controls.toml",)
# In place of the launcher: the same command line, on fake machines.
LAUNCHER = """\
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$here exec {python} -m harness.tests.world "$here/starts" 0 "$@"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of one commit with copies of everything that a run reads."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in PARTS:
        path = checkout_root() / name
        if path.is_dir():
            shutil.copytree(path, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.o"))
        else:
            shutil.copy(path, root / name)
    for experiment in (root / "harness" / "experiments").glob("*.toml"):
        if experiment.name not in EXPERIMENTS:
            experiment.unlink()
    launcher = root / "rexen"
    launcher.write_text(LAUNCHER.format(python=sys.executable))
    launcher.chmod(0o755)
    (root / "results").mkdir()
    who = ("-c", "user.name=x", "-c", "user.email=x@x.invalid")
    for words in (("init", "-q"), ("add", "asv.conf.json"), (*who, "commit", "-q", "-m", "one")):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def asv(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: it for name, it in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", "asv", *words],
        cwd=root,
        env={**environment, "HOME": str(root)},
        capture_output=True,
        text=True,
    )


def test_asv_run_returns_the_numbers_of_our_records(checkout: Path) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert asv(checkout, "machine", "--yes").returncode == 0
    chosen = ("--bench", "controls.track_(cpu_loop|mem_read)")
    done = asv(checkout, "run", "--set-commit-hash", commit, *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = checkout.glob(f"results/asv/*/{commit[:8]}-*.json")
    results = json.loads(file.read_text())["results"]
    assert sorted(results) == ["controls.track_cpu_loop", "controls.track_mem_read_reciprocal"]
    values, (systems,) = results["controls.track_cpu_loop"][:2]
    # The fake console takes so many times as long on a system as its place in the catalogue.
    known = catalogue.load_systems(Paths.of(checkout))
    native = values[systems.index("'native'")] / known["native"].order
    assert native > 0
    assert values == [pytest.approx(native * known[system.strip("'")].order) for system in systems]
    assert (checkout / "starts").read_text().splitlines().count("controls@native") == 1
    assert asv(checkout, "publish").returncode == 0
    assert (checkout / "reports" / "asv" / "index.html").exists()
