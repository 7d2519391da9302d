"""The image a cell runs in: built from the Dockerfile when its inputs changed, else reused.

The tag is the digest of everything that goes into the build, so a changed source is a new image
and an unchanged one costs nothing. What the image holds is told by its own manifest, and so is
what differs from inputs.lock.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.catalogue import load_systems
from harness.catalogue.outside import entries
from harness.errors import BuildError
from harness.measure.images import lock as inputs
from harness.measure.images.base import ensure_base
from harness.measure.images.container import Engine
from harness.measure.images.context import pack_context
from harness.measure.machines.testbed import ARTEFACTS
from harness.paths import Paths
from harness.steps import Steps

# With its domain spelled out, Docker and Podman mean the same image by it.
REPOSITORY = "localhost/rexen"
TARGET = "bench"
POOL = "pool"
NAMED_DIFFERENCES = 3


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: its tag, and what its manifest says is in it.

    `files` maps artefact paths to SHA-256; `emulator` is QEMU's version and digest; `differs` has
    one line for each package that is not as inputs.lock has it.
    """

    tag: str
    files: Mapping[str, str]
    emulator: str
    differs: tuple[str, ...] = ()


def ensure_image(engine: Engine, paths: Paths, steps: Steps) -> Image:
    """The image for the checkout as it is now. Raises BuildError, ConfigError.

    One that was built with other packages than the locked ones is built anew where a snapshot
    archive may give them.
    """
    lock = inputs.load(paths.lock)
    context = _context(paths, lock)
    tag = _tag(TARGET, context)
    known = engine.has_image(tag)
    if not known:
        _build(engine, paths, steps, TARGET, context, inputs.archive_of(lock))
    image = _image_of(engine, tag)
    if known and image.differs and inputs.archive_of(lock):
        _build(engine, paths, steps, TARGET, context, inputs.archive_of(lock))
        image = _image_of(engine, tag)
    if image.differs:
        steps.say(differences(image.differs))
    return image


def image_tag(paths: Paths) -> str:
    """The tag of the image for the checkout as it is now. Raises ConfigError."""
    return _tag(TARGET, _context(paths, inputs.load(paths.lock)))


def ensure_target(engine: Engine, paths: Paths, steps: Steps, target: str) -> str:
    """The tag of one stage of the Dockerfile, built if it is not there. Raises BuildError."""
    lock = inputs.load(paths.lock)
    context = _context(paths, lock)
    tag = _tag(target, context)
    if not engine.has_image(tag):
        _build(engine, paths, steps, target, context, inputs.archive_of(lock))
    return tag


def renew_lock(engine: Engine, paths: Paths, steps: Steps) -> inputs.LockDiff:
    """Lock what the mirror has now: write inputs.lock, return what changed. Raises BuildError.

    The image's own first stage chooses, with nothing locked.
    """
    old = inputs.load(paths.lock) if paths.lock.exists() else inputs.InputsLock()
    empty = inputs.emptied(old)
    if not paths.lock.exists():
        paths.lock.write_text(empty.text(), encoding="utf-8")
    context = _context(paths, empty)
    tag = _tag(POOL, context)
    try:
        _build(engine, paths, steps, POOL, context, "")
        took = engine.output_of(tag, ["cat", "/pool/inputs"]).decode()
    finally:
        engine.forget(tag)
    new = inputs.filled(empty, took)
    difference = inputs.diff(old, new)
    if difference:
        paths.lock.write_text(new.text(), encoding="utf-8")
    return difference


def differences(differs: tuple[str, ...]) -> str:
    """One line about packages that are not as the lock has them; "" if all are."""
    if not differs:
        return ""
    named = "; ".join(differs[:NAMED_DIFFERENCES])
    more = len(differs) - NAMED_DIFFERENCES
    rest = f"; and {more} more" if more > 0 else ""
    return f"not as inputs.lock has it: {named}{rest}"


def _context(paths: Paths, lock: inputs.InputsLock) -> bytes:
    systems = load_systems(paths).values()
    return pack_context(paths.root, systems, {inputs.FILE: lock.text()}, entries(paths))


def _tag(target: str, context: bytes) -> str:
    return f"{REPOSITORY}-{target}:{hashlib.sha256(context).hexdigest()[:16]}"


def _build(
    engine: Engine, paths: Paths, steps: Steps, target: str, context: bytes, archive: str
) -> None:
    logs = _logs(paths)
    base = ensure_base(engine, logs, steps)
    tag = _tag(target, context)
    with steps.step(f"building {tag} on {base}"):
        lines = engine.build(
            io.BytesIO(context),
            tag=tag,
            target=target,
            # By digest: Podman would look a short name up in a registry.
            arguments={"BASE": engine.image_digest(base), "ARCHIVE": archive},
            log=logs / f"build-{target}.log",
        )
        for line in lines:
            steps.say(f"  {line}")


def _logs(paths: Paths) -> Path:
    logs = paths.build / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    return logs


def _image_of(engine: Engine, tag: str) -> Image:
    return read_manifest(tag, engine.output_of(tag, ["cat", f"{ARTEFACTS}/manifest"]).decode())


def read_manifest(tag: str, text: str) -> Image:
    """Parse what `recipe/bench.sh` wrote. Raises BuildError."""
    files: dict[str, str] = {}
    differs: list[str] = []
    emulator = ""
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        first, _, second = rest.partition(" ")
        if word == "file":
            files[second] = first
        elif word == "differs":
            differs.append(rest)
        elif word == "emulator":
            emulator = f"QEMU {second} {first}"
        else:
            raise BuildError(f"the manifest of {tag} has an unknown line: {line!r}")
    if not files or not emulator:
        raise BuildError(f"the manifest of {tag} is incomplete", hint="remove the image, run again")
    return Image(tag=tag, files=files, emulator=emulator, differs=tuple(differs))
