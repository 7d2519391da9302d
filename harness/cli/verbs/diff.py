"""rexen diff A B: compare two sets of results exactly."""

from __future__ import annotations

from harness.cli.context import Context
from harness.cli.parsers import Verbs
from harness.errors import ExitCode


def add(verbs: Verbs) -> None:
    parser = verbs.add("diff", diff, "compare two sets of results exactly")
    parser.add_argument("first", metavar="A", help="a results directory")
    parser.add_argument("second", metavar="B", help="another one")


def diff(context: Context, *, first: str, second: str) -> ExitCode:
    raise NotImplementedError
