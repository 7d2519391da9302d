"""The guest root: what is in it, and that the same inputs give the same bytes (ring 2).

Runs in the checks image, where Debian's busybox-static and dash are, as root.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import WORKLOADS

pytestmark = pytest.mark.guest
SIZE_MAX = 8_000_000


@pytest.fixture(scope="module")
def root(built: Path) -> Path:
    make(WORKLOADS, built)
    return built / "guest.cpio"


def make(source: Path, out: Path) -> None:
    subprocess.run(["make", "-s", "-C", source, "root", f"OUT={out}"], check=True)


def listing(archive: Path) -> list[str]:
    with archive.open("rb") as data:
        argv = ["cpio", "-t", "--quiet"]
        return subprocess.run(argv, stdin=data, capture_output=True, text=True).stdout.split()


def test_holds_what_a_guest_needs(root: Path) -> None:
    names = listing(root)
    assert names == sorted(names)
    programs = [f"workloads/{file.parent.name}/run" for file in WORKLOADS.glob("*/workload.toml")]
    wanted = ["init", "bin/busybox", "bin/sh", "bin/dash", "etc/ld.so.cache", *programs]
    assert set(wanted) <= set(names)
    assert root.stat().st_size < SIZE_MAX


def test_same_bytes_again_and_from_elsewhere(root: Path, tmp_path: Path) -> None:
    copy, out = tmp_path / "elsewhere", tmp_path / "out"
    subprocess.run(["cp", "-r", WORKLOADS, copy], check=True)
    old_umask = os.umask(0o077)
    try:
        make(copy, out)
    finally:
        os.umask(old_umask)
    assert (out / "guest.cpio").read_bytes() == root.read_bytes()
