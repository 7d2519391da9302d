"""kernel-build with the large root taken apart, on the build machine (ring 2, the checks image).

What it builds must be what the image's recipe built, to the bit, or the workload fails.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from conftest import WORKLOADS
from contract import run_in_root

from harness import protocol
from harness.model.record import Phase

pytestmark = pytest.mark.guest
LISTED = (WORKLOADS / "root/linux.objects").read_text().splitlines()
OBJECTS = [line for line in LISTED if not line.startswith("#")]


def run(built: Path, root: Path, *parameters: str) -> tuple[int, bytes]:
    return run_in_root(built / "workloads/kernel-build/run", root, *parameters)


def test_builds_the_objects_and_leaves_nothing(built: Path, large_root: Path) -> None:
    status, output = run(built, large_root, "reps=2", "objects=2")
    assert status == 0, output
    samples = protocol.parse(output).samples
    for metric in ("build", "system_share"):
        phases = [(it.phase, it.rep) for it in samples if it.metric == metric]
        assert phases == [(Phase.WARM, 0), (Phase.RUN, 1), (Phase.RUN, 2)]
    assert {it.count for it in samples if it.metric == "build"} == {1}
    shares = [it for it in samples if it.metric == "system_share"]
    assert all(0 < it.count < it.total_ns for it in shares)
    assert list((large_root / "mnt/data").iterdir()) == []


def test_an_object_that_came_out_otherwise_fails(built: Path, large_root: Path) -> None:
    """It compiles, but it is not what the recipe compiled."""
    source = large_root / "usr/src/linux/lib/llist.c"
    text = source.read_text()
    source.write_text(f"{text}extern int one_more;\nint one_more = 1;\n")
    status, output = run(built, large_root, "objects=2")
    source.write_text(text)
    assert status == 1
    (reason,) = protocol.parse(output).failures
    assert reason.startswith("build sha256sum ended with status 1")
    assert b"lib/llist.o: FAILED" in output


def test_a_source_that_does_not_compile_fails_with_the_words(built: Path, large_root: Path) -> None:
    source = large_root / "usr/src/linux/lib/llist.c"
    text = source.read_text()
    source.write_text("#error nobody can compile this\n")
    status, output = run(built, large_root, "objects=2")
    source.write_text(text)
    assert status == 1
    (reason,) = protocol.parse(output).failures
    assert reason.startswith("build make ended with status 2: make: ***")
    assert b"nobody can compile this" in output


def test_more_objects_than_the_image_knows_fail(built: Path, large_root: Path) -> None:
    known = len(OBJECTS) + 1  # vmlinux
    status, output = run(built, large_root, f"objects={known + 1}")
    assert status == 1
    (reason,) = protocol.parse(output).failures
    assert f"the image knows {known} objects" in reason


def test_all_objects_of_the_list_and_vmlinux_are_known_in_its_order(large_root: Path) -> None:
    sums = (large_root / "usr/src/linux.sums").read_text().splitlines()
    assert [line.split()[1] for line in sums] == [*OBJECTS, "vmlinux"]


def test_full_builds_vmlinux_and_its_sources_fit_the_data_disk(large_root: Path) -> None:
    """Building it takes minutes; to count its sources does not. ext4 has 128 MiB, 8192 inodes."""
    full = tomllib.loads((WORKLOADS / "kernel-build/workload.toml").read_text())["profiles"]["full"]
    assert (full["first"], full["objects"]) == (len(OBJECTS) + 1, 1)
    lines = (large_root / "usr/src/linux.files").read_text().splitlines()
    sizes = [(large_root / "usr/src/linux" / line.split()[1]).lstat().st_size for line in lines]
    assert sum(1 for line in lines if line.endswith(".c")) > 300
    blocks = sum(-(-size // 4096) for size in sizes)
    assert blocks * 4096 < 64 << 20  # as much again for what is made of them
    assert len(lines) < 4500  # of 8192 inodes
