"""rexen doctor: what this host has, lacks, and what to do about it."""

from __future__ import annotations

from harness.cli.context import Context
from harness.cli.output import emit, table
from harness.cli.parsers import Verbs
from harness.errors import ExitCode


def add(verbs: Verbs) -> None:
    verbs.add("doctor", doctor, "say what this host has, lacks, and what to do about it")


def doctor(context: Context) -> ExitCode:
    from harness.cli.doctor import examine

    findings = examine(context.paths)
    if context.json:
        emit([{"check": f.check, "ok": f.ok, "what": f.what, "todo": f.todo} for f in findings])
    else:
        mark = {True: "ok", False: "--"}
        print(table(["", "check", "found"], [[mark[f.ok], f.check, f.what] for f in findings]))
        for finding in findings:
            if finding.todo:
                print(f"{finding.check}: {finding.todo}")
    needed = all(finding.ok or not finding.needed for finding in findings)
    return ExitCode.OK if needed else ExitCode.ENGINE
