"""Every workload program, run in the checks image with small loop counts (ring 2).

What ADDING.md asks of each is in contract.py; what only ours promise is here. Values are checked
for sense only: that machine's clock is not the one that counts.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import contract
import pytest
from conftest import WORKLOADS
from contract import Program

from harness import protocol
from harness.model.record import Phase

pytestmark = pytest.mark.guest
# A workload that needs devices runs in a guest alone: harness/tests/integration.
NAMES = sorted(
    file.parent.name
    for file in WORKLOADS.glob("*/workload.toml")
    if "needs" not in tomllib.loads(file.read_text())
)
# Rows that subtract another measurement may come out below zero on a disturbed machine.
DIFFERENCES = ("ctx_", "sig_handle", "prot_fault", "page_unmap")


def program(name: str, built: Path) -> Program:
    return Program.of(source=WORKLOADS / name, built=built)


def run(built: Path, tmp: Path, name: str, *parameters: str) -> tuple[int, bytes]:
    return program(name, built).start(tmp, *parameters)


@pytest.mark.parametrize("name", NAMES)
def test_prints_every_declared_metric_and_nothing_else(
    name: str, built: Path, tmp_path: Path
) -> None:
    for sample in contract.check_prints_what_it_declares(program(name, built), tmp_path):
        if not sample.metric.startswith(DIFFERENCES):
            assert sample.overhead_ns < sample.total_ns


@pytest.mark.parametrize("name", NAMES)
def test_counts_follow_percent_and_divide(name: str, built: Path, tmp_path: Path) -> None:
    contract.check_percent_and_divide_set_the_count(program(name, built), tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_leaves_no_file_behind(name: str, built: Path, tmp_path: Path) -> None:
    contract.check_leaves_no_file(program(name, built), tmp_path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parameter", contract.REFUSED)
def test_bad_parameter_is_one_clear_line(
    name: str, parameter: str, built: Path, tmp_path: Path
) -> None:
    contract.check_refuses(program(name, built), tmp_path, parameter)


@pytest.mark.parametrize("name", NAMES)
def test_unreadable_axis_is_one_clear_line(name: str, built: Path, tmp_path: Path) -> None:
    contract.check_refuses_unreadable_axes(program(name, built), tmp_path)


@pytest.mark.parametrize("mtu", [1, 67, 1501])
def test_ttcp_refuses_what_no_card_takes(mtu: int, built: Path, tmp_path: Path) -> None:
    contract.check_refuses(program("ttcp", built), tmp_path, f"mtu={mtu}")


def test_divide_shrinks_counts_but_not_below_the_least(built: Path, tmp_path: Path) -> None:
    def count(*parameters: str) -> dict[str, int]:
        _, output = run(built, tmp_path, "lmbench-process", *parameters)
        samples = protocol.parse(output).samples
        return {sample.metric: sample.count for sample in samples if sample.phase is Phase.RUN}

    tenth, hundredth = count("percent=10"), count("percent=10", "divide=10")
    assert hundredth["null_call"] * 10 == tenth["null_call"]
    least = count("percent=10", "divide=1000000")
    assert least["null_call"] == 100 and least["fork"] == 4


def test_pipe_moves_whole_blocks_and_more_bytes_in_larger_ones(built: Path, tmp_path: Path) -> None:
    """A pass is as long whatever the block, until copying is all that it does."""
    moved = []
    for block in (1, 16, 4096, 100_000, 1_048_576):
        status, output = run(built, tmp_path, "pipe-bandwidth", "percent=10", f"block={block}")
        assert status == 0, output
        (sample,) = (s for s in protocol.parse(output).samples if s.phase is Phase.RUN)
        assert sample.count % block == 0
        moved.append(sample.count)
    assert moved[:4] == sorted(moved[:4]) and moved[0] * 10 < moved[1]


def test_pipe_refuses_a_block_beyond_its_most(built: Path, tmp_path: Path) -> None:
    contract.check_refuses(program("pipe-bandwidth", built), tmp_path, "block=1048577")


def test_failing_row_is_named(built: Path, tmp_path: Path) -> None:
    """A file where the scratch directory should be: samples so far, then the row and its error."""
    (tmp_path / "lat_fs").write_text("in the way")
    status, output = run(built, tmp_path, "lmbench-process", "percent=1", "reps=1")
    assert status == 1
    transcript = protocol.parse(output)
    (failure,) = transcript.failures
    assert failure.startswith("stat ") and "Not a directory" in failure
    assert {sample.metric for sample in transcript.samples} == {"null_call", "null_io"}


# A call that lies: its tenth answer of more than 8 bytes has a byte changed. The other end of a
# stream may notice before the one that checks has said why, and then SIGPIPE would end it without a
# word, which is a failed cell as well; here the words are wanted.
LIAR = """
#include <signal.h>
#include <unistd.h>
__attribute__((constructor)) static void keep_going(void)
{
	signal(SIGPIPE, SIG_IGN);
}
ssize_t __real_CALL(int fd, void *data, size_t size ARGUMENTS);
ssize_t __wrap_CALL(int fd, void *data, size_t size ARGUMENTS)
{
	static int calls;
	ssize_t done = __real_CALL(fd, data, size VALUES);

	if (done > 8 && ++calls == 10)
		((unsigned char *)data)[PLACE] ^= 1;
	return done;
}
"""


@pytest.mark.parametrize(
    ("name", "call", "row"),
    [("disk", "pread", "read_"), ("network", "read", "stream_"), ("ttcp", "read", "transmit")],
)
def test_wrong_data_ends_the_workload(name: str, call: str, row: str, tmp_path: Path) -> None:
    """What is read is checked: a byte that changed on its way is not a good measurement."""
    placed = call == "pread"
    text = LIAR.replace("CALL", call).replace("PLACE", "0" if placed else "done - 1")
    text = text.replace("ARGUMENTS", ", off_t at" if placed else "")
    (tmp_path / "liar.c").write_text(text.replace("VALUES", ", at" if placed else ""))
    flags = f"LDFLAGS=-no-pie -Wl,--wrap={call} {tmp_path}/liar.c"
    out = tmp_path / "out"
    target = out / "workloads" / name / "run"
    argv = ["make", "-s", "-C", WORKLOADS, f"OUT={out}", flags, str(target)]
    subprocess.run(argv, check=True)
    status, output = run(out, tmp_path, name, "percent=100")
    assert status == 1, output
    (failure,) = protocol.parse(output).failures
    assert failure.startswith(row)


def test_a_disk_that_is_too_small_is_named(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "DISK_BYTES", (16 << 20) - 4096)
    status, output = run(built, tmp_path, "disk", "percent=1")
    assert status == 1 and b"smaller than 16 MiB" in output


def test_a_network_that_is_not_there_is_named(built: Path, tmp_path: Path) -> None:
    program = built / "workloads" / "ttcp" / "run"
    environment = {"REXEN_NETNS": str(tmp_path)}
    done = subprocess.run([program], env=environment, capture_output=True, check=False)
    assert done.returncode == 1 and f"{tmp_path}/left: No such file".encode() in done.stdout


def test_hello_is_dynamic_and_run_is_static(built: Path) -> None:
    """exec measures the loader too; everything else must not depend on it."""
    folder = built / "workloads" / "lmbench-process"
    assert b"ld-linux" in (folder / "hello").read_bytes()[:4096]
    assert b"ld-linux" not in (folder / "run").read_bytes()[:4096]


def test_build_is_the_same_from_another_place(built: Path, tmp_path: Path) -> None:
    copy, out = tmp_path / "elsewhere", tmp_path / "out"
    shutil.copytree(WORKLOADS, copy, ignore=shutil.ignore_patterns("build"))
    subprocess.run(["make", "-s", "-C", copy, f"OUT={out}"], check=True)
    files = sorted(path.relative_to(built) for path in built.rglob("*") if path.is_file())
    assert len(files) >= 7
    for file in files:
        assert (out / file).read_bytes() == (built / file).read_bytes(), file


def test_variables_of_a_program_do_not_move_those_of_the_c_library(tmp_path: Path) -> None:
    """A fork copies the pages it writes to: 3 % of its time hung on one of them."""
    shutil.copytree(WORKLOADS, tmp_path / "more", ignore=shutil.ignore_patterns("build"))
    with (tmp_path / "more/lmbench-process/run.c").open("a") as source:
        source.write("int more_data[100] = {1};\nint more_bss[100];\n")
    places = []
    for number, tree in enumerate((WORKLOADS, tmp_path / "more")):
        out = tmp_path / str(number)
        unstripped = "LDFLAGS=-no-pie -Wl,--build-id=none"
        subprocess.run(["make", "-s", "-C", tree, f"OUT={out}", unstripped], check=True)
        argv = ["nm", out / "workloads/lmbench-process/run"]
        symbols = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        (place,) = re.findall(r"^([0-9a-f]+) B __environ$", symbols, re.M)
        places.append(int(place, 16) % 4096)
    assert places[0] == places[1]
