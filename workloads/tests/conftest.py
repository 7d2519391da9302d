"""The programs of `workloads/`, built once per test session with the compiler of this machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

WORKLOADS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output directory of `make -C workloads`."""
    for tool in ("make", "gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here: the image build compiles these programs anyway")
    out = tmp_path_factory.mktemp("workloads")
    subprocess.run(["make", "-s", "-C", WORKLOADS, f"OUT={out}"], check=True)
    return out
