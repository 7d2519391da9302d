"""The command line on the real catalogue, with fake machines."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cli import main as cli
from harness.store import Store
from harness.tests.world import WorldEngine, enter


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell starts what runs in the background with SIGINT ignored, and so would be our tests."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorldEngine]:
    made = WorldEngine()
    enter(made, monkeypatch.setattr)
    yield made
    for running in made.started:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def rexen(tmp_path: Path) -> Callable[..., int]:
    """Calls a verb on a store and a reports directory of the test's own."""

    def call(verb: str, *arguments: str) -> int:
        store, reports = str(tmp_path / "results"), str(tmp_path / "reports")
        return cli.main([verb, "--results", store, "--reports", reports, *arguments])

    return call


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")
