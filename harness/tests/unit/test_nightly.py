"""rexen nightly on the real catalogue with fake machines: what is run, what is kept, the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import night as cli_night
from harness.cli import session
from harness.errors import EngineError, ExitCode
from harness.host import revision
from harness.measure.images.build import Image
from harness.model.record import Status
from harness.paths import Paths, checkout_root
from harness.store import Store
from harness.tests.world import PANIC, Script, WorldEngine, console_of, unwrapped, world_image
from harness.tracking.attribution import Half
from harness.tracking.changes import Cause
from harness.tracking.ledger import Ledger
from harness.tracking.night import Place

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]
CHOSEN = ("--system", "native", "--system", "rexen", "--workload", "controls")


class Sky:
    """What the nights of a test see: the image of the checkout, and its commit."""

    def __init__(self) -> None:
        self.image = world_image(Paths.of(checkout_root()))
        self.commit = "a" * 40

    def change(self, name: str, version: int) -> None:
        """Another version of one file of the image."""
        (found,) = [one for one in self.image.files if name in one]
        digest = hashlib.sha256(f"{found} {version}".encode()).hexdigest()
        self.image = replace(
            self.image,
            tag=f"rexen:{digest[:12]}",
            files={**self.image.files, found: digest},
        )


@pytest.fixture
def sky(engine: WorldEngine, monkeypatch: pytest.MonkeyPatch) -> Sky:
    made = Sky()

    def image(*_: object) -> Image:
        return made.image

    def tag(_: Paths) -> str:
        return made.image.tag

    def commit(root: Path, *, changed: str) -> revision.Revision:
        return revision.Revision(made.commit, "a subject")

    monkeypatch.setattr(session, "ensure_image", image)
    monkeypatch.setattr(cli_night, "image_tag", tag)
    monkeypatch.setattr(cli_night, "revision_of", commit)
    return made


@pytest.fixture
def nightly(rexen: Rexen, tmp_path: Path) -> Rexen:
    def call(*arguments: str) -> int:
        return rexen("nightly", "--ledger", str(tmp_path / "ledger"), *CHOSEN, *arguments)

    return call


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def slower(engine: WorldEngine, system: str, *, by_permille: int) -> Script:
    """The good console of `controls`, its loop so much slower."""
    text = console_of(engine.workloads["controls"], factor=engine.systems[system].order)
    lines = []
    for line in text.splitlines():
        words = line.split(" ")
        if words[1:3] == ["sample", "cpu_loop"]:
            words[6] = str(int(words[6]) * (1000 + by_permille) // 1000)
        lines.append(" ".join(words))
    return [["print", "\n".join(lines) + "\n"], ["sleep", 5]]


def test_the_first_night_runs_everything_and_is_kept(
    sky: Sky, engine: WorldEngine, nightly: Rexen, ledger: Ledger, capsys: Capture
) -> None:
    assert nightly("--date", "2026-11-24") == ExitCode.OK
    night = ledger.last("quick")
    assert night is not None
    assert (night.date, night.counts.cells, night.counts.run) == ("2026-11-24", 2, 2)
    assert {one.system for one in night.numbers} == {"native", "rexen"}
    assert night.source.artefacts == dict(sky.image.files)
    assert night.lock_text == (checkout_root() / "inputs.lock").read_text()
    assert night.claims
    assert capsys.readouterr().out == night.summary
    assert night.summary.startswith("# 2026-11-24, quick: the first night")


def test_an_unchanged_night_asks_no_engine_and_reports_nothing(
    sky: Sky,
    engine: WorldEngine,
    nightly: Rexen,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    nightly("--date", "2026-11-24")

    def gone(*_: object) -> None:
        raise EngineError("the container engine does not answer")

    monkeypatch.setattr(session, "ensure_engine", gone)
    started = len(engine.names)
    assert nightly("--date", "2026-11-25") == ExitCode.OK
    assert len(engine.names) == started
    first, second = ledger.nights("quick", whole=True)
    assert (second.counts.run, second.counts.changed) == (0, 0)
    assert second.numbers == first.numbers and second.cells == first.cells
    assert "nothing to run: all 2 cells are known" in unwrapped(capsys.readouterr().err)


def test_half_a_percent_in_one_metric_is_found_and_attributed(
    sky: Sky, engine: WorldEngine, nightly: Rexen, ledger: Ledger, tmp_path: Path
) -> None:
    nightly("--date", "2026-11-24")
    sky.change("rexen/rexen.elf", 2)
    sky.commit = "b" * 40
    engine.scripts["controls@rexen"] = slower(engine, "rexen", by_permille=5)
    summary = tmp_path / "step.md"
    summary.write_text("what another step wrote\n")
    assert nightly("--date", "2026-11-25", "--summary", str(summary)) == ExitCode.REGRESSION
    assert engine.names.count("controls@native") == 1, "native boots nothing that changed"
    night = ledger.last("quick")
    assert night is not None
    assert (night.counts.run, night.counts.changed) == (1, 1)
    total = len(night.numbers)
    head = f"1 of {total} numbers changed, on rexen, commit {'b' * 12}"
    assert night.summary.startswith(f"# 2026-11-25, quick: {head}\n")
    assert "| rexen | controls/cpu_loop |" in night.summary
    assert "+0.5000% worse | a change of ours (`file " in night.summary
    assert summary.read_text() == "what another step wrote\n" + night.summary


def test_a_night_with_changed_inputs_and_the_same_numbers_says_so(
    sky: Sky, nightly: Rexen, ledger: Ledger
) -> None:
    nightly("--date", "2026-11-24")
    sky.change("rexen/rexen.elf", 2)
    sky.commit = "b" * 40
    assert nightly("--date", "2026-11-25") == ExitCode.OTHER_INPUTS
    night = ledger.last("quick")
    assert night is not None and night.counts.changed == 0


def test_a_cell_that_fails_is_run_once_and_reported_each_night(
    sky: Sky, engine: WorldEngine, nightly: Rexen, ledger: Ledger
) -> None:
    engine.scripts["controls@rexen"] = PANIC
    assert nightly("--date", "2026-11-24") == ExitCode.CELL_FAILED
    assert nightly("--date", "2026-11-25") == ExitCode.CELL_FAILED
    assert engine.names.count("controls@rexen") == 1, "a panic is exact: it would be the same one"
    night = ledger.last("quick")
    assert night is not None
    assert {one.system: one.status for one in night.cells} == {"native": "ok", "rexen": "panic"}


def test_a_cell_that_the_host_failed_is_run_again(
    sky: Sky, engine: WorldEngine, nightly: Rexen, store: Store
) -> None:
    engine.scripts["controls@rexen"] = [["exit", 1, "qemu: cannot allocate"]]
    assert nightly("--date", "2026-11-24") == ExitCode.CELL_FAILED
    assert {one.outcome.status for one in store.all_records()} == {Status.OK, Status.ENGINE}
    del engine.scripts["controls@rexen"]
    # Numbers that were not there are no regression; the claims on them have another verdict.
    assert nightly("--date", "2026-11-25") in (ExitCode.OK, ExitCode.CLAIM_CHANGED)


def test_the_same_inputs_with_other_bits_are_an_exit_code_of_their_own(
    sky: Sky, engine: WorldEngine, nightly: Rexen, ledger: Ledger, store: Store
) -> None:
    nightly("--date", "2026-11-24")
    # As on a host that restored no store.
    store.results.rename(store.results.with_name("lost"))
    engine.scripts["controls@rexen"] = slower(engine, "rexen", by_permille=1)
    assert nightly("--date", "2026-11-25") == ExitCode.DIFFERENT
    night = ledger.last("quick")
    assert night is not None and "**The same inputs gave other bits.**" in night.summary


def test_commit_and_lock_changed_together_are_told_apart_by_their_halves(
    sky: Sky,
    engine: WorldEngine,
    nightly: Rexen,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nightly("--date", "2026-11-24")
    first = ledger.last("quick")
    assert first is not None
    old = replace(first, lock_text=first.lock_text.replace("snapshot 2", "snapshot 1"))
    ledger.append([replace(old, source=replace(old.source, lock="0" * 64))])
    sky.change("rexen/rexen.elf", 2)
    sky.commit = "b" * 40
    engine.scripts["controls@rexen"] = slower(engine, "rexen", by_permille=5)
    asked: list[Half] = []

    def halfway(context: object, chosen: object, half: Half, **_: int) -> dict[Place, float]:
        """As if only our change had moved the loop."""
        asked.append(half)
        factor = 1.005 if half.name == "ours" else 1.0
        return {
            one.place: one.value * (factor if one.metric == "cpu_loop" else 1.0)
            for one in old.numbers
        }

    monkeypatch.setattr(cli_night, "run_half", halfway)
    assert nightly("--date", "2026-11-25") == ExitCode.REGRESSION
    assert [(one.commit[0], one.lock_text == old.lock_text) for one in asked] == [
        ("b", True),
        ("a", False),
    ]
    night = ledger.last("quick")
    assert night is not None and f"- 1 by {Cause.OURS.value}\n" in night.summary
    assert nightly("--date", "2026-11-26") == ExitCode.OK
    assert len(asked) == 2, "nothing changed, nothing to tell apart"


def test_halves_can_be_left_out(
    sky: Sky, engine: WorldEngine, nightly: Rexen, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly("--date", "2026-11-24")
    first = ledger.last("quick")
    assert first is not None
    ledger.append([replace(first, source=replace(first.source, lock="0" * 64))])
    sky.change("rexen/rexen.elf", 2)
    sky.commit = "b" * 40
    engine.scripts["controls@rexen"] = slower(engine, "rexen", by_permille=5)
    monkeypatch.setattr(cli_night, "run_half", None)
    assert nightly("--date", "2026-11-25", "--no-halves") == ExitCode.REGRESSION
    night = ledger.last("quick")
    assert night is not None and Cause.OPEN.value in night.summary


def test_json_is_one_document(sky: Sky, nightly: Rexen, capsys: Capture) -> None:
    nightly("--date", "2026-11-24", "--json")
    document = json.loads(capsys.readouterr().out)
    assert (document["cells"], document["changed"], document["exit_code"]) == (2, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--date", "yesterday"), "'yesterday' is no date"),
        (("--date", "2026-02-30"), "'2026-02-30' is no date"),
    ],
)
def test_a_wrong_date_is_refused_before_anything_is_run(
    sky: Sky,
    engine: WorldEngine,
    nightly: Rexen,
    capsys: Capture,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert nightly(*arguments) == ExitCode.USAGE
    assert said in unwrapped(capsys.readouterr().err)
    assert engine.names == []


def test_a_site_never_takes_the_place_of_someone_elses_folder(
    sky: Sky, engine: WorldEngine, nightly: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    mine = tmp_path / "site" / "asv" / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert nightly("--site", str(tmp_path / "site")) == ExitCode.USAGE
    assert "something else in it than a published site" in unwrapped(capsys.readouterr().err)
    assert mine.read_text() == "mine" and engine.names == []
