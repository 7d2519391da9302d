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
BASE_MAX = 6_000_000


@pytest.fixture(scope="module")
def root(built: Path) -> Path:
    """The output directory of `make -C workloads root`."""
    make(WORKLOADS, built)
    return built


def make(source: Path, out: Path) -> None:
    subprocess.run(["make", "-s", "-C", source, "root", f"OUT={out}"], check=True)


def archives(out: Path) -> dict[str, bytes]:
    return {str(file.relative_to(out)): file.read_bytes() for file in sorted(out.rglob("*.cpio"))}


def listing(archive: bytes) -> list[str]:
    argv = ["cpio", "-t", "--quiet"]
    done = subprocess.run(argv, input=archive, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split()


def test_base_holds_what_a_guest_needs_and_no_workload(root: Path) -> None:
    base = (root / "root/base.cpio").read_bytes()
    assert len(base) < BASE_MAX
    names = listing(base)
    assert names == sorted(names)
    wanted = {"init", "bin/busybox", "bin/sh", "bin/dash", "etc/ld.so.cache"}
    assert wanted <= set(names)
    workloads = [name for name in names if name.startswith("workloads")]
    assert workloads[:2] == ["workloads", "workloads/lib"]
    assert all(name.startswith("workloads/lib/") for name in workloads[2:])
    assert "workloads/lib/report.sh" in workloads


def test_a_workload_is_one_archive_and_all_together_are_the_guest_root(root: Path) -> None:
    parts = archives(root)
    whole = parts.pop("guest.cpio")
    names = sorted(file.parent.name for file in WORKLOADS.glob("*/workload.toml"))
    assert set(parts) == {
        "root/base.cpio",
        "root/prepare.cpio",
        *(f"root/{kind}/{name}.cpio" for kind in ("work", "nested") for name in names),
    }
    for name in names:
        listed = listing(parts[f"root/work/{name}.cpio"])
        assert listed[:2] == ["workloads", f"workloads/{name}"]
        assert all(place.startswith(f"workloads/{name}/") for place in listed[2:])
        assert f"workloads/{name}/run" in listed
    assert listing(parts["root/prepare.cpio"]) == ["prepare"]
    works = [parts[f"root/work/{name}.cpio"] for name in names]
    assert whole == b"".join([parts["root/base.cpio"], *works])


def test_first_level_of_a_nested_system_finds_the_archive_as_a_file(root: Path) -> None:
    inner = (root / "root/work/controls.cpio").read_bytes()
    outer = (root / "root/nested/controls.cpio").read_bytes()
    assert listing(outer) == ["host", "host/work.cpio"]
    argv = ["cpio", "-i", "--quiet", "--to-stdout", "host/work.cpio"]
    assert subprocess.run(argv, input=outer, stdout=subprocess.PIPE, check=True).stdout == inner


def test_same_bytes_again_and_from_elsewhere(root: Path, tmp_path: Path) -> None:
    copy, out = tmp_path / "elsewhere", tmp_path / "out"
    subprocess.run(["cp", "-r", WORKLOADS, copy], check=True)
    old_umask = os.umask(0o077)
    try:
        make(copy, out)
    finally:
        os.umask(old_umask)
    assert archives(out) == archives(root)


def test_an_edited_workload_changes_its_own_archives_alone(root: Path, tmp_path: Path) -> None:
    copy, out = tmp_path / "edited", tmp_path / "out"
    subprocess.run(["cp", "-r", WORKLOADS, copy], check=True)
    source = copy / "controls/run.c"
    text = source.read_text()
    source.write_text(text.replace("#define MESSAGE_SIZE\t65536", "#define MESSAGE_SIZE\t32768"))
    assert source.read_text() != text
    make(copy, out)
    before, after = archives(root), archives(out)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {
        "guest.cpio",
        "root/work/controls.cpio",
        "root/nested/controls.cpio",
    }
