"""The command line: options in, exit code out. What a verb does is in `verbs`.

Only here are errors printed and options parsed; a traceback means a bug in the harness.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import shtab

from harness.cli import verbs
from harness.cli.verbs import Options
from harness.errors import DiskFullError, ExitCode, HarnessError
from harness.measure.plan import PROFILES
from harness.paths import Paths, checkout_root
from harness.steps import Steps

Verb = Callable[[Options], ExitCode]
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

EPILOG = """exit codes:
    0   all well
    1   a bug in rexen
    2   usage: unknown verb, option, system, workload or profile
    3   broken catalogue file
    4   no container engine, or it went away
    5   image build failed
    6   a cell failed
    7   results differ
    8   the store is locked, damaged or empty
    9   disk full
  130   interrupted"""


def build_parser() -> argparse.ArgumentParser:
    """All verbs and options; completion and --help come from the same tree."""
    parser = argparse.ArgumentParser(
        prog="rexen",
        description="Xen and the Art of Virtualization (SOSP 2003), reproduced by one command.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shtab.add_argument_to(parser, ["--print-completion"], help="print a completion script")
    sub = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    common, choosing = _common_options(), _choosing_options()
    jobs, again = _jobs_option(), _again_option()

    def add(name: str, verb: Verb, text: str, *parents: argparse.ArgumentParser) -> None:
        one = sub.add_parser(name, help=text, description=text, parents=[common, *parents])
        one.set_defaults(run=verb)
        if name == "diff":
            one.add_argument("first", metavar="A", help="a results directory")
            one.add_argument("second", metavar="B", help="another one")
        if name == "shell":
            one.add_argument("name", metavar="SYSTEM", help="a system of the catalogue")
        if name == "export":
            one.add_argument(
                "--to", metavar="DIR", help="where to (default: the reports directory)"
            )

    add("doctor", verbs.doctor, "say what this host has, lacks, and what to do about it")
    add("list", verbs.list_catalogue, "list systems, workloads, metrics")
    add("build", verbs.build, "build the image that cells run in")
    add("plan", verbs.show_plan, "list cells with estimated time and disk", choosing, jobs, again)
    add("run", verbs.run, "measure the cells that are missing", choosing, jobs, again)
    add("verify", verbs.verify, "run cells again, compare bit by bit", choosing, jobs)
    add("report", verbs.report, "render the HTML report of what is measured", choosing)
    add("reproduce", verbs.reproduce, "all of it: build, run, report", choosing, jobs, again)
    add("diff", verbs.diff, "compare two sets of results exactly")
    add("export", verbs.export, "write records as Parquet, CSV and JSON with a schema", choosing)
    add("shell", verbs.shell, "boot a system and give its console (leave with Ctrl-])")
    return parser


def _common_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--results", metavar="DIR", help="the store (default: results/)")
    options.add_argument("--reports", metavar="DIR", help="where reports go (default: reports/)")
    options.add_argument("--json", action="store_true", help="print one JSON document instead")
    return options


def _choosing_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--profile",
        default=PROFILES[0],
        metavar="NAME",
        help="quick: small parameters, in minutes (default); full: the paper's, in a night",
    )
    for what in ("system", "workload"):
        options.add_argument(
            f"--{what}",
            action="append",
            default=[],
            metavar="NAME",
            help=f"only this {what}; may be given several times (default: all)",
        )
    return options


def _jobs_option() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--jobs", type=_jobs, default=0, metavar="N", help="machines at a time (default: cores)"
    )
    return options


def _again_option() -> argparse.ArgumentParser:
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


def options_of(parsed: argparse.Namespace) -> Options:
    """The parsed options as one value, handed down instead of a namespace."""
    values = vars(parsed)
    results, reports = values.get("results"), values.get("reports")
    return Options(
        paths=Paths.of(
            checkout_root(),
            results=Path(results) if results else None,
            reports=Path(reports) if reports else None,
        ),
        steps=Steps(quiet=bool(values.get("json"))),
        json=bool(values.get("json")),
        profile=values.get("profile", PROFILES[0]),
        systems=tuple(values.get("system", ())),
        workloads=tuple(values.get("workload", ())),
        jobs=values.get("jobs") or os.cpu_count() or 1,
        again=bool(values.get("again", False)),
        first=values.get("first", ""),
        second=values.get("second", ""),
        name=values.get("name", ""),
        to=Path(values["to"]) if values.get("to") else None,
    )


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code; prints errors as one line."""
    parsed = build_parser().parse_args(list(arguments))
    try:
        return int(parsed.run(options_of(parsed)))
    except HarnessError as error:
        _complain(error, as_json=bool(parsed.json))
        return int(error.code)
    except KeyboardInterrupt:
        print("rexen: interrupted; what was measured is kept", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output left, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        full = DiskFullError(str(error), hint="free some and run again; what was measured is kept")
        _complain(full, as_json=bool(parsed.json))
        return int(full.code)


def _complain(error: HarnessError, *, as_json: bool) -> None:
    print(f"rexen: {error}", file=sys.stderr)
    if as_json:
        print(
            json.dumps({"error": error.message, "hint": error.hint, "exit_code": int(error.code)})
        )
