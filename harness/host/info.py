"""What this host is: kept as provenance, never part of a cell's identity."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe_host() -> dict[str, str]:
    """Short facts; no name of the host or of its user."""
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "cpu": cpu_model(Path("/proc/cpuinfo")),
        "cores": str(os.cpu_count() or 0),
        "memory_mib": str(memory_mib(Path("/proc/meminfo"))),
        "python": platform.python_version(),
    }


def cpu_model(cpuinfo: Path) -> str:
    try:
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def memory_mib(meminfo: Path) -> int:
    try:
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) // 1024
    except (OSError, ValueError, IndexError):
        pass
    return 0
