"""Which commit a checkout is at: kept as provenance, never part of a cell's identity."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from harness.host import process
from harness.host.process import ProcessFailed

ARCHIVE_WALL_S = 120.0


@dataclass(frozen=True, slots=True)
class Revision:
    """`commit` in full, with `changed` behind it where tracked files are not as it has them; ""
    where the folder is no git checkout."""

    commit: str
    subject: str


def revision_of(root: Path, *, changed: str) -> Revision:
    """Of the checkout itself: one that lies in another repository has none."""
    if not (root / ".git").exists():
        return Revision("", "")
    git = ["git", "-C", str(root)]
    try:
        commit, _, subject = process.capture([*git, "log", "-1", "--format=%H %s"]).partition(" ")
        dirty = process.capture([*git, "status", "--porcelain", "--untracked-files=no"])
    except ProcessFailed:
        return Revision("", "")
    return Revision(commit + (changed if dirty else ""), subject.strip())


def export(root: Path, commit: str, folder: Path) -> None:
    """The files of a commit, in a folder of their own. Raises ProcessFailed."""
    argv = ["git", "-C", str(root), "archive", "--format=tar", commit]
    archive = process.filter_bytes(argv, b"", wall_s=ARCHIVE_WALL_S)
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
