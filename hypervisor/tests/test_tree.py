# SPDX-License-Identifier: MIT
"""The hypervisor's own `make check`: host units with sanitizers, layers, sizes, headers."""

import shutil
import subprocess
from pathlib import Path

import pytest

HYPERVISOR = Path(__file__).resolve().parent.parent


def test_make_check(tmp_path: Path) -> None:
    if not Path("/usr/include/xen/xen.h").exists() or not shutil.which("gcc"):
        pytest.skip("needs gcc and libxen-dev, as in the toolchain image")
    argv = ["make", "-C", str(HYPERVISOR), "check", f"BUILD={tmp_path}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
