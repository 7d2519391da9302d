"""Where two consoles of the same cell part ways."""

from __future__ import annotations

from itertools import zip_longest

from harness.protocol import until_end


def first_difference(one: bytes, other: bytes) -> str:
    """The first line that differs, with both readings; consoles are cut at their end lines."""
    lines = zip_longest(_lines(one), _lines(other), fillvalue="(nothing)")
    for number, (left, right) in enumerate(lines, start=1):
        if left != right:
            return f"at console line {number}: {left!r}, then {right!r}"
    return "outside its console"


def _lines(console: bytes) -> list[str]:
    return until_end(console).decode("utf-8", errors="replace").splitlines()
