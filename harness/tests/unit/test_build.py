"""The build context, the image and its manifest, the lock's renewal: with an engine of our own."""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.catalogue import load_systems
from harness.errors import BuildError, ConfigError
from harness.measure.images import lock
from harness.measure.images.build import ensure_image, read_manifest, renew_lock
from harness.measure.images.context import context_files, pack_context, wishes
from harness.measure.images.lock import Locked
from harness.model.system import Artefact, Ingredients
from harness.paths import Paths, checkout_root
from harness.steps import Steps
from harness.tests.builders import a_system
from harness.tests.checkout import LOCK, MANIFEST, ImageEngine, make_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path)


def test_the_same_sources_are_the_same_bytes(checkout: Path) -> None:
    first = pack_context(checkout, [], {})
    os.utime(checkout / "workloads/demo/run.c", (1, 1))
    assert pack_context(checkout, [], {}) == first


def test_what_counts_as_a_source(checkout: Path) -> None:
    names = [str(path.relative_to(checkout)) for path in context_files(checkout)]
    assert names == [
        "Dockerfile",
        "inputs.lock",
        "baselines/native/host.sh",
        "harness/measure/images/recipe/boot",
        "harness/measure/counting/plugin/count.c",
        "workloads/demo/run.c",
        "workloads/demo/workload.toml",
        "hypervisor/boot/head.S",
    ]
    with tarfile.open(fileobj=io.BytesIO(pack_context(checkout, [], {}))) as tar:
        assert tar.getnames() == [*names, *wishes([])]
        modes = {member.name: member.mode for member in tar.getmembers()}
        assert modes["baselines/native/host.sh"] == 0o755
        assert modes["Dockerfile"] == 0o644


@pytest.mark.parametrize(
    ("name", "rebuilds"),
    [
        ("workloads/demo/run.c", True),
        ("workloads/demo/workload.toml", True),
        ("Dockerfile", True),
        ("harness/measure/images/recipe/boot", True),
        ("harness/measure/counting/plugin/count.c", True),
        ("hypervisor/boot/head.S", True),
        ("hypervisor/doc/abi.md", False),
        ("hypervisor/doc/memory-map.svg", False),
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


@pytest.mark.parametrize(
    ("name", "old", "new", "rebuilds"),
    [
        ("baselines/native/system.toml", "linux-image-cloud-amd64", "linux-image-amd64", True),
        ("baselines/native/system.toml", "boot/vmlinuz-*", "boot/vmlinuz-6*", True),
        ("baselines/native/system.toml", "root/base.cpio", "root/other.cpio", True),
        ("baselines/native/system.toml", 'title = "Native"', 'title = "Alone"', False),
        ("baselines/native/system.toml", "wall_s = 120", "wall_s = 121", False),
        ("baselines/linux.toml", "", "fixed = ['quiet']", False),  # by the command line
        ("inputs.lock", "0.5.12-12", "0.5.12-13", True),
        ("inputs.lock", "archive -", "archive file:/snapshots", True),
        ("inputs.lock", "# Every", "# Each and every", False),
    ],
)
def test_a_changed_wish_is_a_new_image(
    checkout: Path, name: str, old: str, new: str, rebuilds: bool
) -> None:
    engine, paths, steps = ImageEngine("debian:trixie-slim"), Paths.of(checkout), Steps(quiet=True)
    before = ensure_image(engine, paths, steps)
    path = checkout / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    after = ensure_image(engine, paths, steps)
    assert (after.tag != before.tag) is rebuilds


def test_what_the_systems_ask_for() -> None:
    """Lines that shell can read; what two systems ask for alike stands once."""
    kernel = Artefact("kernel/vmlinux", "boot/vmlinuz-*", "bzimage")
    first = Ingredients(unpack=("linux-image-amd64",), artefacts=(kernel,))
    second = Ingredients(
        unpack=("linux-image-amd64", "xen"), install=("qemu-system-x86",), artefacts=(kernel,)
    )
    systems = [replace(a_system(), ingredients=it) for it in (first, second)]
    assert wishes(systems) == {
        "systems/packages.list": [
            "overlay qemu-system-x86",
            "unpack linux-image-amd64",
            "unpack xen",
        ],
        "systems/artefacts.list": ["bzimage boot/vmlinuz-* kernel/vmlinux"],
        "systems/booted.list": ["kernel/cloud/vmlinux", "root/base.cpio"],
    }
    boot = replace(a_system().boot, initrd=("root/base.cpio", "root/work/{workload}.cpio"))
    (_, _, booted) = wishes([replace(a_system(), boot=boot)]).values()
    assert "root/work/*.cpio" in booted


def test_one_artefact_made_in_two_ways() -> None:
    ways = [Ingredients(artefacts=(Artefact("k", "boot/k", how),)) for how in ("copy", "xz")]
    systems = [replace(a_system(name), ingredients=it) for name, it in zip("ab", ways, strict=True)]
    with pytest.raises(ConfigError, match="system 'b' makes k otherwise than another system"):
        wishes(systems)


def test_every_real_system_is_made_of_what_the_image_has() -> None:
    """Whatever a system boots is an artefact of some system, a root, an overlay or ours."""
    root = checkout_root()
    systems = load_systems(Paths.of(root)).values()
    made = {it.name for system in systems for it in system.ingredients.artefacts}
    overlays = {f"root/{file.parent.name}.cpio" for file in root.glob("baselines/*/overlay.sh")}
    roots = {"root/base.cpio", "root/work/demo.cpio", "root/nested/demo.cpio"}
    known = made | overlays | roots | {"rexen/rexen.elf"}
    for system in systems:
        assert set(system.boot.of("demo").files) <= known


def test_the_real_context_has_every_workload_and_no_document() -> None:
    root = checkout_root()
    names = {str(path.relative_to(root)) for path in context_files(root)}
    assert {"Dockerfile", "workloads/init/init.c"} <= names
    for file in root.glob("workloads/*/workload.toml"):
        assert str(file.relative_to(root)) in names
    assert not [name for name in names if name.endswith(".md") or "/tests/" in name]


def test_a_manifest() -> None:
    image = read_manifest("rexen:1", MANIFEST)
    assert image.files == {"kernel/cloud/vmlinux": "0" * 64, "root/base.cpio": "1" * 64}
    assert image.emulator == "QEMU 1:10.0.2+ds abcd"
    assert image.differs == ()
    gcc = "gcc-14 locked 14.2.0-19 built 14.3.0-1"
    assert read_manifest("rexen:1", f"{MANIFEST}differs {gcc}\n").differs == (gcc,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "rexen:1 is incomplete"),
        ("emulator abcd 10", "rexen:1 is incomplete"),
        (MANIFEST.replace("emulator", "differs"), "rexen:1 is incomplete"),
        (MANIFEST + "cat: no such file\n", "unknown line: 'cat: no such file'"),
    ],
)
def test_a_broken_manifest(text: str, words: str) -> None:
    with pytest.raises(BuildError, match=words):
        read_manifest("rexen:1", text)


