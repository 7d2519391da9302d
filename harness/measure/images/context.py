"""The build context: the checkout's files that go into an image, and what the catalogue asks for.

What systems ask for goes in as lists that the recipe's shell reads line by line, so a change of a
title or a limit in a `system.toml` builds nothing:

    systems/packages.list    unpack PACKAGE | overlay PACKAGE
    systems/artefacts.list   HOW PATTERN NAME
    systems/booted.list      PATTERN, of the artefacts that some system boots
    systems/root.mib         how large the large root is
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from harness.errors import ConfigError
from harness.measure.machines.devices import ROOT_MIB, image_files
from harness.model.system import WORKLOAD_PART, Artefact, System

CONTEXT = (
    "Dockerfile",
    "inputs.lock",
    "baselines",
    "harness/measure/images/recipe",
    "harness/measure/counting/plugin",
    "workloads",
    "hypervisor",
)
# Nothing of these ends up in the image, so a change in them builds nothing.
LEFT_OUT_SUFFIXES = (".md", ".pyc", ".toml", ".o", ".d")
LEFT_OUT_FOLDERS = ("tests", "__pycache__", "doc", "build")
# It tells the guest's Makefile that a directory is a workload.
KEPT_NAMES = ("workload.toml",)


def pack_context(
    root: Path,
    systems: Iterable[System],
    changed: Mapping[str, str],
    outside: Iterable[tuple[str, Path]] = (),
) -> bytes:
    """A tar of the build context; same sources, same bytes.

    `changed` has texts that stand in for files of the checkout; `outside` has directories from
    elsewhere, each with the place where it stands in the context. Raises ConfigError.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in context_files(root):
            name = str(path.relative_to(root))
            content = changed[name].encode() if name in changed else path.read_bytes()
            _add(tar, name, content, executable=bool(path.stat().st_mode & 0o100))
        for place, folder in outside:
            for path in (it for it in sorted(folder.rglob("*")) if it.is_file()):
                inside = Path(place) / path.relative_to(folder)
                if _counts(inside):
                    executable = bool(path.stat().st_mode & 0o100)
                    _add(tar, str(inside), path.read_bytes(), executable=executable)
        for name, lines in wishes(systems).items():
            _add(tar, name, "".join(f"{line}\n" for line in lines).encode(), executable=False)
    return buffer.getvalue()


def context_files(root: Path) -> Iterator[Path]:
    """The checkout's files in the build context, in a fixed order. Raises ConfigError."""
    for name in CONTEXT:
        top = root / name
        if not top.exists():
            raise ConfigError(f"{top} is missing", hint="the image is built from it")
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and _counts(path.relative_to(root)):
                yield path


def wishes(systems: Iterable[System]) -> dict[str, list[str]]:
    """What the systems ask for, as the files described above. Raises ConfigError."""
    packages: set[str] = set()
    artefacts: dict[str, Artefact] = {}
    booted: set[str] = set()
    for system in systems:
        wanted = system.ingredients
        packages.update(f"unpack {name}" for name in wanted.unpack)
        packages.update(f"overlay {name}" for name in wanted.install)
        loaded = (*system.boot.files, *system.devices.parts)
        booted.update(name.replace(WORKLOAD_PART, "*") for name in loaded)
        booted.update(image_files(system.devices.by_need))
        for artefact in wanted.artefacts:
            if artefacts.setdefault(artefact.name, artefact) != artefact:
                raise ConfigError(
                    f"system '{system.id}' makes {artefact.name} otherwise than another system does"
                )
    return {
        "systems/packages.list": sorted(packages),
        "systems/artefacts.list": [
            f"{it.how} {it.source} {it.name}" for _, it in sorted(artefacts.items())
        ],
        "systems/booted.list": sorted(booted),
        "systems/root.mib": [str(ROOT_MIB)],
    }


def _counts(path: Path) -> bool:
    if path.name in KEPT_NAMES:
        return True
    if any(folder in LEFT_OUT_FOLDERS for folder in path.parts[:-1]):
        return False
    return not path.name.endswith(LEFT_OUT_SUFFIXES)


def _add(tar: tarfile.TarFile, name: str, content: bytes, *, executable: bool) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o755 if executable else 0o644
    tar.addfile(info, io.BytesIO(content))
