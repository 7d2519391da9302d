# SPDX-License-Identifier: MIT
"""The hypervisor's tree, judged on any host; and what has to be compiled for it, in the image.

No test here depends on what the host happens to have: the first needs Python alone, the second runs
in the checks image only, where its tools are, and fails if they are not.
"""

import subprocess
import sys
from pathlib import Path

import check_tree
import pytest

HYPERVISOR = Path(__file__).resolve().parent.parent


def succeed(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_tree() -> None:
    """Sizes, layers, licence lines, documents."""
    succeed([sys.executable, str(HYPERVISOR / "tests" / "check_tree.py")])


def test_lines_of_code() -> None:
    """Comments and blank lines are none; a line with both code and comment is one."""
    text = """/* A comment
     * of three lines, with "a quote
     */
int a; // a remark

char *s = "/* no comment"; /* but this
is */ char q = '"'; /* one */
\t
"""
    assert check_tree.count_code(text) == 3


def test_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core is counted without drivers, back ends and their headers."""
    back_end = [HYPERVISOR / "io/blkback.c", HYPERVISOR / "include/hv/blkback.h"]
    core = [HYPERVISOR / "pv/grant.c", HYPERVISOR / "include/hv/grant.h"]
    monkeypatch.setattr(check_tree, "MAX_CORE", 0)
    assert check_tree.budget(back_end) == []
    assert "lines of code in the core, the ceiling is 0" in check_tree.budget(core)[0]
    monkeypatch.setattr(check_tree, "MAX_TOTAL", 0)
    assert "lines of code in all, the ceiling is 0" in check_tree.budget(back_end)[0]


@pytest.mark.guest
def test_make_check(tmp_path: Path) -> None:
    """It compiles, each header compiles alone, and the host units pass under sanitizers."""
    succeed(["make", "-C", str(HYPERVISOR), "check", f"BUILD={tmp_path}"])
