"""The system and the workload of EXTENDING.md on the real machine: built, booted, measured, and the
checkout's own parts of the image left as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import main
from harness.errors import ExitCode
from harness.model.record import Phase, Record
from harness.store import Store
from harness.tests.integration.lab import Lab
from harness.tests.outside import write_examples

pytestmark = pytest.mark.guest

CHOSEN = ("--experiment", "mitigations", "--system", "native", "--system", "mitigated")


def per_call_ns(record: Record) -> float:
    (sample,) = (it for it in record.outcome.samples if it.phase is Phase.RUN)
    return (sample.total_ns - sample.overhead_ns) / sample.count


def test_what_the_page_promises(tmp_path: Path) -> None:
    mine = write_examples(tmp_path) / "mine"
    store = Store(tmp_path / "results")
    arguments = ["--catalogue", str(mine), "--results", str(store.results)]
    assert main(["run", *arguments, *CHOSEN]) == ExitCode.OK
    found = {record.system: record for record in store.all_records()}
    assert per_call_ns(found["mitigated"]) > per_call_ns(found["native"])
    files = found["native"].inputs["files"]
    assert isinstance(files, dict)
    own = Lab.open(tmp_path).image.files
    assert files.pop("root/work/getppid.cpio") not in own.values()
    assert files == {name: own[name] for name in files}
    assert main(["verify", *arguments, *CHOSEN]) == ExitCode.OK
