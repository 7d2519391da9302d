"""Real guests on the emulated PC: exact, whatever the host does; and every way they can fail.

What is promised: the same cell gives the same bits, alone or beside others, polled or not; a guest
that cannot boot, panics, hangs, runs out of memory or is asked nonsense ends with the right status
and a sentence that says so; `kill -9` of a run leaves nothing that the next run does not clear.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.reference import compare_with_reference
from harness.errors import BuildError, ExitCode
from harness.host.deadline import Deadline
from harness.measure.machines import devices, qemu
from harness.model.cell import Coordinates
from harness.model.device import Driver
from harness.model.limits import Limits
from harness.model.record import Outcome, Phase, Status
from harness.model.system import System
from harness.paths import Paths, checkout_root
from harness.store import Store, read_reference
from harness.tests.integration.lab import Lab, sample_of

pytestmark = pytest.mark.guest

LOOP_NS = 8_000_000  # one pass of cpu_loop: eight million instructions, one a nanosecond
SMALL = {"reps": 1, "percent": 10}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.open(tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="session")
def native(lab: Lab) -> System:
    return lab.systems["native"]


@pytest.fixture(scope="session")
def first(lab: Lab, native: System) -> Outcome:
    """The native controls, run once for all tests that compare with it."""
    outcome = lab.outcome(native)
    assert outcome.status is Status.OK, outcome.reason
    return outcome


@contextmanager
def busy_processors(count: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_again_is_the_same_bits(lab: Lab, native: System, first: Outcome) -> None:
    assert lab.outcome(native) == first


def test_polling_hard_changes_nothing(
    lab: Lab, native: System, first: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monitor reads the machine's clock: every 10 ms instead of every second."""
    monkeypatch.setattr(qemu, "CLOCK_POLL_S", 0.01)
    monkeypatch.setattr(qemu, "POLL_S", 0.01)
    assert lab.outcome(native) == first


def test_a_loaded_host_changes_nothing(lab: Lab, native: System, first: Outcome) -> None:
    with busy_processors(2):
        assert lab.outcome(native) == first


def test_side_by_side_changes_nothing(lab: Lab, native: System, first: Outcome) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: lab.outcome(native), range(2))) == [first, first]


def test_one_instruction_is_one_nanosecond(first: Outcome) -> None:
    """Holds for every kernel: the loop never enters it but for ticks."""
    sample = sample_of(first, "cpu_loop")
    assert (sample.total_ns - sample.overhead_ns) / sample.count == pytest.approx(LOOP_NS, rel=0.01)


def test_exact_bits(lab: Lab) -> None:
    """Bit for bit what results/reference/ has. Where an input is another one now (Debian moved its
    kernel) bits cannot be the same: then every such input is named, and each ratio to native is
    held to the reference's."""
    expected = [
        record
        for record in read_reference(Paths.of(checkout_root()).reference("quick"))
        if record.at in (Coordinates(name, "controls", "quick") for name in ("native", "rexen"))
    ]
    fresh = [lab.run(lab.cell(lab.systems[record.system])).record for record in expected]
    found = compare_with_reference(expected, fresh, systems=lab.systems, workloads=lab.workloads)
    assert not (found.different or found.failed or found.missing), found.lines()
    assert found.identical + found.compared == 2
    if found.compared:
        assert found.inputs, "the same inputs make another cell"
        warnings.warn("; ".join(found.lines()), stacklevel=1)


def test_facts_of_the_guest(first: Outcome, native: System) -> None:
    assert first.facts["cpus"] == "1"
    assert first.facts["clocksource"] == "tsc"
    assert int(first.facts["memory_kb"]) < native.guest.memory_mib * 1024
    assert 0 < first.begun_ns < first.quiet_ns


@pytest.mark.parametrize("name", ["xen", "hwvirt", "uml", "fullvirt", "rexen"])
def test_every_system_runs_the_controls(lab: Lab, name: str) -> None:
    """Small loops, but the CPU loop must cost the same everywhere but where it is translated."""
    system = lab.systems[name]
    outcome = lab.outcome(system, params={**SMALL, "divide": system.guest.divide})
    assert outcome.status is Status.OK, outcome.reason
    run = {sample.metric for sample in outcome.samples if sample.phase is Phase.RUN}
    assert run == {metric.id for metric in lab.workloads["controls"].metrics}
    sample = sample_of(outcome, "cpu_loop")
    loop_ns = (sample.total_ns - sample.overhead_ns) / sample.count
    if name == "fullvirt":
        assert 3 * LOOP_NS < loop_ns < 12 * LOOP_NS, "translated: about six times"
    else:
        assert loop_ns == pytest.approx(LOOP_NS, rel=0.02)


def test_an_injected_interrupt_comes_once(lab: Lab) -> None:
    """Under KVM on the emulated CPU one that came twice would find its own lock held and hang the
    guest: thousands of its cards' come in this workload."""
    outcome = lab.outcome(lab.systems["hwvirt"], workload="network")
    assert outcome.status is Status.OK, outcome.reason


