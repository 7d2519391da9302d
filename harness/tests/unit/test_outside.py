"""EXTENDING.md as a new user follows it: its files, from the text, in a folder outside the
checkout; listed, planned, packed for the build, run on fake machines and reported."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import catalogue
from harness.cli import main as cli
from harness.cli.main import main
from harness.errors import ExitCode
from harness.measure.images.build import image_tag
from harness.measure.images.context import pack_context
from harness.paths import Paths, checkout_root
from harness.store import Store
from harness.tests.outside import PAGE, write_examples
from harness.tests.world import WorldEngine, enter

Capture = pytest.CaptureFixture[str]
CHOSEN = ("--experiment", "mitigations", "--system", "native", "--system", "mitigated")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return write_examples(tmp_path) / "mine"


@pytest.fixture
def engine(mine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorldEngine]:
    made = WorldEngine(catalogues=[mine])
    enter(made, monkeypatch.setattr)
    yield made
    for running in made.started:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def rexen(mine: Path, tmp_path: Path) -> Callable[..., int]:
    def call(verb: str, *arguments: str) -> int:
        folders = ("--results", str(tmp_path / "results"), "--reports", str(tmp_path / "reports"))
        return cli.main([verb, *folders, "--catalogue", str(mine), *arguments])

    return call


def test_a_system_and_a_workload_from_outside_run_and_are_reported(
    engine: WorldEngine, rexen: Callable[..., int], mine: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert rexen("plan", *CHOSEN) == ExitCode.OK
    assert "getppid" in capsys.readouterr().out
    assert rexen("run", *CHOSEN) == ExitCode.OK
    assert sorted(engine.names) == ["getppid@mitigated", "getppid@native"]
    records = list(Store(tmp_path / "results").all_records())
    assert [record.ok for record in records] == [True, True]
    assert all(f" --catalogue {mine}" in record.rerun for record in records)
    (isolated,) = (record for record in records if record.system == "mitigated")
    argv = isolated.inputs["argv"]
    assert isinstance(argv, list) and "pti=on" in " ".join(argv)
    assert rexen("report", *CHOSEN) == ExitCode.OK
    page = (tmp_path / "reports" / "quick" / "index.html").read_text()
    assert "Mitigations" in page and "Native, mitigated" in page


def test_the_commands_of_the_page_are_understood(
    engine: WorldEngine,
    mine: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("    ./rexen ")]
    assert len(lines) == 4
    for line in lines:
        words = line.partition("#")[0].split()[1:]
        folders = ["--results", str(tmp_path / "results"), "--reports", str(tmp_path / "reports")]
        assert main([words[0], *folders, *words[1:]]) == ExitCode.OK, line


def test_repository_cells_stay_what_they_are(
    engine: WorldEngine, rexen: Callable[..., int], tmp_path: Path, capsys: Capture
) -> None:
    plain = ["plan", "--json", "--results", str(tmp_path / "results"), "--system", "native"]
    ids = []
    for arguments in (plain, [*plain, "--catalogue", str(tmp_path / "mine")]):
        capsys.readouterr()
        assert cli.main(arguments) == ExitCode.OK
        cells = json.loads(capsys.readouterr().out)["cells"]
        ids.append({cell["id"] for cell in cells if cell["workload"] != "getppid"})
    assert ids[0] == ids[1]


def packed(*folders: Path) -> dict[str, tuple[int, bytes]]:
    paths = Paths.of(checkout_root(), catalogues=folders)
    systems = catalogue.load_systems(paths).values()
    outside = catalogue.entries(paths)
    with tarfile.open(fileobj=io.BytesIO(pack_context(paths.root, systems, {}, outside))) as tar:
        return {one.name: (one.mode, (tar.extractfile(one) or io.BytesIO()).read()) for one in tar}


def test_what_the_image_is_built_from(mine: Path) -> None:
    """The files stand among the checkout's; what no image holds is left out as there."""
    script = mine / "systems/mitigated/overlay.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (mine / "workloads/getppid/notes.md").write_text("words")
    (mine / "workloads/unfinished").mkdir()
    (mine / "workloads/unfinished/run.c").write_text("no workload.toml: none yet")
    added = packed(mine).keys() - packed().keys()
    assert added == {
        "baselines/mitigated/overlay.sh",
        "workloads/getppid/run.c",
        "workloads/getppid/workload.toml",
    }
    assert packed(mine)["baselines/mitigated/overlay.sh"] == (0o755, b"#!/bin/sh\n")


