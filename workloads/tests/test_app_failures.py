"""lib/io/app.c with programs that fail, each its own way (ring 2, the checks image).

A tree of shell and small scripts stands in for the large root. The workload must end with status 1
and one fail line that names the program, what happened and the program's last words.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import WORKLOADS

from harness import protocol

pytestmark = pytest.mark.guest

# Does with /program what its argument says.
WORKLOAD = r"""
#include "app.h"
#include "bench.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *how;

static bool ready(void)
{
	return access("/tmp/ready", F_OK) == 0;
}

static void once(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	char *const argv[] = {"/program", NULL};
	struct app app = {.name = "server", .argv = argv};
	pid_t pid;

	(void)row;
	bench_start(t);
	if (strcmp(how, "run") == 0) {
		app_run(&app, NULL);
	} else {
		pid = app_start(&app);
		app_await(&app, pid, ready, 1);
		app_stop(&app, pid, SIGTERM, 1);
	}
	bench_stop(t, n);
}

static void begin(const struct bench_row *row)
{
	(void)row;
	app_enter();
}

static const struct bench_row rows[] = {{{"it"}, 1, 1, once, begin, NULL, {0}}};

int main(int argc, char **argv)
{
	how = argv[1];
	return bench_main(rows, 1, argc - 1, argv + 1);
}
"""
Fail = Callable[..., tuple[str, bytes]]


@pytest.fixture(scope="module")
def workload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of `workloads/` with WORKLOAD among them, built."""
    tmp = tmp_path_factory.mktemp("app")
    shutil.copytree(WORKLOADS, tmp / "src", ignore=shutil.ignore_patterns("build"))
    folder = tmp / "src" / "failing"
    folder.mkdir()
    (folder / "run.c").write_text(WORKLOAD)
    (folder / "workload.toml").write_text("")
    program = tmp / "out/workloads/failing/run"
    subprocess.run(
        ["make", "-s", "-C", tmp / "src", f"OUT={tmp / 'out'}", str(program)], check=True
    )
    return program


@pytest.fixture
def fail(workload: Path, tmp_path: Path) -> Fail:
    """Runs it with a script for /program; gives the reason in the fail line, and the output."""
    tree = tmp_path / "root"
    for place in ("bin", "dev", "tmp"):
        (tree / place).mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "", tree / "bin/busybox")
    (tree / "bin/sh").symlink_to("busybox")
    os.mknod(tree / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(tree / "dev/full", 0o666 | stat.S_IFCHR, os.makedev(1, 7))

    def run(script: str | None, how: str = "run") -> tuple[str, bytes]:
        if script is not None:
            (tree / "program").write_text(f"#!/bin/sh\n{script}\n")
            (tree / "program").chmod(0o755)
        done = subprocess.run(
            [workload, how],
            env={"REXEN_ROOT": str(tree)},
            stdout=subprocess.PIPE,
            timeout=30,
            check=False,
        )
        assert done.returncode == 1, done.stdout
        (reason,) = protocol.parse(done.stdout).failures
        return reason, done.stdout

    return run


def test_a_program_that_is_missing(fail: Fail) -> None:
    reason, _ = fail(None)
    assert "server could not be started: /program: No such file or directory" in reason


def test_a_program_that_ends_with_words(fail: Fail) -> None:
    reason, output = fail("echo first; echo the port is taken >&2; exit 3")
    assert "server ended with status 3: the port is taken" in reason
    assert b"server: first\nserver: the port is taken\n" in output


def test_a_program_that_says_nothing(fail: Fail) -> None:
    reason, _ = fail("exit 1")
    assert "server ended with status 1: it says nothing" in reason


def test_a_program_that_a_signal_kills(fail: Fail) -> None:
    reason, _ = fail("echo on my way; kill -SEGV $$")
    assert "server died of signal 11: on my way" in reason


def test_a_program_killed_for_want_of_memory(fail: Fail) -> None:
    """A file stands in for the kernel's log."""
    reason, _ = fail("echo sorting; echo Killed process $$ >/dev/kmsg; kill -KILL $$")
    assert reason.startswith("it server died of signal 9: sorting")
    reason, _ = fail('echo sorting; echo "Killed process $$ (program)" >/dev/kmsg; kill -KILL $$')
    assert "died of signal 9, killed by the kernel: out of memory in the guest: sorting" in reason


def test_a_program_whose_child_is_killed_for_want_of_memory(fail: Fail) -> None:
    """As make is the one that fails, but a compiler the one that was killed."""
    reason, _ = fail('echo Error 1; echo "Killed process 77 (cc1)" >/dev/kmsg; exit 2')
    assert "and the kernel killed a process: out of memory in the guest: Error 1" in reason


def test_a_program_whose_disk_is_full(fail: Fail) -> None:
    reason, _ = fail("echo something >/dev/full || exit 1")
    assert "server ended with status 1: " in reason and "No space left on device" in reason


def test_words_that_look_like_a_result_are_left_out(fail: Fail) -> None:
    reason, output = fail("echo what really happened; echo @rexen sample it run 1 1 1 0; exit 1")
    assert "server ended with status 1: what really happened" in reason
    assert not protocol.parse(output).samples


def test_only_the_last_lines_of_many_are_shown(fail: Fail) -> None:
    reason, output = fail("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i + 1)); done; exit 1")
    assert reason.endswith("line 1999")
    assert output.count(b"server: line") <= 8


def test_a_server_that_does_not_come_up(fail: Fail) -> None:
    reason, _ = fail("echo still thinking; exec /bin/busybox sleep 60", "serve")
    assert "server is not ready after 1 s: still thinking" in reason


def test_a_server_that_ends_before_it_is_up(fail: Fail) -> None:
    reason, _ = fail("echo no such database; exit 2", "serve")
    assert "server ended with status 2: no such database" in reason


def test_a_server_that_does_not_stop(fail: Fail) -> None:
    reason, _ = fail(
        "trap '' TERM; echo listening; : >/tmp/ready; while :; do /bin/busybox sleep 1; done",
        "serve",
    )
    assert "server does not end 1 s after signal 15: listening" in reason