def test_a_guest_without_init_panics(lab: Lab, native: System) -> None:
    broken = with_words(native, "rdinit=/nothing init=/nothing")
    outcome = lab.outcome(broken, params=SMALL)
    assert outcome.status is Status.PANIC, outcome.reason
    assert "Kernel panic - not syncing" in outcome.reason
    assert "(while booting)" in outcome.reason


def test_a_hypervisor_without_a_guest_panics(lab: Lab) -> None:
    xen = lab.systems["xen"]
    modules = (replace(xen.boot.modules[0], files=("root/base.cpio",)), *xen.boot.modules[1:])
    broken = replace(xen, boot=replace(xen.boot, modules=modules))
    outcome = lab.outcome(broken, params=SMALL)
    assert outcome.status is Status.PANIC, outcome.reason
    assert outcome.reason == "Panic on CPU 0: Could not construct domain 0 (while booting)"


def test_a_domain_that_does_not_fit(lab: Lab) -> None:
    """The toolstack says why it cannot make the domain, the first level which program failed."""
    xen = lab.systems["xen"]
    first, root = xen.boot.modules
    large = replace(first, args=first.args.replace("rexen.memory=512", "rexen.memory=2048"))
    broken = replace(xen, boot=replace(xen.boot, modules=(large, root)))
    outcome = lab.outcome(broken, params=SMALL)
    assert outcome.status is Status.BOOT, outcome.reason
    assert "xl ended with status" in outcome.reason


def test_a_kernel_that_is_none(lab: Lab, native: System) -> None:
    """QEMU refuses it: the machine never was."""
    broken = replace(native, boot=replace(native.boot, kernel="root/base.cpio"))
    outcome = lab.outcome(broken, params=SMALL)
    assert outcome.status is Status.ENGINE, outcome.reason
    assert "QEMU ended by itself while booting: qemu" in outcome.reason


def test_an_emulator_that_refuses_its_options(lab: Lab, native: System) -> None:
    broken = replace(native, machine=replace(native.machine, cpu="nonesuch"))
    outcome = lab.outcome(broken, params=SMALL)
    assert outcome.status is Status.ENGINE, outcome.reason
    assert "nonesuch" in outcome.reason


def test_a_guest_that_never_begins(lab: Lab, native: System) -> None:
    """A shell waits for ever; idle virtual time flies, so the virtual deadline comes at once."""
    append = native.boot.append.replace("{run}", "rexen.shell")
    silent = replace(native, boot=replace(native.boot, append=append))
    started = time.monotonic()
    outcome = lab.outcome(silent, params=SMALL)
    assert outcome.status is Status.BOOT, outcome.reason
    assert f"within {native.limits.virtual_s:g} virtual s (while booting)" in outcome.reason
    assert time.monotonic() - started < 60


def test_a_workload_that_hangs(lab: Lab, native: System) -> None:
    """Two virtual seconds for what takes a hundred times as long as it should."""
    cell = lab.cell(native, params={"reps": 1, "percent": 10_000})
    hurried = cell.run.boot.plus(Limits(virtual_s=2, wall_s=120))
    outcome = lab.run(replace(cell, run=replace(cell.run, total=hurried))).record.outcome
    assert outcome.status is Status.HANG, outcome.reason
    assert "virtual s (after the workload began)" in outcome.reason


def test_a_machine_that_takes_too_long_on_the_wall(
    lab: Lab, native: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = replace(native, limits=Limits(virtual_s=60, wall_s=0.3))
    outcome = lab.outcome(hurried, params=SMALL)
    assert outcome.status is Status.BOOT, outcome.reason
    assert "no end line within 0.3 wall s (while booting)" in outcome.reason


def test_a_workload_asked_nonsense(lab: Lab, native: System) -> None:
    outcome = lab.outcome(native, params={**SMALL, "bogus": 1})
    assert outcome.status is Status.WORKLOAD, outcome.reason
    assert "bogus" in outcome.reason


def test_a_guest_with_too_little_memory(lab: Lab, native: System) -> None:
    """The kernel and its root do not fit: it resets before it can say anything."""
    small = replace(native, machine=replace(native.machine, memory_mib=48))
    outcome = lab.outcome(small, params=SMALL)
    assert outcome.status is Status.BOOT, outcome.reason
    assert "the machine stopped (guest-reset) while booting" in outcome.reason


def test_a_container_with_too_little_memory(
    lab: Lab, native: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu, "QEMU_OWN_MIB", 64 - native.machine.memory_mib)
    outcome = lab.outcome(native, params=SMALL)
    if outcome.status is Status.OK:
        pytest.skip("this host's engine cannot limit a container's memory")
    assert outcome.status is Status.OUT_OF_MEMORY, outcome.reason
    assert "the machine's container ran out of memory" in outcome.reason


def with_words(system: System, words: str) -> System:
    append = f"{system.boot.append} {words}"
    return replace(system, boot=replace(system.boot, append=append))


def start_run(results: Path) -> subprocess.Popen[str]:
    chosen = ("--system", "native", "--workload", "controls", "--workload", "lmbench-process")
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "harness", "run", "--results", str(results)),
            *("--jobs", "1", "--perturb", "0", *chosen),
        ],
        cwd=checkout_root(),
        stderr=subprocess.PIPE,
        text=True,
    )


