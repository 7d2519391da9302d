"""rexen list: systems, workloads, metrics, experiments."""

from __future__ import annotations

from harness import catalogue
from harness.cli.context import Context
from harness.cli.output import emit, table
from harness.cli.parsers import Verbs
from harness.errors import ExitCode
from harness.model.workload import PROFILES


def add(verbs: Verbs) -> None:
    verbs.add("list", list_catalogue, "list experiments, systems, workloads, metrics")


def list_catalogue(context: Context) -> ExitCode:
    systems = catalogue.load_systems(context.paths).values()
    workloads = catalogue.load_workloads(context.paths)
    experiments = catalogue.load_experiments(
        context.paths.experiments, workloads, catalogue.experiment_folders(context.paths)
    )
    if context.json:
        emit(
            {
                "experiments": [{"id": e.id, "title": e.title} for e in experiments],
                "systems": [{"id": s.id, "title": s.title} for s in systems],
                "workloads": [
                    {
                        "id": w.id,
                        "title": w.title,
                        "metrics": [m.id for m in w.metrics],
                        "axes": list(w.axes),
                    }
                    for w in workloads.values()
                ],
                "profiles": list(PROFILES),
            }
        )
        return ExitCode.OK
    print(table(["experiment", "what it is"], [[e.id, e.title] for e in experiments]))
    rows = [[s.id, s.stands_for, s.title] for s in systems]
    print("\n" + table(["system", "paper", "what it is"], rows))
    rows = [
        [w.id, w.title, ", ".join([*(m.id for m in w.metrics), *(f"@{a}" for a in w.axes)])]
        for w in workloads.values()
    ]
    print("\n" + table(["workload", "what it is", "metrics, @axes"], rows))
    print(f"\nprofiles: {', '.join(PROFILES)}")
    return ExitCode.OK
