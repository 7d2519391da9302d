"""`python -m harness.tests.in_container`: the tests that need the image's own tools.

Compilers, Debian's packages and QEMU are in the Dockerfile's `checks` stage, not on the host. The
checkout is mounted read-only and pytest runs in it; its exit code is ours.
"""

from __future__ import annotations

import sys

from harness.errors import HarnessError
from harness.measure.images.build import ensure_target
from harness.measure.images.host import ensure_engine
from harness.paths import Paths, checkout_root
from harness.steps import Steps

PLACES = ("harness/tests/recipe", "harness/tests/counting", "workloads/tests", "hypervisor/tests")
PYTEST = ("python3", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-m", "")
# The checks image has all that a test can ask for: one that skips itself there is a mistake.
NO_SKIPS = ("-p", "harness.tests.no_skips")


def main() -> int:
    paths, steps = Paths.of(checkout_root()), Steps()
    try:
        engine = ensure_engine(paths.build / "logs", steps)
        tag = ensure_target(engine, paths, steps, "checks")
        for chunk in engine.stream(tag, [*PYTEST, *NO_SKIPS, *PLACES], source=paths.root):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
    except HarnessError as error:
        print(f"tests in the container: {error}", file=sys.stderr)
        return int(error.code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
