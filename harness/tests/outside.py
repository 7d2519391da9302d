"""The files that EXTENDING.md shows, as a new user would write them."""

from __future__ import annotations

import re
from pathlib import Path

from harness.paths import checkout_root

PAGE = checkout_root() / "harness" / "EXTENDING.md"
EXAMPLE = re.compile(r"^\*\*(mine/[\w./-]+)\*\*\n\n```\w+\n(.*?)^```$", re.M | re.S)


def write_examples(top: Path) -> Path:
    """Below `top`, where the page says."""
    found = EXAMPLE.findall(PAGE.read_text())
    assert len(found) == 4
    for name, text in found:
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return top