def differing(*names: str) -> str:
    return MANIFEST + "".join(f"differs {name} locked 1 built 2\n" for name in names)


def test_what_differs_is_said_in_one_line(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = ImageEngine("debian:trixie-slim", manifest=differing(*"abcde"))
    ensure_image(engine, Paths.of(checkout), Steps())
    said = [line for line in capsys.readouterr().err.splitlines() if "inputs.lock" in line]
    assert said == [
        "not as inputs.lock has it: "
        "a locked 1 built 2; b locked 1 built 2; c locked 1 built 2; and 2 more"
    ]


def test_nothing_is_said_where_nothing_differs(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_image(ImageEngine("debian:trixie-slim"), Paths.of(checkout), Steps())
    assert "inputs.lock" not in capsys.readouterr().err


def test_an_archive_is_asked_again_where_something_differs(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, paths = ImageEngine("debian:trixie-slim"), Paths.of(checkout)
    engine.manifest = differing("dash")
    ensure_image(engine, paths, Steps(quiet=True))
    ensure_image(engine, paths, Steps(quiet=True))
    assert [build["ARCHIVE"] for build in engine.builds] == [""], "no archive, nothing to ask"
    monkeypatch.setenv("REXEN_SNAPSHOT", "file:/snapshots")
    ensure_image(engine, paths, Steps(quiet=True))
    assert [build["ARCHIVE"] for build in engine.builds] == ["", "file:/snapshots"]
    engine.manifest = MANIFEST
    ensure_image(engine, paths, Steps(quiet=True))
    assert len(engine.builds) == 2, "as locked: never built again"


def test_a_checkout_without_a_lock(checkout: Path) -> None:
    (checkout / "inputs.lock").unlink()
    with pytest.raises(ConfigError, match="inputs.lock: cannot be read.*rexen lock makes it"):
        ensure_image(ImageEngine("debian:trixie-slim"), Paths.of(checkout), Steps(quiet=True))


def test_a_renewed_lock(checkout: Path) -> None:
    """Built with nothing locked at a new moment; the file says what was taken."""
    engine, paths = ImageEngine("debian:trixie-slim"), Paths.of(checkout)
    engine.manifest = f"package dash 0.5.13-1 amd64 {'e' * 64}\n"
    difference = renew_lock(engine, paths, Steps(quiet=True))
    assert difference.lines() == ["  dash 0.5.12-12 -> 0.5.13-1"]
    empty = lock.parse(engine.context["inputs.lock"], "context")
    assert empty.packages == {} and empty.snapshot != LOCK.snapshot
    written = lock.load(paths.lock)
    assert written.snapshot == empty.snapshot
    assert written.packages == {"dash": Locked("0.5.13-1", "amd64", "e" * 64)}
    assert engine.images == ["debian:trixie-slim"], "no image is left behind"


def test_a_lock_that_is_up_to_date_stays(checkout: Path) -> None:
    engine, paths = ImageEngine("debian:trixie-slim"), Paths.of(checkout)
    engine.manifest = f"package dash 0.5.12-12 amd64 {'d' * 64}\n"
    assert not renew_lock(engine, paths, Steps(quiet=True))
    assert paths.lock.read_text() == LOCK.text(), "not even the moment"


def test_the_first_lock(checkout: Path) -> None:
    engine, paths = ImageEngine("debian:trixie-slim"), Paths.of(checkout)
    paths.lock.unlink()
    engine.manifest = f"package dash 0.5.12-12 amd64 {'d' * 64}\n"
    assert renew_lock(engine, paths, Steps(quiet=True)).lines() == ["+ dash 0.5.12-12"]
    assert lock.load(paths.lock).packages == LOCK.packages


def test_a_failed_renewal_leaves_the_lock(checkout: Path) -> None:
    engine, paths = ImageEngine("debian:trixie-slim"), Paths.of(checkout)
    for output in ("", "cat: no such file"):
        engine.manifest = output
        with pytest.raises(BuildError):
            renew_lock(engine, paths, Steps(quiet=True))
    assert paths.lock.read_text() == LOCK.text()
