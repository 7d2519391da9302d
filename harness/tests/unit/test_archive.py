"""The image as one file: saved whole, loaded only if every byte is what its name says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import pytest

from harness.errors import BuildError, ExitCode
from harness.measure.images import archive
from harness.measure.images.container import Engine, Identity

TAG = "localhost/rexen-bench:0123456789abcdef"
LAYERS = (b"the first layer" * 1000, b"the second layer")


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


CONFIG = json.dumps(
    {"architecture": "amd64", "rootfs": {"diff_ids": [digest(it) for it in LAYERS]}}
).encode()


def tar_of(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class ArchiveEngine(Engine):
    """Gives an image in Docker's form, and understands what it is given in the same way."""

    def __init__(self) -> None:
        self.images: dict[str, Identity] = {}
        self.given = tar_of(
            {
                "a/layer.tar": LAYERS[0],
                "b/layer.tar": LAYERS[1],
                "config.json": CONFIG,
                "manifest.json": json.dumps(
                    [{"Config": "config.json", "Layers": ["a/layer.tar", "b/layer.tar"]}]
                ).encode(),
            }
        )

    def save(self, tag: str) -> Iterator[bytes]:
        yield from (self.given[:100], self.given[100:])

    def load(self, dump: BinaryIO) -> None:
        with tarfile.open(fileobj=dump) as tar:
            (entry,) = json.loads(content_of(tar, "manifest.json"))
            config = content_of(tar, entry["Config"])
            layers = tuple(digest(content_of(tar, name)) for name in entry["Layers"])
        for tag in entry["RepoTags"]:
            self.images[tag] = Identity(digest(config), layers)

    def identity(self, tag: str) -> Identity:
        return self.images[tag]


def content_of(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    assert member
    return member.read()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "image.tar"
    archive.save(ArchiveEngine(), TAG, file)
    return file


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {name: content_of(tar, name) for name in tar.getnames()}


def test_what_is_saved_is_loaded(saved: Path) -> None:
    engine = ArchiveEngine()
    loaded = archive.load(engine, saved)
    assert engine.images == {TAG: Identity(digest(CONFIG), tuple(digest(it) for it in LAYERS))}
    assert (loaded.tag, loaded.size) == (TAG, saved.stat().st_size)
    assert loaded == archive.save(ArchiveEngine(), TAG, saved)


def test_it_is_an_oci_layout(saved: Path) -> None:
    """As the image specification has it: every blob named by its digest, described by size."""
    found = members(saved)
    assert json.loads(found["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (about,) = json.loads(found["index.json"])["manifests"]
    blobs = {name: content for name, content in found.items() if name.startswith("blobs/")}
    for name, content in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    manifest = json.loads(blobs[f"blobs/sha256/{about['digest'].removeprefix('sha256:')}"])
    for part in (about, manifest["config"], *manifest["layers"]):
        content = blobs[f"blobs/sha256/{part['digest'].removeprefix('sha256:')}"]
        assert len(content) == part["size"]
    assert blobs[f"blobs/sha256/{hashlib.sha256(CONFIG).hexdigest()}"] == CONFIG


def test_the_same_image_is_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    archive.save(ArchiveEngine(), TAG, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == saved.read_bytes()


def test_nothing_else_is_left_beside_it(saved: Path) -> None:
    assert list(saved.parent.iterdir()) == [saved]


def test_a_failed_save_keeps_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    file.write_text("before")
    engine = ArchiveEngine()
    engine.given = engine.given.replace(b"second", b"other!")
    with pytest.raises(BuildError, match="its layers are not those its configuration names"):
        archive.save(engine, TAG, file)
    assert file.read_text() == "before" and list(tmp_path.iterdir()) == [file]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no such directory"):
        archive.save(ArchiveEngine(), TAG, tmp_path / "nowhere" / "image.tar")


Change = Callable[[dict[str, bytes]], dict[str, bytes]]


def with_index(change: Callable[[dict[str, object]], object]) -> Change:
    def changed(found: dict[str, bytes]) -> dict[str, bytes]:
        index = json.loads(found["index.json"])
        change(index["manifests"][0])
        return {**found, "index.json": json.dumps(index).encode()}

    return changed


def with_blob(text: bytes, other: bytes, *, packed: bool = False) -> Change:
    """Another content under the old name; at least one blob must have the text."""

    def changed(found: dict[str, bytes]) -> dict[str, bytes]:
        result = dict(found)
        for name, content in found.items():
            if packed and content.startswith(b"\x1f\x8b"):
                plain = gzip.decompress(content).replace(text, other)
                result[name] = gzip.compress(plain, mtime=0)
            elif not packed and name.startswith("blobs/"):
                result[name] = content.replace(text, other)
        assert result != found
        return result

    return changed


def no_blob(found: dict[str, bytes]) -> dict[str, bytes]:
    return {name: it for name, it in found.items() if not it.startswith(b"\x1f\x8b")}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_blob(b"amd64", b"riscv"), "has other content"),
        (with_blob(b"schemaVersion", b"schemaversion"), "has other content"),
        (with_blob(b"first", b"other", packed=True), "has other content"),
        (no_blob, "is no whole OCI archive: KeyError"),
        (lambda found: {"index.json": found["index.json"]}, "filename 'oci-layout' not found"),
        (lambda found: {**found, "oci-layout": b"{}"}, "imageLayoutVersion"),
        (lambda found: {**found, "index.json": b"[]"}, "is no whole OCI archive"),
        (lambda found: {**found, "index.json": b"{"}, "is no whole OCI archive"),
        (with_index(lambda it: it.pop("annotations")), "an image without a name, no image of"),
        (
            with_index(lambda it: it.update(annotations={archive.REFERENCE: "debian:trixie"})),
            "it holds debian:trixie, no image of Rexen",
        ),
        (with_index(lambda it: it.update(digest="sha256:../../etc")), "is no digest"),
    ],
)
def test_an_archive_that_is_not_what_it_says(saved: Path, change: Change, words: str) -> None:
    saved.write_bytes(tar_of(change(members(saved))))
    engine = ArchiveEngine()
    with pytest.raises(BuildError) as refused:
        archive.load(engine, saved)
    assert words in str(refused.value) and str(saved) in str(refused.value)
    assert "\n" not in str(refused.value) and refused.value.code is ExitCode.BUILD
    assert engine.images == {}, "the engine has not seen it"


@pytest.mark.parametrize("left", [0, 100, 600, 2000, -12000])
def test_a_truncated_archive(saved: Path, left: int) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[:left])
    engine = ArchiveEngine()
    with pytest.raises(BuildError, match="is no whole OCI archive"):
        archive.load(engine, saved)
    assert engine.images == {}


