"""dbench: what it counts, and what it says when it cannot (ring 2, the checks image).

It runs in a tree with what it needs of the large root; the first sessions of the load are enough.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import contract
import pytest
from conftest import WORKLOADS
from contract import Program

from harness import protocol

pytestmark = pytest.mark.guest
LOAD = "usr/share/dbench/client.txt"
LIBRARY = "usr/lib/x86_64-linux-gnu"
LIBRARIES = ("ld-linux-x86-64.so.2", "libc.so.6", "libpopt.so.0")
SESSION = r'"\clients\client1\~dmtmp\PWRPNT\PCBENCHM" 1004 '
MEBIBYTE = 1 << 20


def sessions(load: str) -> list[str]:
    """The preparation, then session after session, then the unfinished rest."""
    lines = load.splitlines(keepends=True)
    starts = [at for at, line in enumerate(lines) if SESSION in line]
    borders = zip([0, *starts], [*starts, len(lines)], strict=True)
    return ["".join(lines[first:end]) for first, end in borders]


@pytest.fixture(scope="module")
def load(large_root: Path) -> list[str]:
    return sessions((large_root / LOAD).read_text())


@pytest.fixture
def tree(
    tmp_path: Path, large_root: Path, load: list[str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """What the workload enters: dbench, its libraries and the first two sessions of its load."""
    tree = tmp_path / "root"
    libraries = large_root / LIBRARY
    for path in (large_root / "usr/bin/dbench", *(libraries / name for name in LIBRARIES)):
        place = tree / path.relative_to(large_root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    (tree / "lib64").symlink_to(LIBRARY)
    for name in ("tmp", "dev", "data", "usr/share/dbench"):
        (tree / name).mkdir(parents=True)
    os.mknod(tree / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (tree / LOAD).write_text("".join(load[:4]))
    monkeypatch.setenv("REXEN_ROOT", str(tree))
    return tree


def limit(largest: int, *, deadly: bool) -> Callable[[], None]:
    """What a process does to itself so that no file of its children grows larger."""

    def apply() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)

    return apply


def run(
    built: Path, tree: Path, *parameters: str, before: Callable[[], None] | None = None
) -> tuple[int, bytes]:
    done = subprocess.run(
        [built / "workloads/dbench/run", *parameters],
        env={"REXEN_ROOT": str(tree), "REXEN_DATA_DIR": "/data"},
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
        preexec_fn=before,
    )
    return done.returncode, done.stdout


def counts(built: Path, tree: Path, *parameters: str) -> list[int]:
    status, output = run(built, tree, *parameters)
    assert status == 0, output
    return [sample.count for sample in protocol.parse(output).samples]


def failure(built: Path, tree: Path, before: Callable[[], None] | None = None) -> str:
    """What it fails with: one line, no sample, and it is over."""
    status, output = run(built, tree, "percent=1", before=before)
    assert status == 1, output
    transcript = protocol.parse(output)
    assert not transcript.samples
    (words,) = transcript.failures
    assert words.startswith("throughput ")
    return words


def bytes_of(session: str) -> int:
    moved = re.findall(r"^(?:ReadX|WriteX) \d+ \d+ (\d+) \d+ NT_STATUS_OK$", session, re.M)
    return sum(map(int, moved))


def test_prints_what_it_declares(built: Path, tmp_path: Path, tree: Path) -> None:
    (tree / tmp_path.relative_to("/")).mkdir(parents=True)
    program = Program.of(source=WORKLOADS / "dbench", built=built)
    contract.check_prints_what_it_declares(program, tmp_path)


@pytest.mark.parametrize("parameter", contract.REFUSED)
def test_bad_parameter_is_one_clear_line(parameter: str, built: Path, tmp_path: Path) -> None:
    program = Program.of(source=WORKLOADS / "dbench", built=built)
    contract.check_refuses(program, tmp_path, parameter)


def test_count_is_the_bytes_of_whole_sessions(built: Path, tree: Path, load: list[str]) -> None:
    """Never of the preparation, and of one session at least."""
    first, second = (bytes_of(session) for session in load[1:3])
    assert first > 15e6 and second > 15e6
    assert counts(built, tree, "percent=34") == [first, first + second]
    assert counts(built, tree, "percent=1", "divide=10") == [first, first]


def test_nothing_is_flushed(built: Path, tree: Path, load: list[str]) -> None:
    """dbench would die of this one: the handle is not open."""
    (tree / LOAD).write_text("".join([*load[:2], "Flush 77 NT_STATUS_OK\n", load[2]]))
    assert counts(built, tree, "percent=1")[1] == bytes_of(load[1])


def test_load_has_the_sessions_of_the_full_profile(load: list[str]) -> None:
    """As many lines each, and as many bytes: how many are measured is no matter of what is."""
    whole = load[1:-1]
    assert len(whole) == 129
    for figures in ([s.count("\n") for s in whole], [bytes_of(s) for s in whole]):
        assert max(figures) < 1.02 * min(figures)
    assert not any(re.match(r"\d", line) for line in "".join(load).splitlines()), "times to keep"


def test_more_than_the_load_has_is_the_load_again(built: Path, tree: Path, load: list[str]) -> None:
    all_of_it = sum(bytes_of(session) for session in load[1:3])
    assert counts(built, tree, "percent=67")[1] == all_of_it + bytes_of(load[1]) * 2


def test_leaves_no_file(built: Path, tree: Path) -> None:
    def files() -> set[Path]:
        return set(tree.rglob("*"))

    before = files()
    assert run(built, tree, "percent=1")[0] == 0
    assert files() == before


def test_missing_program_is_named(built: Path, tree: Path) -> None:
    (tree / "usr/bin/dbench").unlink()
    assert "/usr/bin/dbench: No such file or directory" in failure(built, tree)


def test_load_without_sessions_is_named(built: Path, tree: Path) -> None:
    (tree / LOAD).write_text('Mkdir "\\clients" NT_STATUS_OK\n')
    assert f"/{LOAD} has no sessions" in failure(built, tree)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ReadX 1 0 4096\n", "Badly formed status"),
        ("Remember 1 NT_STATUS_OK\n", "Unknown operation Remember"),
        ("Close 77 NT_STATUS_OK\n", "ERROR: handle 77 was not found"),
    ],
)
def test_line_nobody_understands_is_named(line: str, words: str, built: Path, tree: Path) -> None:
    (tree / LOAD).write_text(line + (tree / LOAD).read_text())
    assert words in failure(built, tree)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('Unlink "\\clients\\none" 0x6 NT_STATUS_OK\n', "none failed (No such file or directory)"),
        ('NTCreateX "\\clients" 0x1 0x1 77 NT_STATUS_NO_SUCH_FILE\n', "succeeded for handle 77"),
    ],
)
def test_wrong_answer_in_a_session_fails(
    line: str, words: str, built: Path, tree: Path, load: list[str]
) -> None:
    (tree / LOAD).write_text("".join([load[0], load[1], line, load[2]]))
    assert words in failure(built, tree)


def test_client_that_dies_in_a_session_is_a_wrong_count(
    built: Path, tree: Path, load: list[str]
) -> None:
    """dbench itself takes a client that was killed for one that has done its work."""
    wild = (
        'NTCreateX "\\clients\\w" 0x40 0x2 77 NT_STATUS_OK\nWriteX 77 80000000 1 1 NT_STATUS_OK\n'
    )
    (tree / LOAD).write_text("".join([load[0], load[1], wild, load[2]]))
    words = failure(built, tree, limit(64 * MEBIBYTE, deadly=True))
    assert re.search(r"dbench counts \d+ lines, .* not \d+, \d+ and \d+", words)


def test_write_that_fails_is_named(built: Path, tree: Path) -> None:
    """As on a full disk, when the files are made: the largest has 1.8 MB."""
    words = failure(built, tree, limit(MEBIBYTE, deadly=False))
    assert "write failed on handle" in words and "File too large" in words
