"""The archive of an artifact: one plain tar, in it a manifest that names every other file.

    rexen-artifact/artifact.json     version, commit, and size and SHA-256 of each file below
    rexen-artifact/...               the files, in order of name

The same files give the same bytes: sorted, without times, owners or compression. Nothing is read
from an archive before its names are known to stay inside it and its sizes to be what they say.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from harness.errors import StoreError
from harness.store import cannot_write

VERSION = 1
TOP = "rexen-artifact/"
MANIFEST = "artifact.json"
# Names are ours: words, one or several levels deep, none of them hidden.
NAME = re.compile(r"(?:[A-Za-z0-9_][\w.-]*/)*[A-Za-z0-9_][\w.-]*")
CHUNK = 1 << 20
MANIFEST_LIMIT = 1 << 22
UNREADABLE = (tarfile.TarError, OSError, EOFError, KeyError, ValueError, TypeError)

Content = bytes | Path


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its size in bytes and its SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`about` is what else the manifest says, for whoever reads it; `digest` is its own SHA-256,
    which stands for the whole archive."""

    about: Mapping[str, Any]
    parts: Mapping[str, Part]
    digest: str


def write_bundle(file: Path, contents: Mapping[str, Content], about: Mapping[str, Any]) -> Manifest:
    """Whole or not at all. A content that is a path is read from there. Raises StoreError,
    DiskFullError."""
    fresh = file.with_name(f".{file.name}.new")
    try:
        parts = {name: _part(contents[name]) for name in sorted(contents)}
        text = _spelled(about, parts)
        with tarfile.open(fresh, "w", format=tarfile.PAX_FORMAT) as tar:
            _put(tar, MANIFEST, BytesIO(text), len(text))
            for name, part in parts.items():
                with _stream(contents[name]) as stream:
                    _put(tar, name, stream, part.bytes)
        fresh.rename(file)
    except OSError as error:
        raise cannot_write(error, file) from None
    finally:
        fresh.unlink(missing_ok=True)
    return Manifest(about, parts, hashlib.sha256(text).hexdigest())


def _spelled(about: Mapping[str, Any], parts: Mapping[str, Part]) -> bytes:
    files = {name: {"bytes": it.bytes, "sha256": it.sha256} for name, it in parts.items()}
    document = {**about, "version": VERSION, "files": files}
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _put(tar: tarfile.TarFile, name: str, stream: IO[bytes], size: int) -> None:
    assert NAME.fullmatch(name), name
    info = tarfile.TarInfo(TOP + name)
    info.size, info.mode = size, 0o644
    tar.addfile(info, stream)


def _part(content: Content) -> Part:
    with _stream(content) as stream:
        return _part_of(stream)


def _part_of(stream: IO[bytes]) -> Part:
    whole, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        whole.update(chunk)
        size += len(chunk)
    return Part(size, whole.hexdigest())


def _stream(content: Content) -> IO[bytes]:
    return BytesIO(content) if isinstance(content, bytes) else content.open("rb")


class Bundle:
    """An archive that is open: its manifest, and its files by name."""

    def __init__(self, file: Path, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self.file = file
        self.manifest = manifest
        self._tar = tar

    def read(self, name: str) -> bytes:
        """Raises StoreError if there is no such file."""
        if name not in self.manifest.parts:
            raise StoreError(f"{self.file}: it has no {name}")
        with self._open(name) as stream:
            return stream.read()

    def copy(self, name: str, to: Path) -> None:
        with self._open(name) as stream, to.open("wb") as out:
            while chunk := stream.read(CHUNK):
                out.write(chunk)

    def names(self, folder: str) -> list[str]:
        """Those that lie in a folder, without its name."""
        inside = f"{folder}/"
        return [it.removeprefix(inside) for it in self.manifest.parts if it.startswith(inside)]

    def check(self) -> None:
        """Every file against the manifest. Raises StoreError with the first that differs."""
        for name, part in self.manifest.parts.items():
            with self._open(name) as stream:
                found = _part_of(stream)
            if found != part:
                raise StoreError(
                    f"{self.file}: {name} is not the file that was packed: SHA-256 "
                    f"{found.sha256[:12]}, the manifest says {part.sha256[:12]}"
                )

    def _open(self, name: str) -> IO[bytes]:
        stream = self._tar.extractfile(TOP + name)
        assert stream is not None, name  # only files are let in
        return stream


@contextmanager
def open_bundle(file: Path) -> Iterator[Bundle]:
    """Raises StoreError, in one line, for whatever is no whole artifact of this version."""
    try:
        tar = tarfile.open(file, "r:")  # noqa: SIM115  (closed below)
    except FileNotFoundError:
        raise StoreError(f"{file}: no such file") from None
    except UNREADABLE as error:
        raise _broken(file, error) from None
    with tar:
        try:
            members = tar.getmembers()
            if file.stat().st_size % tarfile.RECORDSIZE:
                raise tarfile.ReadError("its end is missing")
            manifest = _manifest(file, tar, members)
        except UNREADABLE as error:
            raise _broken(file, error) from None
        try:
            yield Bundle(file, tar, manifest)
        except tarfile.TarError as error:
            raise _broken(file, error) from None


def _broken(file: Path, error: Exception) -> StoreError:
    text = (str(error) or type(error).__name__).splitlines()[0]
    return StoreError(f"{file} is no whole artifact: {text}", hint="fetch it again")


def _manifest(file: Path, tar: tarfile.TarFile, members: list[tarfile.TarInfo]) -> Manifest:
    """What the archive says of itself, after a look at every name in it."""
    sizes: dict[str, int] = {}
    for member in members:
        name = member.name.removeprefix(TOP)
        if not member.name.startswith(TOP) or not NAME.fullmatch(name) or not member.isreg():
            raise StoreError(f"{file}: {member.name[:80]!r} must not be in an artifact")
        if name in sizes:
            raise StoreError(f"{file}: {name} is in it twice")
        sizes[name] = member.size
    if sizes.get(MANIFEST, MANIFEST_LIMIT + 1) > MANIFEST_LIMIT:
        raise StoreError(f"{file}: it has no {MANIFEST}, so it is no artifact")
    stream = tar.extractfile(TOP + MANIFEST)
    assert stream is not None
    text = stream.read()
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("version") != VERSION:
        version = document.get("version") if isinstance(document, dict) else None
        raise StoreError(f"{file}: artifact of version {version!r}, this rexen reads {VERSION}")
    parts = {
        str(name): Part(int(it["bytes"]), str(it["sha256"]))
        for name, it in document["files"].items()
    }
    del sizes[MANIFEST]
    for name in sorted(parts.keys() ^ sizes.keys()):
        where = "its manifest" if name in sizes else "the archive"
        raise StoreError(f"{file}: {name} is not in {where}")
    about = {key: value for key, value in document.items() if key not in ("files", "version")}
    return Manifest(about, parts, hashlib.sha256(text).hexdigest())
