"""The base image and the engine, in a made-up world."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.errors import BuildError, EngineError
from harness.host import process
from harness.host.process import ProcessFailed
from harness.measure.images import base, host
from harness.measure.images.container import Engine, candidate_urls
from harness.steps import Steps
from harness.tests.checkout import ImageEngine

REFUSED = "no container engine answers"


def test_base_is_the_one_that_is_here(tmp_path: Path) -> None:
    for name in ("debian:trixie-slim", "localhost/rexen-base:trixie"):
        assert base.ensure_base(ImageEngine(name), tmp_path, Steps(quiet=True)) == name


def test_base_is_pulled_where_a_registry_answers(tmp_path: Path) -> None:
    engine = ImageEngine(registry=True)
    assert base.ensure_base(engine, tmp_path, Steps(quiet=True)) == "debian:trixie-slim"


def test_base_is_made_from_the_mirror_where_none_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    listing = "http://mirror.test/debian/|http://mirror.test/debian/|Debian|Debian\n"
    monkeypatch.setattr(process, "capture", lambda argv, **_: listing)
    monkeypatch.setattr(process, "run", lambda argv, **_: ran.append(" ".join(argv)))
    engine = ImageEngine()
    assert base.ensure_base(engine, tmp_path, Steps(quiet=True)) == "localhost/rexen-base:trixie"
    assert ran[-1].startswith("mmdebstrap --variant=minbase trixie")
    assert ran[-1].endswith(" http://mirror.test/debian")


def test_no_registry_and_no_mirror_is_a_build_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(argv: list[str], **_: object) -> str:
        raise ProcessFailed(f"{argv[0]} is not installed")

    monkeypatch.setattr(process, "capture", refuse)
    monkeypatch.setattr(process, "run", lambda argv, **_: None)
    with pytest.raises(BuildError, match="names no Debian mirror") as refused:
        base.ensure_base(ImageEngine(), tmp_path, Steps(quiet=True))
    assert "pull debian:trixie-slim by hand" in refused.value.hint


@pytest.mark.parametrize(
    ("listing", "mirror"),
    [
        ("", ""),
        ("http://a/debian/|http://a/debian/|Debian|Debian", "http://a/debian"),
        ("|http://b/debian|Debian|Debian", "http://b/debian"),
        ("http://c/debian||Debian|Debian", "http://c/debian"),
        (
            "http://s/security|http://s/security|Debian|Debian-Security\n"
            "http://other/apt|http://other/apt|Docker|Docker CE\n"
            "http://d/debian|http://d/debian|Debian|Debian\n"
            "http://e/debian|http://e/debian|Debian|Debian\n",
            "http://d/debian",
        ),
        ("||Debian|Debian\nhttp://f|http://f|Debian|Debian", "http://f"),
        ("nonsense\n\n", ""),
    ],
)
def test_pick_mirror(listing: str, mirror: str) -> None:
    assert base.pick_mirror(listing) == mirror


def test_docker_host_is_the_only_candidate(tmp_path: Path) -> None:
    assert candidate_urls({"DOCKER_HOST": "tcp://far:1", "XDG_RUNTIME_DIR": str(tmp_path)}) == [
        "tcp://far:1"
    ]


def test_sockets_of_the_user_are_candidates(tmp_path: Path) -> None:
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman" / "podman.sock").touch()
    urls = candidate_urls({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert urls[-1] == f"unix://{tmp_path}/podman/podman.sock"
    assert f"unix://{tmp_path}/docker.sock" not in urls, "only what exists is tried"


def test_a_dead_docker_host_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root on Debian too: who sets DOCKER_HOST wants that engine and no other."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.setattr(process, "run", _unexpected)
    with pytest.raises(EngineError) as refused:
        host.ensure_engine(tmp_path, Steps(quiet=True))
    assert f"unix://{tmp_path}/nobody.sock" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["nonsense", "http://", "ftp://x", "tcp://[::1", "tcp://x:port", "ssh://nobody"]
)
def test_a_docker_host_that_is_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", url)
    with pytest.raises(EngineError, match="no container engine answers"):
        host.ensure_engine(tmp_path, Steps(quiet=True))


def test_a_docker_host_that_hangs_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{tmp_path}/docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with pytest.raises(EngineError, match="docker.sock"):
        Engine.connect()


def _unexpected(argv: list[str], **_: object) -> None:
    raise AssertionError(f"{argv} should not be run")


class World:
    """A host of the test's making: what is installed, who we are, when an engine answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, root: bool, programs: str) -> None:
        self.answers = False
        self.programs = programs.split()
        self.ran: list[str] = []
        monkeypatch.delenv("DOCKER_HOST", raising=False)
        monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr("shutil.which", lambda name: name in self.programs or None)
        monkeypatch.setattr(Engine, "connect", self.connect)
        monkeypatch.setattr(process, "run", self.run)
        monkeypatch.setattr(host, "start_daemon", self.start_daemon)

    def connect(self) -> Engine:
        if not self.answers:
            raise EngineError(REFUSED)
        return ImageEngine()

    def run(self, argv: list[str], **_: object) -> None:
        self.ran.append(argv[-1])
        if "docker.io" in argv:
            self.programs.append("dockerd")

    def start_daemon(self, logs: Path) -> Engine:
        self.ran.append("daemon")
        self.answers = True
        return self.connect()


def test_no_engine_and_not_root_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(monkeypatch, root=False, programs="dockerd apt-get")
    with pytest.raises(EngineError) as refused:
        host.ensure_engine(tmp_path, Steps(quiet=True))
    assert str(refused.value) == (
        f"{REFUSED}; start Docker or Podman, or run this as root on Debian"
    )
    assert world.ran == []


def test_no_engine_and_no_debian_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    World(monkeypatch, root=True, programs="")
    with pytest.raises(EngineError) as refused:
        host.ensure_engine(tmp_path, Steps(quiet=True))
    assert str(refused.value) == f"{REFUSED}; install Docker or Podman and start it"


def test_root_on_debian_gets_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, root=True, programs="apt-get")
    host.ensure_engine(tmp_path, Steps(quiet=True))
    assert world.ran == ["update", "docker.io", "daemon"]


def test_an_installed_engine_is_only_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(monkeypatch, root=True, programs="apt-get dockerd")
    host.ensure_engine(tmp_path, Steps(quiet=True))
    assert world.ran == ["daemon"]


def test_an_engine_that_answers_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(monkeypatch, root=True, programs="apt-get")
    world.answers = True
    host.ensure_engine(tmp_path, Steps(quiet=True))
    assert world.ran == []


def test_an_engine_that_cannot_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(argv: list[str], **_: object) -> None:
        raise ProcessFailed("apt-get failed with status 100")

    World(monkeypatch, root=True, programs="apt-get")
    monkeypatch.setattr(process, "run", fail)
    with pytest.raises(EngineError, match="cannot install docker.io: apt-get failed") as refused:
        host.ensure_engine(tmp_path, Steps(quiet=True))
    assert refused.value.log == tmp_path / "apt.log"


def test_dockerd_is_tried_without_iptables_and_bridge_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[list[str]] = []

    def give_up(options: list[str], log: Path) -> None:
        tried.append(options)

    monkeypatch.setattr(host, "_try_daemon", give_up)
    monkeypatch.setattr(Path, "exists", lambda path: False)
    with pytest.raises(EngineError, match="does not start"):
        host.start_daemon(tmp_path)
    assert tried[0] == []
    assert "--bridge=none" in tried[1] and "--storage-driver=vfs" in tried[2]
