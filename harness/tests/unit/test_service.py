"""The nightly service: a workflow and a systemd unit that linters accept, both calling one verb."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from argparse import Namespace
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.cli.main import parse
from harness.errors import ExitCode
from harness.paths import checkout_root

ROOT = checkout_root()
WORKFLOW = ROOT / ".github" / "workflows" / "nightly.yml"
UNITS = ROOT / "harness" / "tracking" / "systemd"
STARTED = "/opt/rexen/rexen"
# Every way a night may end that has its own word in the workflow.
ENDS = (
    ExitCode.OK,
    ExitCode.CELL_FAILED,
    ExitCode.DIFFERENT,
    ExitCode.OTHER_INPUTS,
    ExitCode.CLAIM_CHANGED,
    ExitCode.REGRESSION,
)


def lint(workflow: Path) -> list[str]:
    """What GitHub's own schema and zizmor's audits (all that need no network) have against it."""
    beside = Path(sys.executable).parent
    commands = (
        [str(beside / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows"],
        [str(beside / "zizmor"), "--offline", "--no-progress", "--persona", "pedantic"],
    )
    found = []
    for command in commands:
        done = subprocess.run([*command, str(workflow)], capture_output=True, text=True)
        if done.returncode:
            found.append(done.stdout + done.stderr)
    return found


def test_the_workflow_passes_its_linters() -> None:
    assert lint(WORKFLOW) == []


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("runs-on: ubuntu-24.04", "run-on: ubuntu-24.04", "'run-on'"),
        ("persist-credentials: false", "fetch-tags: false", "artipacked"),
        ("actions/cache@0400d5f644dc74513175e3cd8d07132dd4860809", "actions/cache@v4", "unpinned"),
        ('--profile "$PROFILE"', "--profile ${{ github.event.inputs.profile }}", "injection"),
    ],
)
def test_the_linters_would_say_so(tmp_path: Path, good: str, bad: str, said: str) -> None:
    text = WORKFLOW.read_text()
    assert good in text
    wrong = tmp_path / ".github" / "workflows" / "nightly.yml"
    wrong.parent.mkdir(parents=True)
    wrong.write_text(text.replace(good, bad, 1))
    assert said in "".join(lint(wrong))


def workflow() -> Any:  # noqa: ANN401  (a document)
    return YAML(typ="safe").load(WORKFLOW.read_text())


def steps() -> list[dict[str, Any]]:
    return [step for job in workflow()["jobs"].values() for step in job["steps"]]


def test_the_steps_are_sound_bash() -> None:
    scripts = [one["run"] for one in steps() if "run" in one]
    assert len(scripts) >= 5
    for script in scripts:
        assert "${{" not in script, "an expression in a script is an injection"
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def of_workflow() -> Namespace:
    (script,) = [one["run"] for one in steps() if "rexen nightly" in one.get("run", "")]
    command = re.search(r"\./rexen (nightly.*?) \|\|", script.replace("\\\n", " "))
    assert command
    return parse(shlex.split(command[1].replace('"$PROFILE"', "quick")))


def service() -> ConfigParser:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNITS / "rexen-nightly.service")
    return unit


def of_service() -> Namespace:
    argv = shlex.split(service()["Service"]["ExecStart"])
    assert argv[0] == STARTED
    return parse(argv[1:])


def test_both_call_the_same_command() -> None:
    one, other = of_workflow(), of_service()
    for parsed in (one, other):
        assert parsed.verb == "nightly"
        assert parsed.profile == "quick"
        kept = {parsed.results.name, parsed.ledger.name, parsed.site.name}
        assert len(kept) == 3, "results, ledger and site are kept apart"
    assert str(one.summary) == "$GITHUB_STEP_SUMMARY"


def test_caches_go_by_the_lock() -> None:
    keys = {
        one["with"]["path"]: one["with"]["key"]
        for one in steps()
        if one.get("uses", "").startswith("actions/cache")
    }
    assert set(keys) == {".venv", "store", "image"}
    assert "hashFiles('requirements.lock')" in keys[".venv"]
    assert all("-${{ hashFiles('inputs.lock') }}-" in keys[it] for it in ("store", "image"))


def test_the_workflow_knows_every_end_of_a_night() -> None:
    (script,) = [one["run"] for one in steps() if "case" in one.get("run", "")]
    codes = {int(it) for it in re.findall(r"^ *(\d+)\)", script, re.M)}
    assert codes == {int(it) for it in ENDS}
    errors = {int(it) for it in re.findall(r"::error::.*exit (\d+) ;;", script)}
    assert errors == codes - {ExitCode.OK, ExitCode.OTHER_INPUTS}


def test_the_service_takes_changed_inputs_for_success() -> None:
    assert service()["Service"]["SuccessExitStatus"] == str(int(ExitCode.OTHER_INPUTS))


def test_the_units_are_what_systemd_reads(tmp_path: Path) -> None:
    """By systemd itself where it is, else by the sections and keys that it must have."""
    for file in UNITS.iterdir():
        text = file.read_text()
        assert re.findall(r"^\[(\w+)\]$", text, re.M)[0] == "Unit"
        for line in text.splitlines():
            assert not line or line[0] in "#[" or re.match(r"[A-Z][A-Za-z]+=\S", line), line
        # As if it were installed: the program that it starts is there.
        (tmp_path / file.name).write_text(text.replace(STARTED, sys.executable))
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "rexen-nightly.service",
        "rexen-nightly.timer",
    ]
    if shutil.which("systemd-analyze"):
        units = [str(one) for one in sorted(tmp_path.iterdir())]
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
