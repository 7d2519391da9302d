"""What this host has and lacks: every check tries the thing itself."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from harness import catalogue
from harness.errors import EngineError, HarnessError
from harness.host.info import describe_host
from harness.measure.images.container import Engine
from harness.paths import Paths

NEEDED_DISK = 8 << 30
NEEDED_MEMORY_MIB = 3000


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `needed` ones decide the exit code; `todo` says what to do, "" if nothing."""

    check: str
    ok: bool
    what: str
    todo: str = ""
    needed: bool = True


def examine(paths: Paths) -> list[Finding]:
    """All checks, none of which changes anything."""
    return [
        *_host(),
        _disk(paths),
        _engine(),
        _catalogue(paths),
        _kvm(),
    ]


def _host() -> list[Finding]:
    host = describe_host()
    memory = int(host["memory_mib"])
    enough = memory >= NEEDED_MEMORY_MIB
    return [
        Finding("host", True, f"{host['system']} {host['kernel']}, {host['cores']} cores"),
        Finding("python", True, host["python"]),
        Finding(
            "memory",
            enough,
            f"{memory} MiB",
            "" if enough else f"a machine needs about {NEEDED_MEMORY_MIB} MiB; use --jobs 1",
            needed=False,
        ),
    ]


def _disk(paths: Paths) -> Finding:
    where = paths.results if paths.results.exists() else paths.root
    free = shutil.disk_usage(where).free
    enough = free >= NEEDED_DISK
    todo = "" if enough else f"images and records take about {NEEDED_DISK >> 30} GiB: free some"
    return Finding("disk", enough, f"{free / 2**30:.1f} GiB free", todo)


def _engine() -> Finding:
    try:
        engine = Engine.connect()
    except EngineError as error:
        debian_root = os.geteuid() == 0 and shutil.which("apt-get") is not None
        todo = (
            "nothing: the next run installs and starts one"
            if debian_root
            else "install Docker or Podman and start it, or run as root on Debian"
        )
        return Finding("container engine", debian_root, error.message, todo)
    return Finding("container engine", True, f"{engine.version()} at {engine.url}")


def _catalogue(paths: Paths) -> Finding:
    try:
        systems = catalogue.load_systems(paths)
        workloads = catalogue.load_workloads(paths)
    except HarnessError as error:
        return Finding("catalogue", False, error.message, "mend that file")
    return Finding("catalogue", True, f"{len(systems)} systems, {len(workloads)} workloads")


def _kvm() -> Finding:
    present = os.path.exists("/dev/kvm")
    what = "present, and not used" if present else "absent, and not needed"
    return Finding("kvm", True, f"{what}: results are virtual time", needed=False)