@pytest.mark.parametrize("content", [b"no tar at all", b"\0" * 20480, gzip.compress(b"x" * 9999)])
def test_a_file_that_is_no_archive(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "image.tar"
    file.write_bytes(content)
    with pytest.raises(BuildError, match="image.tar is no whole OCI archive"):
        archive.load(ArchiveEngine(), file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="image.tar: no such file"):
        archive.load(ArchiveEngine(), tmp_path / "image.tar")


def test_a_configuration_of_other_layers(tmp_path: Path) -> None:
    """Every blob has its own name's content, but one layer unpacks to what nobody promised."""
    engine = ArchiveEngine()
    archive.save(engine, TAG, tmp_path / "image.tar")
    found = members(tmp_path / "image.tar")
    (about,) = json.loads(found["index.json"])["manifests"]
    manifest = json.loads(found[f"blobs/sha256/{about['digest'].removeprefix('sha256:')}"])
    manifest["layers"].reverse()
    content = json.dumps(manifest).encode()
    about.update(digest=digest(content), size=len(content))
    index = json.dumps({"schemaVersion": 2, "manifests": [about]}).encode()
    blob = f"blobs/sha256/{about['digest'].removeprefix('sha256:')}"
    changed = {**found, blob: content, "index.json": index}
    (tmp_path / "image.tar").write_bytes(tar_of(changed))
    with pytest.raises(BuildError, match="unpacks to something else"):
        archive.load(engine, tmp_path / "image.tar")


def test_an_engine_that_ends_up_with_another_image(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ArchiveEngine()
    other = Identity("sha256:" + "0" * 64, tuple(digest(it) for it in LAYERS))
    monkeypatch.setattr(engine, "identity", lambda tag: other)
    with pytest.raises(BuildError, match="has another image now: sha256:0000"):
        archive.load(engine, saved)
