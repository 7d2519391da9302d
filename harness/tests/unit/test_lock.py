"""inputs.lock: what is read is what was written, what is broken is named, a diff reads well."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.measure.images.lock import InputsLock, Locked, archive_of, diff, load, parse
from harness.paths import Paths, checkout_root

DASH = Locked("0.5.12-12", "amd64", "a" * 64)
QEMU = Locked("1:10.0.13+ds-0+deb13u1", "amd64", "b" * 64)
LOCK = InputsLock(
    suite="trixie",
    snapshot="20261124T120000Z",
    packages={"qemu-system-x86": QEMU, "dash": DASH},
)
HEAD = "suite trixie\nsnapshot 20261124T120000Z\narchive -\n"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "inputs.lock"
    file.write_text(LOCK.text())
    assert load(file) == LOCK
    lines = file.read_text().splitlines()
    assert lines[-2:] == [f"package dash 0.5.12-12 amd64 {'a' * 64}", lines[-1]], "sorted"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "package dash 0.5\n", "there: line 4: is not understood: 'package dash 0.5'"),
        (HEAD + f"package dash 1 amd64 {'A' * 64}\n", "there: line 4: is not understood"),
        (HEAD + f"\n# x\npackage d 1 amd64 {'a' * 63}\n", "there: line 6: is not understood"),
        (HEAD + f"package dash 1 all {'a' * 64}\n" * 2, "line 5: package dash stands twice"),
        (HEAD + "suite sid\n", "there: line 4: stands twice"),
        ("suite trixie\nsnapshot now\n", "there: line 2: is not understood: 'snapshot now'"),
        ("suite trixie; rm -r /\n", "there: line 1: is not understood"),
        (HEAD + "archive\n", "there: line 4: stands twice"),
        (HEAD.replace("archive -", "archive"), "there: line 3: is not understood: 'archive'"),
        ("suite trixie\narchive -\n", "there: line 'snapshot ...' is missing"),
        ("", "there: line 'suite ...' is missing"),
        ("<<<<<<< ours\n", "there: line 1: is not understood: '<<<<<<< ours'"),
    ],
)
def test_a_broken_lock_names_the_line(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, "there")
    assert words in str(refused.value)


def test_a_lock_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "inputs.lock"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="inputs.lock: cannot be read"):
        load(file)


def test_a_difference_reads_well() -> None:
    new = InputsLock(
        packages={
            "dash": Locked("0.5.12-12", "amd64", "c" * 64),
            "qemu-system-x86": Locked("1:10.1.0", "amd64", "d" * 64),
            "linux-image-7": Locked("7.0-1", "amd64", "e" * 64),
        }
    )
    old = InputsLock(packages={**LOCK.packages, "linux-image-6": Locked("6.12-1", "all", "f" * 64)})
    assert diff(old, new).lines() == [
        f"  dash 0.5.12-12 {'a' * 12} -> 0.5.12-12 {'c' * 12}",
        "- linux-image-6 6.12-1",
        "+ linux-image-7 7.0-1",
        "  qemu-system-x86 1:10.0.13+ds-0+deb13u1 -> 1:10.1.0",
    ]


def test_no_difference() -> None:
    assert not diff(LOCK, LOCK)
    assert diff(LOCK, LOCK).lines() == []


def test_where_the_archive_is() -> None:
    there = InputsLock(archive="file:/there")
    assert archive_of(LOCK, {}) == ""
    assert archive_of(there, {}) == "file:/there"
    assert archive_of(there, {"REXEN_SNAPSHOT": "file:/here"}) == "file:/here"


def test_the_real_lock_has_what_cells_are_made_of() -> None:
    lock = load(Paths.of(checkout_root()).lock)
    assert {"qemu-system-x86", "seabios", "libc6", "busybox-static", "dash"} <= set(lock.packages)
    assert [name for name in lock.packages if name.startswith("linux-image-6")]
    assert lock.archive == "", "the address of an archive is the reader's own"
