"""The image a cell runs in: built from the Dockerfile when its inputs changed, else reused.

The tag is the digest of everything that goes into the build, so a changed source is a new image
and an unchanged one costs nothing. What the image holds is told by its own manifest.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BuildError
from harness.measure.images.base import ensure_base
from harness.measure.images.container import Engine
from harness.measure.machines.testbed import ARTEFACTS
from harness.paths import Paths
from harness.steps import Steps

# With its domain spelled out, Docker and Podman mean the same image by it.
REPOSITORY = "localhost/rexen"
TARGET = "bench"
CONTEXT = ("Dockerfile", "baselines", "workloads", "hypervisor")
# Nothing of these ends up in the image, so a change in them builds nothing.
LEFT_OUT_SUFFIXES = (".md", ".pyc", ".toml", ".o", ".d")
LEFT_OUT_FOLDERS = ("tests", "__pycache__", "doc", "build")
# workload.toml tells the guest's Makefile that a directory is a workload; system.toml tells the
# build which packages and modules a nested system's overlay needs.
KEPT_NAMES = ("workload.toml", "system.toml")


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: its tag, and what its manifest says is in it.

    `files` maps artefact paths to SHA-256; `emulator` is QEMU's version and digest.
    """

    tag: str
    files: Mapping[str, str]
    emulator: str
    packages: Mapping[str, str]


def ensure_image(engine: Engine, paths: Paths, steps: Steps) -> Image:
    """The image for the checkout as it is now. Raises BuildError."""
    tag = ensure_target(engine, paths, steps, TARGET)
    manifest = engine.output_of(tag, ["cat", f"{ARTEFACTS}/manifest"]).decode()
    return read_manifest(tag, manifest)


def ensure_target(engine: Engine, paths: Paths, steps: Steps, target: str) -> str:
    """The tag of one stage of the Dockerfile, built if it is not there. Raises BuildError."""
    logs = paths.build / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    context = pack_context(paths.root)
    tag = f"{REPOSITORY}-{target}:{hashlib.sha256(context).hexdigest()[:16]}"
    if not engine.has_image(tag):
        base = ensure_base(engine, logs, steps)
        with steps.step(f"building {tag} on {base}"):
            lines = engine.build(
                io.BytesIO(context),
                tag=tag,
                target=target,
                # By digest: Podman would look a short name up in a registry.
                arguments={"BASE": engine.image_digest(base)},
                log=logs / f"build-{target}.log",
            )
            for line in lines:
                steps.say(f"  {line}")
    return tag


def context_files(root: Path) -> Iterator[Path]:
    """The files of the build context, in a fixed order."""
    for name in CONTEXT:
        top = root / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and _counts(path.relative_to(root)):
                yield path


def _counts(path: Path) -> bool:
    if path.name in KEPT_NAMES:
        return True
    if any(folder in LEFT_OUT_FOLDERS for folder in path.parts[:-1]):
        return False
    return not path.name.endswith(LEFT_OUT_SUFFIXES)


def pack_context(root: Path) -> bytes:
    """A tar of the build context; same sources, same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in context_files(root):
            info = tarfile.TarInfo(str(path.relative_to(root)))
            content = path.read_bytes()
            info.size = len(content)
            info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def read_manifest(tag: str, text: str) -> Image:
    """Parse what `baselines/image/manifest.sh` wrote. Raises BuildError."""
    files: dict[str, str] = {}
    packages: dict[str, str] = {}
    emulator = ""
    for line in text.splitlines():
        word, first, second = (line.split(" ", 2) + ["", ""])[:3]
        if word == "file":
            files[second] = first
        elif word == "package":
            packages[first] = second
        elif word == "emulator":
            emulator = f"QEMU {second} {first}"
        else:
            raise BuildError(f"the manifest of {tag} has an unknown line: {line!r}")
    if not files or not emulator:
        raise BuildError(f"the manifest of {tag} is incomplete", hint="remove the image, run again")
    return Image(tag=tag, files=files, emulator=emulator, packages=packages)
