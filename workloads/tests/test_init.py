"""The guest's first process, in a guest: what it reports when a workload misbehaves (ring 2).

Each workload is a shell script laid over the guest root; the kernel takes the archives one after
the other. Runs in the checks image, where QEMU and a kernel are.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness import protocol
from harness.protocol import Transcript

pytestmark = pytest.mark.guest
KERNEL = Path(os.environ.get("REXEN_TEST_KERNEL", "/opt/rexen/kernel/cloud/vmlinux"))
ROOT = Path(os.environ.get("REXEN_TEST_ROOT", "/opt/rexen/root/guest.cpio"))
MACHINE = (
    "-accel tcg -icount shift=0,sleep=off -cpu qemu64 -m 512 -M pc -nodefaults -no-user-config "
    "-display none -no-reboot -rtc base=2003-10-19,clock=vm -seed 1"
)
LINUX = (
    "console=ttyS0 nokaslr norandmaps mitigations=off panic=-1 quiet cryptomgr.notests "
    "tsc_early_khz=1000000 tsc=reliable no_timer_check lpj=4000000 nolapic_timer"
)


def boot(tmp: Path, word: str, script: str = "") -> tuple[Transcript, bytes]:
    """Boot with `word`; `script` becomes the workload called `odd`."""
    program = tmp / "overlay" / "workloads" / "odd" / "run"
    program.parent.mkdir(parents=True)
    program.write_text(script)
    program.chmod(0o755)
    names = b"workloads\nworkloads/odd\nworkloads/odd/run\n"
    argv = ["cpio", "--quiet", "-o", "-H", "newc"]
    overlay = subprocess.run(
        argv, cwd=tmp / "overlay", input=names, stdout=subprocess.PIPE, check=True
    ).stdout
    (tmp / "root.cpio").write_bytes(ROOT.read_bytes() + overlay)
    subprocess.run(
        ["qemu-system-x86_64", *MACHINE.split(), "-serial", f"file:{tmp}/console"]
        + ["-kernel", KERNEL, "-initrd", tmp / "root.cpio", "-append", f"{LINUX} {word}"],
        timeout=120,
        check=True,
    )
    console = (tmp / "console").read_bytes()
    return protocol.parse(console), console


def test_measured_workload_ends_with_its_status_and_count(tmp_path: Path) -> None:
    script = (
        '#!/bin/sh\necho "boot: @rexen sample a run 1 2 3 0"\n'
        'echo "@rexen sample b run 1 2 3 0"\necho "parameters: $*" >&2\n'
        'printf "no newline"\nexit 3\n'
    )
    transcript, console = boot(tmp_path, "rexen.run=odd,reps=1,percent=7", script)
    assert transcript.exit_status == 3
    assert [sample.metric for sample in transcript.samples] == ["a", "b"]
    assert b"parameters: reps=1 percent=7" in console
    assert b"no newline\r\n@rexen end" in console
    assert 0 < transcript.begun_ns < transcript.quiet_ns
    assert {"kernel", "cpu", "clocksource", "memory_kb", "timer"} <= set(transcript.facts)
    assert transcript.facts["clocksource"] != "tsc-early"


def test_death_by_signal_is_reported_with_the_samples_before_it(tmp_path: Path) -> None:
    script = '#!/bin/sh\necho "@rexen sample a run 1 2 3 0"\nkill -SEGV $$\n'
    transcript, _ = boot(tmp_path, "rexen.run=odd", script)
    assert transcript.exit_status == 128 + 11
    assert transcript.failures == ["- workload died of signal 11"]
    assert len(transcript.samples) == 1


def test_orphan_that_keeps_the_console_does_not_hold_the_boot(tmp_path: Path) -> None:
    script = (
        '#!/bin/sh\nsleep 1000 &\n(sleep 0.1 &)\nsleep 0.5\necho "@rexen sample a run 1 2 3 0"\n'
    )
    transcript, _ = boot(tmp_path, "rexen.run=odd", script)
    assert transcript.exit_status == 0
    assert len(transcript.samples) == 1


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("rexen.run=nosuch", 127, "no workload of this name"),
        ("rexen.run=../../bin", 125, "no workload: want rexen.run="),
        ("rexen.other", 125, "no workload: want rexen.run="),
        ("rexen.run=odd", 127, "cannot start /workloads/odd/run"),
        ("rexen.run=lmbench-process,loops=1", 2, 'bad parameter "loops=1"'),
    ],
)
def test_what_cannot_run_is_said_and_switches_off(
    word: str, status: int, reason: str, tmp_path: Path
) -> None:
    transcript, _ = boot(tmp_path, word, "#!/bin/nosuch\n")
    assert transcript.exit_status == status
    (failure,) = transcript.failures
    assert reason in failure
    assert transcript.samples == []


def test_host_program_gets_the_run_word_and_the_console(tmp_path: Path) -> None:
    script = '#!/bin/sh\necho "inner: $1"\ngrep -o "rexen.run=[^ ]*" /proc/cmdline\nexit 4\n'
    word = "rexen.host=/workloads/odd/run rexen.run=controls,reps=2"
    transcript, console = boot(tmp_path, word, script)
    assert b"inner: controls,reps=2\r\nrexen.run=controls,reps=2\r\n@rexen host end 4" in console
    assert transcript.exit_status is None and transcript.workload == ""
