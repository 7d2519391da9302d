"""inputs.lock in the image build: exactly what is locked, or a line for each difference.

Promised: what the lock names is taken by its digest, from the mirror, then from the archive;
whatever else is taken is named; a pool holds what was asked for and what that needs, no more. It
breaks if a mirror's newer version slips in unnoticed, or other bytes under a known version.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.tests.recipe.debian import Debian, Package

CORE = Package("core", "1:2.0-1", essential=True)
LIBRARY = Package("library", "1.0+b1")
TOOL = Package("tool", "3~rc1", depends="library (>= 1)")
OTHER = Package("other")
ALL = (CORE, LIBRARY, TOOL, OTHER)


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    debian = Debian(tmp_path)
    debian.mirror(*ALL)
    return debian


def test_an_empty_lock_takes_what_the_mirror_has(debian: Debian) -> None:
    done = debian.gather()
    assert done.returncode == 0, done.stderr
    assert debian.held == [
        "core_1%3a2.0-1_amd64.deb",
        "library_1.0+b1_amd64.deb",
        "tool_3~rc1_amd64.deb",
    ], "what is asked for, what that depends on, nothing else"
    words = [line.split()[:4] for line in debian.inputs.splitlines()]
    assert words == [
        ["package", "core", "1:2.0-1", "amd64"],
        ["package", "library", "1.0+b1", "amd64"],
        ["package", "tool", "3~rc1", "amd64"],
    ]
    assert debian.differs == [
        "core locked none built 1:2.0-1",
        "library locked none built 1.0+b1",
        "tool locked none built 3~rc1",
    ]


def test_a_lock_that_the_mirror_can_give(debian: Debian) -> None:
    lock = debian.lock()
    done = debian.gather(lock)
    assert done.returncode == 0, done.stderr
    assert (debian.inputs, debian.differs) == (lock, [])


def test_a_mirror_that_moved_on_and_an_archive(debian: Debian) -> None:
    lock = debian.lock()
    debian.mirror(CORE, replace(LIBRARY, version="1.1"), replace(TOOL, version="4"))
    done = debian.gather(lock, debian.archive(*ALL))
    assert done.returncode == 0, done.stderr
    assert (debian.inputs, debian.differs) == (lock, [])


def test_a_mirror_that_is_gone_and_an_archive(debian: Debian) -> None:
    lock = debian.lock()
    archive = debian.archive(*ALL)
    debian.mirror()
    done = debian.gather(lock, archive)
    assert done.returncode == 0, done.stderr
    assert (debian.inputs, debian.differs) == (lock, [])


@pytest.mark.parametrize("archive", ["", "file:/nowhere"])
def test_a_mirror_that_moved_on_alone(debian: Debian, archive: str) -> None:
    lock = debian.lock()
    debian.mirror(CORE, LIBRARY, replace(TOOL, version="4", depends="library, fresh"), *fresh())
    done = debian.gather(lock, archive)
    assert done.returncode == 0, done.stderr
    assert debian.differs == ["fresh locked none built 7", "tool locked 3~rc1 built 4"]
    assert [line for line in lock.splitlines() if "tool" not in line] == [
        line for line in debian.inputs.splitlines() if "tool" not in line and "fresh" not in line
    ]


def fresh() -> tuple[Package, ...]:
    return (Package("fresh", "7"),)


@pytest.mark.parametrize("where", ["mirror", "archive"])
def test_the_locked_version_with_other_bytes(debian: Debian, where: str) -> None:
    """It is not what is locked; where there is nothing else it is taken, and named."""
    lock = debian.lock()
    changed = replace(LIBRARY, content="other bytes")
    archive = debian.archive(CORE, changed, TOOL)
    debian.mirror(CORE, changed if where == "mirror" else replace(LIBRARY, version="2"), TOOL)
    done = debian.gather(lock, archive)
    assert done.returncode == 0, done.stderr
    built = "1.0+b1" if where == "mirror" else "2"
    assert debian.differs == [f"library locked 1.0+b1 built {built}"]


def test_the_archive_goes_before_a_newer_mirror(debian: Debian) -> None:
    """One locked package is nowhere to be had: the others are still as locked."""
    lock = debian.lock()
    debian.mirror(*(replace(package, version="9") for package in (CORE, LIBRARY, TOOL)))
    done = debian.gather(lock, debian.archive(CORE, LIBRARY))
    assert done.returncode == 0, done.stderr
    assert debian.differs == ["tool locked 3~rc1 built 9"]


def test_a_package_that_nobody_locked(debian: Debian) -> None:
    lock = debian.lock()
    debian.asked.append("tools other")
    assert debian.gather(lock).returncode == 0
    assert debian.differs == ["other locked none built 1"]


def test_a_package_that_nobody_asks_for_any_more(debian: Debian) -> None:
    debian.asked.append("tools other")
    lock = debian.lock()
    debian.asked.remove("tools other")
    assert debian.gather(lock).returncode == 0
    assert debian.differs == ["other locked 1 built none"]
    assert "other_1_amd64.deb" not in debian.held


def test_a_kernel_is_followed_from_its_metapackage(debian: Debian) -> None:
    """Debian's kernel has its version in its name: when it moves, one package goes, one comes."""
    meta = Package("linux-image-amd64", "6.1", depends="linux-image-6.1-amd64 (= 6.1)")
    kernel = Package("linux-image-6.1-amd64", "6.1", depends="library")
    debian.asked.append("unpack linux-image-amd64")
    debian.mirror(*ALL, meta, kernel)
    lock = debian.lock()
    assert sorted((debian.pool / "unpack").read_text().split()) == [
        "linux-image-6.1-amd64",
        "linux-image-amd64",
    ]
    moved = (
        replace(meta, version="6.2", depends="linux-image-6.2-amd64 (= 6.2)"),
        replace(kernel, name="linux-image-6.2-amd64", version="6.2"),
    )
    debian.mirror(*ALL, *moved)
    assert debian.gather(lock).returncode == 0
    assert debian.differs == [
        "linux-image-6.1-amd64 locked 6.1 built none",
        "linux-image-6.2-amd64 locked none built 6.2",
        "linux-image-amd64 locked 6.1 built 6.2",
    ]
    done = debian.gather(lock, debian.archive(*ALL, meta, kernel))
    assert done.returncode == 0, done.stderr
    assert debian.differs == []


def test_a_package_to_unpack_needs_nothing_else(debian: Debian) -> None:
    debian.mirror(*ALL, Package("image", depends="a-world-of-packages"))
    debian.asked.append("unpack image")
    assert debian.gather().returncode == 0
    assert "image_1_amd64.deb" in debian.held


def test_what_cannot_be_had_ends_the_build(debian: Debian) -> None:
    debian.asked.append("tools nonesuch")
    done = debian.gather()
    assert done.returncode != 0
    assert "nonesuch" in done.stderr