def containers(lab: Lab, results: Path) -> list[str]:
    """Names of the containers that belong to this store."""
    mounted = str(results / ".running")
    return [
        str(container.name)
        for container in lab.engine._client.containers.list(all=True, ignore_removed=True)
        if any(mount.get("Source", "").startswith(mounted) for mount in container.attrs["Mounts"])
    ]


def wait_until(condition: object, what: str) -> None:
    deadline = Deadline.after(90)
    while not condition():  # type: ignore[operator]
        assert not deadline.passed, what
        time.sleep(0.05)


def test_kill_9_of_a_run_then_resume(lab: Lab, tmp_path: Path) -> None:
    results = tmp_path / "results"
    store = Store(results)
    killed = start_run(results)
    wait_until(lambda: list(store.all_records()) and containers(lab, results), "no second cell")
    (kept,) = store.all_records()
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    left = containers(lab, results)
    assert left, "the killed run's machine still runs"

    resumed = start_run(results)
    _, said = resumed.communicate(timeout=180)
    assert resumed.returncode == ExitCode.OK, said
    assert "1 of 2 cells are measured already" in said
    assert containers(lab, results) == [], "the next run removes what was left"
    records = list(store.all_records())
    assert len(records) == 2 and kept in records
    assert [record.attempt for record in records] == [1, 1], "nothing ran twice to its end"


def test_every_device_of_the_guest_is_there(lab: Lab, native: System) -> None:
    outcome = lab.outcome(native, workload="devices", params=SMALL)
    assert outcome.status is Status.OK, outcome.reason


def test_a_device_that_does_not_come_is_named(lab: Lab, native: System) -> None:
    """A boot that waits for it ends, and says what there was instead."""
    drivers = dict(native.devices.by_need)
    drivers["root"] = replace(drivers["root"], guest=replace(drivers["root"].guest, name="pmem7"))
    broken = replace(native, devices=replace(native.devices, by_need=drivers))
    outcome = lab.outcome(broken, workload="devices", params=SMALL)
    assert outcome.status is not Status.OK
    assert "no disk 'root' (pmem7) came; block devices: pmem0" in outcome.reason


def test_a_file_system_is_on_the_data_disk(lab: Lab, native: System) -> None:
    outcome = lab.outcome(native, workload="lmbench-file", params={**SMALL, "divide": 10})
    assert outcome.status is Status.OK, outcome.reason
    synced = sample_of(outcome, "create_synced")
    assert synced.total_ns / synced.count > 200_000, "data and journal: two waits for the disk"


def test_a_file_system_that_cannot_be_made_is_named(lab: Lab, native: System) -> None:
    drivers = dict(native.devices.by_need)
    guest = replace(drivers["files"].guest, name="ext9")
    drivers["files"] = replace(drivers["files"], guest=guest)
    broken = replace(native, devices=replace(native.devices, by_need=drivers))
    outcome = lab.outcome(broken, workload="lmbench-file", params=SMALL)
    assert outcome.status is not Status.OK
    assert "mkfs.ext9 of the root image failed" in outcome.reason
    assert "/usr/sbin/mkfs.ext9: No such file" in outcome.reason


def test_a_device_that_does_not_come_to_a_first_level_is_named(lab: Lab) -> None:
    uml = lab.systems["uml"]
    found = dict(uml.devices.by_need)
    found["data"] = replace(found["data"], host=Driver("sdz", ("configfs", "null_blk")))
    broken = replace(uml, devices=replace(uml.devices, by_need=found))
    outcome = lab.outcome(broken, workload="disk", params=SMALL)
    assert outcome.status is Status.BOOT, outcome.reason
    assert "the inner guest did not start: no disk 'data' (sdz) came" in outcome.reason


def test_a_root_image_that_is_too_short_is_named(
    lab: Lab, native: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "ROOT_MIB", 2 * devices.ROOT_MIB)
    outcome = lab.outcome(native, workload="devices", params=SMALL)
    assert outcome.status is Status.ENGINE
    assert "backing store size" in outcome.reason


def test_a_root_image_that_is_none_is_refused_by_the_guest(
    lab: Lab, native: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "ROOT_IMAGE", "kernel/cloud/vmlinux")
    monkeypatch.setattr(devices, "ROOT_MIB", 16)
    outcome = lab.outcome(native, workload="devices", params=SMALL)
    assert outcome.status is not Status.OK
    assert "the root image cannot be mounted: Invalid argument" in outcome.reason


def test_a_root_image_that_the_image_lacks_is_named(
    lab: Lab, native: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "ROOT_IMAGE", "disk/none.img")
    with pytest.raises(BuildError, match=r"boots disk/none\.img, which .* lacks"):
        lab.cell(native, workload="devices")
