"""The programs of `workloads/`, built once per test session, in the checks image (ring 2)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

WORKLOADS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output directory of `make -C workloads`."""
    out = tmp_path_factory.mktemp("workloads")
    subprocess.run(["make", "-s", "-C", WORKLOADS, f"OUT={out}"], check=True)
    return out
