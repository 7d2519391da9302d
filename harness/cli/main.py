"""The command line: options in, exit code out. What a verb does is in `verbs`.

Only here are errors printed and exit codes made; a traceback means a bug in the harness.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from harness import catalogue
from harness.cli.choice import Choice
from harness.cli.context import Context
from harness.cli.parsers import Verbs
from harness.cli.verbs import VERBS
from harness.errors import EXIT_CODES, DiskFullError, ExitCode, HarnessError
from harness.paths import Paths, checkout_root
from harness.steps import Steps

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
EPILOG = "exit codes:\n" + "\n".join(f"{code:5d}   {text}" for code, text in EXIT_CODES.items())
CHOOSING = ("profile", "experiment", "system", "workload", "point", "shard")
COMPLETION = "--print-completion"


def build_parser() -> argparse.ArgumentParser:
    """All verbs and options; completion and --help come from the same tree."""
    parser = argparse.ArgumentParser(
        prog="rexen",
        description="Xen and the Art of Virtualization (SOSP 2003), reproduced by one command.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        COMPLETION, choices=("bash", "zsh", "tcsh"), help="print a completion script"
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--results", type=Path, metavar="DIR", help="the store (default: results/)")
    common.add_argument(
        "--reports", type=Path, metavar="DIR", help="where reports go (default: reports/)"
    )
    common.add_argument(
        "--catalogue",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="further systems, workloads and experiments; may be given several times",
    )
    common.add_argument("--json", action="store_true", help="print one JSON document instead")
    verbs = Verbs(parser.add_subparsers(dest="verb", metavar="VERB"), common)
    for verb in VERBS:
        verb.add(verbs)
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The parsed command line; leaves by SystemExit for --help, completion and usage errors."""
    parser = build_parser()
    parsed = parser.parse_args(list(arguments))
    if parsed.print_completion:
        import shtab

        print(shtab.complete(parser, parsed.print_completion))
        parser.exit()
    if parsed.verb is None:
        parser.error("a VERB is needed")
    return parsed


def call(parsed: argparse.Namespace) -> ExitCode:
    """Hand a verb its context and its options, each by its name."""
    options = vars(parsed)
    json_wanted = bool(options.pop("json"))
    paths = Paths.of(
        checkout_root(),
        results=options.pop("results"),
        reports=options.pop("reports"),
        catalogues=options.pop("catalogue"),
    )
    catalogue.check_folders(paths)
    context = Context(
        paths=paths,
        steps=Steps(quiet=json_wanted),
        json=json_wanted,
    )
    function = options.pop("function")
    for name in ("verb", "print_completion"):
        options.pop(name)
    if "profile" in options:
        choice = Choice.of(parsed)
        options = {name: it for name, it in options.items() if name not in CHOOSING}
        options["choice"] = choice
    if "jobs" in options:
        options["jobs"] = options["jobs"] or os.cpu_count() or 1
    return ExitCode(function(context, **options))


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code; prints errors as one line."""
    parsed = parse(arguments)
    as_json = bool(parsed.json)
    try:
        return int(call(parsed))
    except HarnessError as error:
        _complain(error, as_json=as_json)
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
        _complain(full, as_json=as_json)
        return int(full.code)


def _complain(error: HarnessError, *, as_json: bool) -> None:
    print(f"rexen: {error}", file=sys.stderr)
    if as_json:
        print(
            json.dumps({"error": error.message, "hint": error.hint, "exit_code": int(error.code)})
        )
