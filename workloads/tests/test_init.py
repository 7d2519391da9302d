"""The guest's first process, in a guest: what it reports when a workload misbehaves (ring 2).

Each workload is a shell script laid over the guest root; the kernel takes the archives one after
the other.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import guest
import pytest

from harness.protocol import Transcript

pytestmark = pytest.mark.guest


def boot(
    tmp: Path, word: str, script: str = "", *, more: Mapping[str, str] | None = None
) -> tuple[Transcript, bytes]:
    """Boot with `word`; `script` becomes the workload called `odd`, `more` other programs."""
    overlay = tmp / "overlay"
    names = ["workloads", "workloads/odd"]
    for name, text in {"workloads/odd/run": script, **(more or {})}.items():
        program = overlay / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
        names.append(name)
    archive = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"],
        cwd=overlay,
        input="\n".join(names).encode(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return guest.boot(tmp, word, guest.ROOT.read_bytes() + archive)


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


def test_an_idle_shell_with_the_c_library_lives_beside_the_workload(tmp_path: Path) -> None:
    """It sleeps before the workload starts, in a read that nobody serves."""
    script = (
        "#!/bin/busybox sh\nfor process in /proc/[0-9]*; do\n"
        '[ "$(readlink "$process/exe")" = /bin/dash ] || continue\n'
        'grep -q /libc.so "$process/maps" && grep ^State "$process/status"\n'
        'echo "waits in $(cat "$process/wchan")"\ndone\n'
    )
    _, console = boot(tmp_path, "rexen.run=odd", script)
    assert console.count(b"waits in") == 1
    assert b"State:\tS (sleeping)\r\nwaits in pipe_read" in console


def test_nothing_is_measured_beside_a_shell_that_ended(tmp_path: Path) -> None:
    ends = {"bin/dash": "#!/bin/busybox true\n"}
    transcript, _ = boot(tmp_path, "rexen.run=controls,percent=1", more=ends)
    assert transcript.exit_status == 127
    assert transcript.failures == ["- the idle shell beside the workload has ended"]
    assert transcript.samples == []


SEES_PERTURBATION = (
    "#!/bin/busybox sh\n"
    "read -r _ _ now _ <<END\n$(grep '^now at' /proc/timer_list)\nEND\n"
    'echo "sees environment=${#REXEN_PERTURB} now=$now"\n'
    '[ ! -e /perturb ] || echo "sees bytes=$(cat /perturb/* | wc -c)"\n'
)


def splitmix64(seed: int, count: int) -> list[int]:
    """The first numbers of the generator that perturb.c names."""
    mask, numbers = 2**64 - 1, []
    for step in range(1, count + 1):
        mixed = (seed + step * 0x9E3779B97F4A7C15) & mask
        mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & mask
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & mask
        numbers.append(mixed ^ mixed >> 31)
    return numbers


def test_seed_moves_memory_environment_and_phase_of_the_tick(tmp_path: Path) -> None:
    begun = {}
    for seed in (1, 2**64 - 1):
        pages, phase, environment = splitmix64(seed, 3)
        pages, phase, environment = pages % 1024, phase % 4_000_000, environment % 4096
        (tmp_path / str(seed)).mkdir()
        word = f"rexen.run=odd rexen.perturb={seed}"
        transcript, console = boot(tmp_path / str(seed), word, SEES_PERTURBATION)
        assert transcript.facts["perturb"] == (
            f"seed={seed} pages={pages} phase_ns={phase} environment={environment}"
        )
        assert b"sees bytes=%d\r\n" % (pages * 4096) in console
        seen = re.search(rb"sees environment=(\d+) now=(\d+)", console)
        assert seen and int(seen[1]) == environment
        begun[phase] = int(seen[2])
    # From the phase to the look at the clock it is the same way both times.
    (phase, now), (other_phase, other_now) = begun.items()
    assert abs(phase - other_phase) > 300_000
    off = (now - phase - (other_now - other_phase)) % 4_000_000
    assert min(off, 4_000_000 - off) < 100_000


def test_without_a_seed_nothing_is_moved(tmp_path: Path) -> None:
    transcript, console = boot(tmp_path, "rexen.run=odd", SEES_PERTURBATION)
    assert "perturb" not in transcript.facts
    assert b"sees environment=0 " in console and b"sees bytes" not in console


@pytest.mark.parametrize("seed", ["0", "", "-1", "1x", str(2**64)])
def test_bad_seed_is_refused(seed: str, tmp_path: Path) -> None:
    transcript, _ = boot(tmp_path, f"rexen.run=odd rexen.perturb={seed}", SEES_PERTURBATION)
    assert transcript.exit_status == 2
    assert transcript.failures == ["- bad rexen.perturb: want a whole number from 1"]


def test_host_program_gets_the_run_word_and_the_console(tmp_path: Path) -> None:
    script = '#!/bin/sh\necho "inner: $1"\ngrep -o "rexen.run=[^ ]*" /proc/cmdline\nexit 4\n'
    word = "rexen.host=/workloads/odd/run rexen.run=controls,reps=2"
    transcript, console = boot(tmp_path, word, script)
    assert b"inner: controls,reps=2\r\nrexen.run=controls,reps=2\r\n@rexen host end 4" in console
    assert transcript.exit_status is None and transcript.workload == ""
