"""The sources of a commit, such that anyone can see that they are those of that commit.

Beside git's own archive of the files goes the commit object. Its SHA-1 is the commit's name, and it
names the tree; the tree's name follows from the files. So no repository is needed to check.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StoreError, UsageError
from harness.host import process
from harness.host.process import ProcessFailed
from harness.host.revision import revision_of

GIT_WALL_S = 120.0
UNCOMMITTED = "+"


@dataclass(frozen=True, slots=True)
class Sources:
    """`archive` is a tar of all files, `object` the commit as git keeps it."""

    commit: str
    subject: str
    object: bytes
    archive: bytes


def committed_sources(root: Path) -> Sources:
    """Of the checkout's commit. Raises UsageError if it has changes that are in no commit, since
    then the report would not be the one these sources make."""
    revision = revision_of(root, changed=UNCOMMITTED)
    commit = revision.commit.removesuffix(UNCOMMITTED)
    if not commit:
        raise UsageError(f"{root} is no git checkout", hint="an artifact has a commit's sources")
    if commit != revision.commit:
        raise UsageError(f"{root} has changes that are in no commit", hint="commit or stash them")
    git = ["git", "-C", str(root)]
    try:
        kept = process.filter_bytes([*git, "cat-file", "commit", commit], b"", wall_s=GIT_WALL_S)
        archive = process.filter_bytes(
            [*git, "-c", "tar.umask=0022", "archive", "--format=tar", commit],
            b"",
            wall_s=GIT_WALL_S,
        )
    except ProcessFailed as error:
        raise StoreError(f"cannot read the commit {commit[:12]}: {error.message}") from None
    return Sources(commit, revision.subject, kept, archive)


def check_sources(commit: str, kept: bytes, archive: bytes) -> str:
    """What was found, in words. Raises StoreError if these are not the commit's files."""
    if _name("commit", kept) != commit:
        raise StoreError(f"the commit object in it is not that of {commit[:12]}")
    wanted = kept.partition(b"\n")[0].decode(errors="replace").removeprefix("tree ")
    files = _files(archive)
    tree = _tree({tuple(name.split("/")): blob for name, blob in files.items()})
    if tree.hex() != wanted:
        raise StoreError(
            f"the sources are not those of commit {commit[:12]}: their tree is "
            f"{tree.hex()[:12]}, the commit's {wanted[:12]}"
        )
    return f"{len(files)} files make tree {wanted[:12]}, which commit {commit[:12]} names"


def file_names(archive: bytes) -> frozenset[str]:
    """Of every file in the sources. Raises StoreError."""
    return frozenset(_files(archive))


def unpack(archive: bytes, folder: Path) -> None:
    """The files, in a new folder. Raises StoreError; nothing leaves the folder."""
    folder.mkdir(parents=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise StoreError(f"the sources cannot be unpacked: {error}") from None


@dataclass(frozen=True, slots=True)
class _Blob:
    mode: bytes
    digest: bytes


def _name(kind: str, content: bytes) -> str:
    return _digest(kind, content).hex()


def _digest(kind: str, content: bytes) -> bytes:
    """Git's name of an object."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).digest()


def _files(archive: bytes) -> dict[str, _Blob]:
    """Every file and link of the archive, as git would name it."""
    found: dict[str, _Blob] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar.getmembers():
                if member.isdir():
                    continue
                if member.issym():
                    blob = _Blob(b"120000", _digest("blob", member.linkname.encode()))
                elif member.isreg():
                    stream = tar.extractfile(member)
                    assert stream is not None
                    mode = b"100755" if member.mode & 0o100 else b"100644"
                    blob = _Blob(mode, _digest("blob", stream.read()))
                else:
                    raise StoreError(f"the sources have {member.name!r}, which is no file")
                if member.name in found:
                    raise StoreError(f"the sources have {member.name!r} twice")
                found[member.name] = blob
    except tarfile.TarError as error:
        raise StoreError(f"the sources are no whole tar: {error}") from None
    return found


def _tree(files: Mapping[tuple[str, ...], _Blob]) -> bytes:
    """Git's name of the tree of these files, by the parts of their paths."""
    inside: dict[str, dict[tuple[str, ...], _Blob]] = {}
    entries: list[tuple[bytes, bytes, bytes]] = []
    for path, blob in files.items():
        if len(path) == 1:
            entries.append((path[0].encode(), blob.mode, blob.digest))
        else:
            inside.setdefault(path[0], {})[path[1:]] = blob
    for name, below in inside.items():
        entries.append((name.encode(), b"40000", _tree(below)))
    # Git sorts a folder as if its name ended in a slash.
    entries.sort(key=lambda it: it[0] + (b"/" if it[1] == b"40000" else b""))
    content = b"".join(mode + b" " + name + b"\0" + digest for name, mode, digest in entries)
    return _digest("tree", content)
