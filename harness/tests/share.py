"""A pytest plugin: `--share 1/2` runs the first of two shares of what was collected.

Every second test is of the same share, so that long ones that stand together part. Fixtures that
build something build it in each share.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--share", default="1/1", metavar="I/N", help="run share I of N")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    number, of = (int(word) for word in config.getoption("--share").split("/"))
    if not 1 <= number <= of:
        raise pytest.UsageError(f"--share {number}/{of}: there is no such share")
    left_out = [item for i, item in enumerate(items) if i % of != number - 1]
    items[:] = items[number - 1 :: of]
    config.hook.pytest_deselected(items=left_out)
