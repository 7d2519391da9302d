"""Our numbers as benchmarks of asv: each metric of the catalogue is one, of type `track`.

    ./rexen list; .venv/bin/asv machine --yes
    .venv/bin/asv run --set-commit-hash $(git rev-parse HEAD)
    .venv/bin/asv publish; .venv/bin/asv preview

asv times nothing here. Before the first benchmark `rexen run` measures what is missing, and each
benchmark returns what the records of this checkout's cells say; a number of which more is better,
as its reciprocal. REXEN_PROFILE is `quick`, or `full`.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

# asv knows nothing of the checkout that this file lies in.
ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from harness import catalogue  # noqa: E402
from harness.analysis.study import Study  # noqa: E402
from harness.errors import ExitCode  # noqa: E402
from harness.host import process  # noqa: E402
from harness.host.process import ProcessFailed  # noqa: E402
from harness.model.workload import PROFILES  # noqa: E402
from harness.paths import Paths  # noqa: E402
from harness.store import Store  # noqa: E402
from harness.tracking import asv  # noqa: E402
from harness.tracking.tonight import numbers_of  # noqa: E402

PROFILE = os.environ.get("REXEN_PROFILE", PROFILES[0])
PATHS = Paths.of(ROOT)
MEASURE_WALL_S = 24 * 3600.0
PLAN_WALL_S = 600.0

# By benchmark, system and point, joined by spaces; None where there is no number.
Values = dict[str, float | None]


def setup_cache() -> Values:
    """Measure what is missing, and read what is measured. A failed cell has no numbers."""
    rexen, log = str(ROOT / "rexen"), PATHS.build / "logs" / "asv-run.log"
    try:
        process.run([rexen, "run", "--profile", PROFILE], log=log, wall_s=MEASURE_WALL_S)
    except ProcessFailed as error:
        if error.status != ExitCode.CELL_FAILED:
            raise
    plan = process.capture([rexen, "plan", "--profile", PROFILE, "--json"], wall_s=PLAN_WALL_S)
    store = Store(PATHS.results)
    records = [it for cell in json.loads(plan)["cells"] for it in store.attempts(cell["id"])]
    systems, workloads = catalogue.load_systems(PATHS), catalogue.load_workloads(PATHS)
    study = Study.of(records, systems=systems, workloads=workloads, experiments=[], claims=[])
    return {
        f"{asv.asv_name(one)} {one.system} {one.point}": asv.asv_value(one)
        for one in numbers_of(study)
    }


setup_cache.timeout = MEASURE_WALL_S  # type: ignore[attr-defined]


def _track(benchmark: asv.Benchmark) -> Callable[..., float]:
    """The benchmark of one metric, with the attributes that asv looks for."""

    def track(values: Values, system: str, point: str = "") -> float:
        value = values.get(f"{benchmark.name} {system} {point}")
        return math.nan if value is None else value

    track.benchmark_name = benchmark.name  # type: ignore[attr-defined]
    track.pretty_name = benchmark.title  # type: ignore[attr-defined]
    track.unit = benchmark.unit  # type: ignore[attr-defined]
    track.version = benchmark.unit or "1"  # type: ignore[attr-defined]
    track.param_names = list(benchmark.axes)  # type: ignore[attr-defined]
    track.params = [list(values) for values in benchmark.axes.values()]  # type: ignore[attr-defined]
    return track


for _one in asv.benchmarks(asv.expected(PATHS, PROFILE)).values():
    globals()[_one.name.replace("-", "_").replace(".", "_")] = _track(_one)