def test_the_image_depends_on_the_folder_not_on_where_it_lies(mine: Path, tmp_path: Path) -> None:
    root = checkout_root()
    moved = shutil.copytree(mine, tmp_path / "elsewhere" / "theirs")
    tags = [image_tag(Paths.of(root, catalogues=it)) for it in ([], [mine], [moved])]
    assert tags[0] != tags[1] == tags[2]
    (moved / "workloads/getppid/run.c").write_text("int main(void) { return 1; }\n")
    assert image_tag(Paths.of(root, catalogues=[moved])) != tags[1]


def test_two_folders_in_any_order(mine: Path, tmp_path: Path) -> None:
    other = tmp_path / "a-second"
    shutil.move(mine / "systems", other / "systems")
    for folders in ([mine, other], [other, mine, other]):
        paths = Paths.of(checkout_root(), catalogues=folders)
        assert "mitigated" in catalogue.load_systems(paths)
        assert "getppid" in catalogue.load_workloads(paths)
    tags = {
        image_tag(Paths.of(checkout_root(), catalogues=it)) for it in ([mine, other], [other, mine])
    }
    assert len(tags) == 1


@pytest.mark.parametrize("name", ["controls", "lib"])
def test_a_workload_that_the_checkout_has_is_refused(
    rexen: Callable[..., int], mine: Path, capsys: Capture, name: str
) -> None:
    """Not only a workload's directory: `lib` would be overwritten in the build."""
    (mine / "workloads/getppid").rename(mine / "workloads" / name)
    assert rexen("list") == ExitCode.CONFIG
    told = capsys.readouterr().err
    assert f"workloads/{name} exists already: give the directory another name" in told


def test_names_that_clash_are_refused(
    rexen: Callable[..., int], mine: Path, tmp_path: Path, capsys: Capture
) -> None:
    twin = shutil.copytree(mine, tmp_path / "twin")
    assert rexen("list", "--catalogue", str(twin)) == ExitCode.CONFIG
    assert "'mitigated' is the name of" in capsys.readouterr().err
    shutil.rmtree(twin / "systems")
    shutil.rmtree(twin / "workloads")
    assert rexen("list", "--catalogue", str(twin)) == ExitCode.CONFIG
    assert "'mitigations' is the name of" in capsys.readouterr().err
    (twin / "experiments/mitigations.toml").rename(twin / "experiments/table4.toml")
    assert rexen("list", "--catalogue", str(twin)) == ExitCode.CONFIG
    assert "'table4' is the name of" in capsys.readouterr().err


def test_the_hypervisor_is_no_name_for_another_system(
    rexen: Callable[..., int], mine: Path, capsys: Capture
) -> None:
    file = mine / "systems/mitigated/system.toml"
    file.write_text(file.read_text().replace('id = "mitigated"', 'id = "rexen"'))
    (mine / "systems/mitigated").rename(mine / "systems/rexen")
    assert rexen("list") == ExitCode.CONFIG
    assert "'rexen' is the name of" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["nowhere", "empty", "file"])
def test_a_folder_that_is_no_catalogue_is_refused(
    tmp_path: Path, capsys: Capture, what: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert cli.main(["list", "--catalogue", str(tmp_path / what)]) == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert f"--catalogue {tmp_path / what}: has none of systems/, workloads/, experiments/" in line


def test_an_error_names_file_and_key(
    rexen: Callable[..., int], mine: Path, capsys: Capture
) -> None:
    file = mine / "workloads/getppid/workload.toml"
    file.write_text(file.read_text().replace('unit = "us"', 'unit = "parsec"'))
    assert rexen("list") == ExitCode.CONFIG
    (line,) = capsys.readouterr().err.splitlines()
    assert str(file) in line and "unit" in line


def test_results_from_outside_do_not_disturb_who_does_not_know_them(
    engine: WorldEngine, rexen: Callable[..., int], tmp_path: Path
) -> None:
    rexen("run", *CHOSEN)
    folders = ["--results", str(tmp_path / "results"), "--reports", str(tmp_path / "reports")]
    assert cli.main(["run", *folders, "--system", "native", "--workload", "controls"]) == 0
    for verb in ("report", "export", "plan"):
        more = ["--to", str(tmp_path / "out")] if verb == "export" else []
        assert cli.main([verb, *folders, *more]) == ExitCode.OK, verb
