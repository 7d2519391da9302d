"""Results on standard output: an aligned table for people, one JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence


def emit(document: object) -> None:
    """One JSON document."""
    print(spelled(document), end="")


def spelled(document: object) -> str:
    """As it is printed."""
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns wide enough for their content, two spaces apart."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
