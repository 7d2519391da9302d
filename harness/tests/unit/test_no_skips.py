"""The plugin that turns a skipped test into a failed one, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.paths import checkout_root


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        ("def test_it():\n    pass\n", True),
        ("@pytest.mark.xfail\ndef test_it():\n    assert False\n", True),
        ("def test_it():\n    pytest.skip('no compiler')\n", False),
        ("@pytest.mark.skipif(True, reason='no kernel')\ndef test_it():\n    pass\n", False),
        ("@pytest.fixture\ndef it():\n    pytest.skip('no root')\ndef test_it(it): pass\n", False),
        ("pytest.importorskip('nonesuch')\ndef test_it():\n    pass\n", False),
    ],
)
def test_a_skip_is_a_failure(tmp_path: Path, body: str, passes: bool) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(f"import pytest\n{body}")
    (tmp_path / "test_other.py").write_text("def test_other():\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "harness.tests.no_skips", str(tmp_path)],
        cwd=checkout_root(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is passes, done.stdout
    assert ("skips itself" in done.stdout) is not passes
