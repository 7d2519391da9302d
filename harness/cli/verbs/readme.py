"""rexen readme: the tables in the documents, from the reference results."""

from __future__ import annotations

from harness.cli.choice import Choice, choose
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.cli.verbs.report import study_of
from harness.errors import ExitCode
from harness.model.workload import PROFILES
from harness.store import read_reference


def add(verbs: Verbs) -> None:
    verbs.add("readme", readme, "write the tables of the documents from the reference results")


def readme(context: Context) -> ExitCode:
    from harness.report.readme import README_FILES, with_tables

    profile = PROFILES[0]
    everything = Choice(profile=profile, experiments=(), systems=(), workloads=(), point=None)
    records = read_reference(context.paths.reference(profile))
    study = study_of(context, choose(context.paths, everything), records)
    changed = []
    for name in README_FILES:
        file = context.paths.root / name
        old = file.read_text(encoding="utf-8")
        new = with_tables(study, old, name)
        if new != old:
            file.write_text(new, encoding="utf-8")
            changed.append(name)
    if context.json:
        emit({"changed": changed})
    else:
        print("\n".join(f"{name}: brought up to date" for name in changed) or "nothing changed")
    return ExitCode.OK
