"""The recipe's smaller scripts: artefacts out of packages, parts joined as a machine starts."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from harness.tests.recipe.debian import RECIPE, Package, run


def artefacts(tmp_path: Path, line: str) -> str:
    """The complaint, "" for none."""
    (tmp_path / "list").write_text(f"{line}\n")
    done = run(
        "sh", str(RECIPE / "artefacts.sh"), *(str(tmp_path / it) for it in ("list", "root", "out"))
    )
    assert bool(done.returncode) == bool(done.stderr), done
    return done.stderr


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    boot = tmp_path / "root" / "boot"
    boot.mkdir(parents=True)
    (boot / "plain").write_bytes(b"content")
    (boot / "xen-4.gz").write_bytes(gzip.compress(b"content"))
    (boot / "kvm.ko.xz").write_bytes(lzma.compress(b"content"))
    (boot / "vmlinuz-6.1-amd64").write_bytes(b"no kernel" * 100)
    (boot / "vmlinuz-6.1-cloud-amd64").write_bytes(b"no kernel" * 100)
    return tmp_path


@pytest.mark.parametrize(
    ("how", "pattern"),
    [("copy", "boot/plain"), ("gzip", "boot/xen-*.gz"), ("xz", "*/kvm.ko.xz")],
)
def test_artefacts(unpacked: Path, how: str, pattern: str) -> None:
    assert artefacts(unpacked, f"{how} {pattern} deep/below/name") == ""
    assert (unpacked / "out/deep/below/name").read_bytes() == b"content"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("copy boot/nonesuch x", "expected one file"),
        ("copy boot/* x", "expected one file"),
        ("magic boot/plain x", "no way 'magic' to make x"),
        ("gzip boot/plain x", "not in gzip format"),
        ("bzimage boot/vmlinuz-*[0-9]-amd64 x", "vmlinuz-6.1-amd64: no bzImage"),
    ],
)
def test_artefacts_that_cannot_be_made(unpacked: Path, line: str, words: str) -> None:
    assert words in artefacts(unpacked, line)


@pytest.mark.parametrize(
    ("lists", "there"), [((), ["kernel", "headers"]), (("list",), ["headers"])]
)
def test_unpack_takes_the_pool_s_choice_or_a_list_s(
    lists: tuple[str, ...], there: list[str], tmp_path: Path
) -> None:
    """What a system asks to unpack must not reach a stage that wants its own list's packages."""
    for name in ("kernel", "headers", "tool"):
        Package(name).build(tmp_path, tmp_path / "trees")
    (tmp_path / "unpack").write_text("kernel\nheaders\n")
    (tmp_path / "list").write_text("# a list\nchecks tool\nunpack headers # why\n")
    done = run(
        "sh", str(RECIPE / "unpack.sh"), *(str(tmp_path / it) for it in ("", "root", *lists))
    )
    assert done.returncode == 0, done
    assert sorted(it.name for it in (tmp_path / "root/usr/share").iterdir()) == sorted(there)


def test_boot_joins_parts_and_becomes_the_program(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(f"part {name}\n")
    a, b, c, joined, other = (tmp_path / name for name in ("a", "b", "c", "joined", "other"))
    done = run(
        *("sh", str(RECIPE / "boot"), f"{joined}={b}+{a}+{b}", f"{other}={c}"),
        *("--", "echo", "-S", "two words", "a=b+c"),
    )
    assert (done.returncode, done.stdout) == (0, "-S two words a=b+c\n"), done.stderr
    assert joined.read_text() == "part b\npart a\npart b\n"
    assert other.read_text() == "part c\n"


def test_boot_without_parts() -> None:
    assert run("sh", str(RECIPE / "boot"), "--", "echo", "--", "x").stdout == "-- x\n"


def test_boot_does_not_start_what_lacks_a_part(tmp_path: Path) -> None:
    done = run(
        "sh", str(RECIPE / "boot"), f"{tmp_path}/joined={tmp_path}/nonesuch", "--", "echo", "x"
    )
    assert done.returncode != 0 and done.stdout == ""
    assert "nonesuch" in done.stderr


def test_programs_of_the_first_levels(tmp_path: Path) -> None:
    """Each by its system and name, needing no library; one that fails ends the build."""
    source = tmp_path / "baselines" / "demo" / "answer.c"
    source.parent.mkdir(parents=True)
    source.write_text("int main(void) { return 42; }\n")
    build = ("sh", str(RECIPE / "host_programs.sh"), str(tmp_path / "baselines"))
    assert run(*build, str(tmp_path / "out")).returncode == 0
    program = tmp_path / "out" / "demo" / "answer"
    assert run(str(program)).returncode == 42
    assert "INTERP" not in run("readelf", "-l", str(program)).stdout
    source.write_text("int main(void) { return nothing; }\n")
    assert "nothing" in run(*build, str(tmp_path / "out")).stderr
