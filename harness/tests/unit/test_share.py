"""The shares that the tests in the container are run in."""

from __future__ import annotations

import pytest

pytest_plugins = ("pytester",)
TESTS = "import pytest\n@pytest.mark.parametrize('n', range(7))\ndef test_it(n): pass\n"


def chosen(pytester: pytest.Pytester, share: str) -> set[str]:
    done = pytester.runpytest_inprocess(
        "-p", "harness.tests.share", f"--share={share}", "-q", "--collect-only"
    )
    return {line for line in done.outlines if "::" in line}


def test_every_test_is_in_one_share(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    whole = chosen(pytester, "1/1")
    shares = [chosen(pytester, f"{number}/3") for number in (1, 2, 3)]
    assert len(whole) == 7
    assert set().union(*shares) == whole
    assert sum(len(share) for share in shares) == len(whole)


@pytest.mark.parametrize("share", ["0/2", "3/2"])
def test_share_that_is_not_there(pytester: pytest.Pytester, share: str) -> None:
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_inprocess("-p", "harness.tests.share", f"--share={share}")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
