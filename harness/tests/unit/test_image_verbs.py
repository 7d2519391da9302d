"""`rexen image` and `rexen lock`, in a small checkout, with an engine of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from harness.cli import main as cli
from harness.cli import session
from harness.errors import ExitCode
from harness.measure.images import host
from harness.measure.images.build import image_tag
from harness.measure.images.container import Identity
from harness.paths import Paths
from harness.tests.checkout import LOCK, ImageEngine, make_checkout
from harness.tests.unit.test_archive import ArchiveEngine

Capture = pytest.CaptureFixture[str]
Rexen = Callable[..., int]


class Workshop(ImageEngine):
    """Builds images, and gives and takes them as an archive has them."""

    def __init__(self) -> None:
        super().__init__("debian:trixie-slim")
        self.exchange = ArchiveEngine()

    def save(self, tag: str) -> Iterator[bytes]:
        assert tag in self.images
        return self.exchange.save(tag)

    def load(self, dump: BinaryIO) -> None:
        self.exchange.load(dump)
        self.images += self.exchange.images

    def identity(self, tag: str) -> Identity:
        return self.exchange.identity(tag)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_checkout(tmp_path / "checkout")
    monkeypatch.setattr(cli, "checkout_root", lambda: root)
    return root


@pytest.fixture
def enter(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[ImageEngine], None]:
    """Makes an engine the one that all verbs find."""

    def put(engine: ImageEngine) -> None:
        monkeypatch.setattr(session, "ensure_engine", lambda logs, steps: engine)
        monkeypatch.setattr(host, "ensure_engine", lambda logs, steps: engine)

    return put


Enter = Callable[[ImageEngine], None]


def test_an_image_travels(checkout: Path, enter: Enter, tmp_path: Path, capsys: Capture) -> None:
    """Built here, saved, loaded where nothing can be built: there it is found without a build."""
    file = tmp_path / "image.tar"
    tag = image_tag(Paths.of(checkout))
    enter(Workshop())
    assert cli.main(["image", "save", str(file)]) == ExitCode.OK
    saved = capsys.readouterr().out
    assert saved.startswith(f"{tag}, sha256:") and saved.endswith(f" MB in {file}\n")

    bare = Workshop()
    bare.images = []
    enter(bare)
    assert cli.main(["image", "load", str(file)]) == ExitCode.OK
    loaded = capsys.readouterr()
    assert loaded.out == saved
    assert cli.main(["image", "save", str(tmp_path / "again.tar")]) == ExitCode.OK
    assert bare.builds == [] and bare.images == [tag]


def test_an_image_of_other_sources(
    checkout: Path, enter: Enter, tmp_path: Path, capsys: Capture
) -> None:
    enter(Workshop())
    file = tmp_path / "image.tar"
    cli.main(["image", "save", str(file)])
    (checkout / "workloads/demo/run.c").write_text("changed")
    capsys.readouterr()
    assert cli.main(["image", "load", str(file)]) == ExitCode.OK
    assert "it is of another checkout" in capsys.readouterr().out


def test_a_file_that_is_no_archive(
    checkout: Path, enter: Enter, tmp_path: Path, capsys: Capture
) -> None:
    enter(Workshop())
    file = tmp_path / "image.tar"
    file.write_text("no archive")
    assert cli.main(["image", "load", str(file)]) == ExitCode.BUILD
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert complaint.startswith(f"rexen: {file} is no whole OCI archive: ")


def test_image_as_json(checkout: Path, enter: Enter, tmp_path: Path, capsys: Capture) -> None:
    enter(Workshop())
    file = tmp_path / "image.tar"
    assert cli.main(["image", "save", str(file), "--json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert document["bytes"] == file.stat().st_size
    assert document["of_this_checkout"] is True


def test_lock(checkout: Path, enter: Enter, capsys: Capture) -> None:
    engine = ImageEngine("debian:trixie-slim")
    engine.manifest = f"package dash 0.5.13-1 amd64 {'e' * 64}\n"
    enter(engine)
    assert cli.main(["lock"]) == ExitCode.OK
    assert capsys.readouterr().out == "  dash 0.5.12-12 -> 0.5.13-1\n"
    assert cli.main(["lock"]) == ExitCode.OK
    assert capsys.readouterr().out == "nothing changed\n"
    assert cli.main(["lock", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == {"added": {}, "changed": {}, "removed": {}}


def test_a_broken_lock_ends_a_verb(checkout: Path, enter: Enter, capsys: Capture) -> None:
    enter(Workshop())
    (checkout / "inputs.lock").write_text(LOCK.text() + "package dash\n")
    assert cli.main(["lock"]) == ExitCode.CONFIG
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert "inputs.lock: line 7: is not understood: 'package dash'" in complaint
