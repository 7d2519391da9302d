"""osdb: what it measures, and what it says of a wrong answer or a broken server.

Ring 2, the checks image: it runs in the large root itself, taken apart. What goes wrong is brought
about from the database's side, by a statement more in the script that loads it.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import contract
import pytest
from conftest import WORKLOADS
from contract import Program

from harness import protocol

pytestmark = pytest.mark.guest
IMAGE = Path("/opt/rexen/disk/root.img")
CLUSTER = "usr/share/postgresql/cluster"
MAKE_CLUSTER = WORKLOADS.parent / "harness/measure/images/recipe/cluster/cluster.sh"
FEW = ("tuples=1200", "percent=10", "reps=1")
BROKEN = {
    "wrong tuple": (
        "update updates set col_name = 'somebody else'",
        'ir osdb-user ended with status 1: key {}: col_name is "somebody else       ", not "{}"',
    ),
    "missing tuple": (
        "delete from updates where col_key > 0",
        "ir osdb-user ended with status 1: select count(*) from updates: 1, not 1200",
    ),
    "lost update": (
        "create rule lost as on update to updates do instead nothing",
        "ir osdb-user ended with status 1: select count(*) from updates, sel100seq {}: 0, not 100",
    ),
    "unheard update": (
        "create rule unheard as on update to updates where new.col_signed > old.col_signed "
        "do instead nothing",
        "oltp osdb-user ended with status 1: key {}: 0 tuples changed",
    ),
    "server killed": (
        "copy tiny to program 'kill -9 $PPID'",
        "ir postgres died (LOG:  server process (PID {}) was terminated by signal 9: Killed): {}",
    ),
}
DOUBLE = (
    "create function twice() returns trigger language plpgsql as "
    "'begin if new.col_signed > old.col_signed then new.col_signed := new.col_signed + 1; "
    "end if; return new; end'\n"
    "create trigger twice before update on updates for each row execute function twice()"
)


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    """The large root, where any user may go."""
    with tempfile.TemporaryDirectory(prefix="osdb-") as place:
        Path(place).chmod(0o755)
        tree = Path(place) / "root"
        subprocess.run(["fsck.erofs", f"--extract={tree}", IMAGE], check=True, capture_output=True)
        for number, name in ((3, "null"), (8, "random"), (9, "urandom")):
            os.mknod(tree / "dev" / name, 0o666 | stat.S_IFCHR, os.makedev(1, number))
            (tree / "dev" / name).chmod(0o666)
        yield tree


@pytest.fixture
def program(tree: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """The workload in the large root as it comes, without what an earlier test left."""
    for name in ("tmp", "mnt/data", "workloads"):
        shutil.rmtree(tree / name)
        (tree / name).mkdir()
    (tree / "tmp").chmod(0o1777)
    shutil.copytree(built / "workloads/osdb", tree / "workloads/osdb")
    monkeypatch.setenv("REXEN_ROOT", str(tree))
    return Program.of(source=WORKLOADS / "osdb", built=tree)


@pytest.fixture
def loaded_also_by(tree: Path, program: Program) -> Callable[[str], None]:
    def add(statements: str) -> None:
        with (tree / "workloads/osdb/load.sql").open("a") as script:
            script.write(f"{statements}\n")

    return add


def fails(program: Program, tmp: Path) -> tuple[str, bytes]:
    status, output = program.start(tmp, *FEW)
    assert status == 1, output
    (failure,) = protocol.parse(output).failures
    return failure, output


def test_prints_both_metrics_in_order(program: Program, tmp_path: Path) -> None:
    status, output = program.start(tmp_path, *FEW[:2], "reps=2")
    assert status == 0, output
    samples = protocol.parse(output).samples
    assert [(s.metric, s.rep) for s in samples] == [
        (metric, rep) for metric in ("ir", "oltp") for rep in range(3)
    ]
    assert [s.count for s in samples] == [25, 100, 100, 25, 100, 100]
    lines = output.splitlines()
    facts = [line for line in lines if line.startswith(b"@rexen fact PostgreSQL.")]
    assert len(facts) + len(samples) == len(lines)


def test_says_what_the_server_ran_with(program: Program, tmp_path: Path) -> None:
    """What postgresql.conf has is what the running server says, and nothing else is set."""
    status, output = program.start(tmp_path, *FEW)
    assert status == 0, output
    facts = protocol.parse(output).facts
    wanted = dict(
        line.split(" = ", 1)
        for line in (WORKLOADS / "osdb/postgresql.conf").read_text().splitlines()
        if " = " in line and not line.startswith("#")
    )
    assert facts.keys() == {f"PostgreSQL.{name}" for name in wanted}
    for name in ("fsync", "synchronous_commit", "shared_buffers", "autovacuum"):
        assert facts[f"PostgreSQL.{name}"] == wanted[name]


def test_count_is_not_below_one_for_each_user(program: Program, tmp_path: Path) -> None:
    status, output = program.start(tmp_path, *FEW, "divide=1000000")
    assert status == 0, output
    assert {sample.count for sample in protocol.parse(output).samples} == {10}


def test_leaves_nothing_running_and_no_data_behind(
    tree: Path, program: Program, tmp_path: Path
) -> None:
    status, output = program.start(tmp_path, *FEW)
    assert status == 0, output
    assert not (tree / "mnt/data/osdb/postmaster.pid").exists()
    assert list((tree / "tmp/osdb").iterdir()) == []


@pytest.mark.parametrize("parameter", [*contract.REFUSED, "tuples=0", "tuples=1000001"])
def test_bad_parameter_is_one_clear_line(program: Program, tmp_path: Path, parameter: str) -> None:
    contract.check_refuses(program, tmp_path, parameter)


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said(
    name: str, program: Program, loaded_also_by: Callable[[str], None], tmp_path: Path
) -> None:
    statement, wanted = BROKEN[name]
    loaded_also_by(statement)
    failure, output = fails(program, tmp_path)
    parts = wanted.split("{}")
    assert failure.startswith(parts[0]), output
    assert all(part in failure for part in parts), output


def test_a_change_too_many_is_found(
    program: Program, loaded_also_by: Callable[[str], None], tmp_path: Path
) -> None:
    loaded_also_by(DOUBLE)
    failure, _ = fails(program, tmp_path)
    assert failure.startswith("oltp updates: the sums are ")


def test_server_that_does_not_come_up_says_why(
    tree: Path, program: Program, tmp_path: Path
) -> None:
    with (tree / "workloads/osdb/postgresql.conf").open("a") as settings:
        settings.write("nonsense = 1\n")
    failure, output = fails(program, tmp_path)
    assert failure.startswith("ir postgres ended with status 1: "), output
    assert "FATAL:  configuration file" in failure
    assert b'unrecognized configuration parameter "nonsense"' in output


def test_statement_that_fails_is_quoted(
    program: Program, loaded_also_by: Callable[[str], None], tmp_path: Path
) -> None:
    loaded_also_by("select from nowhere")
    failure, output = fails(program, tmp_path)
    assert failure.startswith("ir osdb-load ended with status 1: "), output
    assert b'relation "nowhere" does not exist' in output


def test_cluster_is_the_same_from_every_build(tree: Path) -> None:
    """Made again now, by other processes, it has the bytes that the image has."""
    (tree / CLUSTER).rename(tree / "cluster")
    try:
        subprocess.run([MAKE_CLUSTER, tree], check=True, timeout=120)
        done = subprocess.run(
            ["diff", "-r", tree / "cluster", tree / CLUSTER], capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, "")
    finally:
        shutil.rmtree(tree / CLUSTER, ignore_errors=True)
        (tree / "cluster").rename(tree / CLUSTER)
