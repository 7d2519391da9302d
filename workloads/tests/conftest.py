"""The programs of `workloads/`, built once per test session, in the checks image (ring 2)."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

WORKLOADS = Path(__file__).resolve().parents[1]
IMAGE = Path("/opt/rexen/disk/root.img")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output directory of `make -C workloads`."""
    out = tmp_path_factory.mktemp("workloads")
    subprocess.run(["make", "-s", "-C", WORKLOADS, f"OUT={out}"], check=True)
    return out


@pytest.fixture(scope="session")
def large_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image of the large root holds, as a tree that can be written to and entered."""
    tree = tmp_path_factory.mktemp("image") / "root"
    subprocess.run(["fsck.erofs", f"--extract={tree}", IMAGE], check=True, capture_output=True)
    (tree / "tmp").chmod(0o1777)
    os.mknod(tree / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    return tree
