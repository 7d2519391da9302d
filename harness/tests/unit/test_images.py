"""The build context, the manifest, the base image and the engine, in a made-up world."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from harness.errors import BuildError, EngineError
from harness.host import process
from harness.host.process import ProcessFailed
from harness.measure.images import base, host
from harness.measure.images.build import context_files, ensure_image, pack_context, read_manifest
from harness.measure.images.container import Engine, candidate_urls
from harness.paths import Paths, checkout_root
from harness.steps import Steps

MANIFEST = (
    "emulator abcd 1:10.0.2+ds\npackage qemu-system-x86 1:10.0.2+ds\n"
    f"file {'0' * 64} kernel/cloud/vmlinux\nfile {'1' * 64} root/guest.cpio\n"
)
REFUSED = "no container engine answers"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "Dockerfile": "FROM scratch",
        "README.md": "outside the context",
        "baselines/native/system.toml": "id",
        "baselines/native/host.sh": "#!/bin/sh",
        "baselines/README.md": "words",
        "workloads/demo/workload.toml": "id",
        "workloads/demo/run.c": "int main;",
        "workloads/demo/run.o": "object",
        "workloads/tests/test_root.py": "test",
        "workloads/demo/__pycache__/x.pyc": "bytes",
        "harness/cli.py": "outside the context",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "baselines/native/host.sh").chmod(0o755)
    return tmp_path


class ImageEngine(Engine):
    """Knows images by tag; a build makes one."""

    def __init__(self, *images: str, manifest: str = MANIFEST, registry: bool = False) -> None:
        self.images = list(images)
        self.manifest = manifest
        self.registry = registry
        self.builds: list[dict[str, str]] = []

    def has_image(self, tag: str) -> bool:
        return tag in self.images

    def image_digest(self, tag: str) -> str:
        assert tag in self.images
        return f"digest of {tag}"

    def pull(self, repository: str, tag: str) -> bool:
        self.images += [f"{repository}:{tag}"] if self.registry else []
        return self.registry

    def build(self, context, *, tag, target, arguments, log):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        self.builds.append({"tag": tag, **arguments})
        self.images.append(tag)
        yield "Step 1/1 : FROM"

    def import_root(self, archive: Path, repository: str, tag: str) -> None:
        self.images.append(f"{repository}:{tag}")

    def output_of(self, image: str, argv: object) -> bytes:
        return self.manifest.encode()


def test_the_same_sources_are_the_same_bytes(checkout: Path) -> None:
    first = pack_context(checkout)
    os.utime(checkout / "workloads/demo/run.c", (1, 1))
    assert pack_context(checkout) == first


def test_what_counts_as_a_source(checkout: Path) -> None:
    names = [str(path.relative_to(checkout)) for path in context_files(checkout)]
    assert names == [
        "Dockerfile",
        "baselines/native/host.sh",
        "baselines/native/system.toml",
        "workloads/demo/run.c",
        "workloads/demo/workload.toml",
    ]
    with tarfile.open(fileobj=io.BytesIO(pack_context(checkout))) as tar:
        assert tar.getnames() == names
        modes = {member.name: member.mode for member in tar.getmembers()}
        assert modes["baselines/native/host.sh"] == 0o755
        assert modes["Dockerfile"] == 0o644


@pytest.mark.parametrize(
    ("name", "rebuilds"),
    [
        ("workloads/demo/run.c", True),
        ("workloads/demo/workload.toml", True),
        ("baselines/native/system.toml", True),
        ("Dockerfile", True),
        ("hypervisor/boot/head.S", True),
        ("hypervisor/doc/abi.md", False),
        ("hypervisor/doc/memory-map.svg", False),
        ("baselines/linux.toml", False),  # reaches the guest by the command line
        ("baselines/README.md", False),
        ("workloads/tests/test_root.py", False),
        ("harness/cli.py", False),
    ],
)
def test_a_changed_source_is_a_new_image(checkout: Path, name: str, rebuilds: bool) -> None:
    engine, paths, steps = ImageEngine("debian:trixie-slim"), Paths.of(checkout), Steps(quiet=True)
    before = ensure_image(engine, paths, steps)
    assert ensure_image(engine, paths, steps) == before
    path = checkout / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")
    after = ensure_image(engine, paths, steps)
    assert (after.tag != before.tag) is rebuilds
    assert len(engine.builds) == 1 + rebuilds, "what has not changed is not built again"


def test_the_real_context_has_every_workload_and_no_document() -> None:
    root = checkout_root()
    names = {str(path.relative_to(root)) for path in context_files(root)}
    assert {"Dockerfile", "workloads/init/init.c"} <= names
    for file in root.glob("workloads/*/workload.toml"):
        assert str(file.relative_to(root)) in names
    assert not [name for name in names if name.endswith(".md") or "/tests/" in name]


def test_a_manifest() -> None:
    image = read_manifest("rexen:1", MANIFEST)
    assert image.files == {"kernel/cloud/vmlinux": "0" * 64, "root/guest.cpio": "1" * 64}
    assert image.emulator == "QEMU 1:10.0.2+ds abcd"
    assert image.packages == {"qemu-system-x86": "1:10.0.2+ds"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "rexen:1 is incomplete"),
        ("emulator abcd 10", "rexen:1 is incomplete"),
        (MANIFEST.replace("emulator", "package"), "rexen:1 is incomplete"),
        (MANIFEST + "cat: no such file\n", "unknown line: 'cat: no such file'"),
    ],
)
def test_a_broken_manifest(text: str, words: str) -> None:
    with pytest.raises(BuildError, match=words):
        read_manifest("rexen:1", text)


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
