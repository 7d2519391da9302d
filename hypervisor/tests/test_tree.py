# SPDX-License-Identifier: MIT
"""The hypervisor's tree, judged on any host; and what has to be compiled for it, in the image.

No test here depends on what the host happens to have: the first needs Python alone, the second runs
in the checks image only, where its tools are, and fails if they are not.
"""

import subprocess
import sys
from pathlib import Path

import pytest

HYPERVISOR = Path(__file__).resolve().parent.parent


def succeed(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_tree() -> None:
    """Sizes, layers, licence lines, documents."""
    succeed([sys.executable, str(HYPERVISOR / "tests" / "check_tree.py")])


@pytest.mark.guest
def test_make_check(tmp_path: Path) -> None:
    """It compiles, each header compiles alone, and the host units pass under sanitizers."""
    succeed(["make", "-C", str(HYPERVISOR), "check", f"BUILD={tmp_path}"])
