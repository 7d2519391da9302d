"""The archive of an artifact: what is damaged, cut short or not ours is refused in one line."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.tracking.artifact import bundle as bundles
from harness.tracking.artifact.bundle import TOP, open_bundle, write_bundle

CONTENTS = {"b.txt": b"two", "a/x.txt": b"one", "a.txt": b"three"}


def parts(file: Path) -> list[str]:
    with open_bundle(file) as bundle:
        return list(bundle.manifest.parts)


def test_the_same_files_are_the_same_bytes_whatever_their_order(tmp_path: Path) -> None:
    one, other = tmp_path / "one.tar", tmp_path / "two.tar"
    path = tmp_path / "b"
    path.write_bytes(CONTENTS["b.txt"])
    write_bundle(one, CONTENTS, {"commit": "c"})
    write_bundle(other, dict(reversed([*CONTENTS.items(), ("b.txt", path)])), {"commit": "c"})
    assert one.read_bytes() == other.read_bytes()
    with open_bundle(one) as bundle:
        bundle.check()
        assert {name: bundle.read(name) for name in bundle.manifest.parts} == CONTENTS
        assert bundle.names("a") == ["x.txt"]
    assert sorted(it.name for it in tmp_path.iterdir()) == ["b", "one.tar", "two.tar"]


@pytest.mark.parametrize("kept", [0, 100, 600, 2000, -513, -10_300])
def test_a_truncated_archive_is_one_line(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "one.tar"
    write_bundle(file, {**CONTENTS, "z.bin": bytes(range(256)) * 40}, {})
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(StoreError) as refused, open_bundle(file) as bundle:
        bundle.check()
    assert str(file) in str(refused.value) and "\n" not in str(refused.value)


def test_a_changed_byte_names_its_file(tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    write_bundle(file, CONTENTS, {})
    file.write_bytes(file.read_bytes().replace(b"three", b"thrEe"))
    with pytest.raises(StoreError, match=r"a\.txt is not the file that was packed"):
        with open_bundle(file) as bundle:
            bundle.check()


def test_an_unknown_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "VERSION", 9)
    write_bundle(tmp_path / "one.tar", CONTENTS, {})
    monkeypatch.undo()
    with pytest.raises(StoreError, match="artifact of version 9, this rexen reads 1"):
        parts(tmp_path / "one.tar")


def odd(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "a.txt"
    return info


@pytest.mark.parametrize(
    ("member", "complaint"),
    [
        (odd(f"{TOP}../../etc/x"), "must not be in an artifact"),
        (odd("/etc/x"), "must not be in an artifact"),
        (odd("elsewhere/x"), "must not be in an artifact"),
        (odd(f"{TOP}.hidden"), "must not be in an artifact"),
        (odd(f"{TOP}link", tarfile.SYMTYPE), "must not be in an artifact"),
        (odd(f"{TOP}link", tarfile.LNKTYPE), "must not be in an artifact"),
        (odd(f"{TOP}pipe", tarfile.FIFOTYPE), "must not be in an artifact"),
        (odd(f"{TOP}a.txt"), "a.txt is in it twice"),
        (odd(f"{TOP}more.txt"), "more.txt is not in its manifest"),
    ],
)
def test_nothing_gets_in_that_was_not_packed(
    tmp_path: Path, member: tarfile.TarInfo, complaint: str
) -> None:
    file = tmp_path / "one.tar"
    write_bundle(file, CONTENTS, {})
    with tarfile.open(file, "a") as tar:
        tar.addfile(member, io.BytesIO())
    with pytest.raises(StoreError, match=complaint):
        parts(file)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    file, less = tmp_path / "one.tar", tmp_path / "less.tar"
    write_bundle(file, CONTENTS, {})
    with tarfile.open(file) as tar, tarfile.open(less, "w") as out:
        for member in tar.getmembers():
            if not member.name.endswith("b.txt"):
                out.addfile(member, tar.extractfile(member))
    with pytest.raises(StoreError, match=r"b\.txt is not in the archive"):
        parts(less)


@pytest.mark.parametrize("text", [b"", b"no tar at all" * 100])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "x").write_bytes(text)
    for file in (tmp_path / "x", tmp_path, tmp_path / "absent"):
        with pytest.raises(StoreError, match=r"is no whole artifact|no such file|is no artifact"):
            parts(file)
