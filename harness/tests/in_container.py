"""`python -m harness.tests.in_container [--build]`: the tests that need the image's own tools.

Compilers, Debian's packages and QEMU are in the Dockerfile's `checks` stage, not on the host. The
checkout is mounted read-only and pytest runs in it, in as many containers at once as SHARES says:
each runs its share of the tests, with a build of its own. What one prints comes out whole. With
`--build` only the images are made, the cells' too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from harness.errors import ExitCode, HarnessError
from harness.measure.images.build import ensure_image, ensure_target
from harness.measure.images.container import Engine
from harness.measure.images.host import ensure_engine
from harness.paths import Paths, checkout_root
from harness.steps import Steps

PLACES = ("harness/tests/recipe", "harness/tests/counting", "workloads/tests", "hypervisor/tests")
PYTEST = ("python3", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-m", "")
# The checks image has all that a test can ask for: one that skips itself there is a mistake.
PLUGINS = ("-p", "harness.tests.no_skips", "-p", "harness.tests.share", "--durations=5")
SHARES = 2


def run_share(engine: Engine, tag: str, paths: Paths, number: int) -> tuple[bytes, int]:
    """What one share printed, and the exit code it ends with."""
    printed = bytearray()
    argv = [*PYTEST, *PLUGINS, f"--share={number}/{SHARES}", *PLACES]
    try:
        for chunk in engine.stream(tag, argv, source=paths.root):
            printed += chunk
    except HarnessError as error:
        printed += f"tests in the container: {error}\n".encode()
        return bytes(printed), int(error.code)
    return bytes(printed), int(ExitCode.OK)


def run_shares(engine: Engine, tag: str, paths: Paths) -> Iterator[tuple[bytes, int]]:
    with ThreadPoolExecutor(SHARES) as pool:
        numbers = range(1, SHARES + 1)
        yield from pool.map(lambda number: run_share(engine, tag, paths, number), numbers)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m harness.tests.in_container")
    parser.add_argument("--build", action="store_true", help="make the images and end")
    only_build = parser.parse_args().build
    paths, steps = Paths.of(checkout_root()), Steps()
    worst = int(ExitCode.OK)
    try:
        engine = ensure_engine(paths.build / "logs", steps)
        tag = ensure_target(engine, paths, steps, "checks")
        if only_build:
            ensure_image(engine, paths, steps)
            return worst
        for printed, code in run_shares(engine, tag, paths):
            sys.stdout.buffer.write(printed)
            sys.stdout.flush()
            worst = worst or code
    except HarnessError as error:
        print(f"tests in the container: {error}", file=sys.stderr)
        return int(error.code)
    return worst


if __name__ == "__main__":
    sys.exit(main())
