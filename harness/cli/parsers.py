"""The tree of verbs that --help, completion and parsing come from."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import ExitCode

Function = Callable[..., ExitCode]


@dataclass(frozen=True, slots=True)
class Verbs:
    """Where a verb's module adds its parser. `common` are the options that all verbs have."""

    subparsers: argparse._SubParsersAction[argparse.ArgumentParser]
    common: argparse.ArgumentParser

    def add(
        self, name: str, function: Function, text: str, *parents: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        """A verb; `function` gets the context, and every option of the verb by its name."""
        parser = self.subparsers.add_parser(
            name, help=text, description=text, parents=[self.common, *parents]
        )
        parser.set_defaults(function=function)
        return parser
