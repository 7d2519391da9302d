"""Small, complete values for tests: a system, a workload, an image, a record, a fake engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import EngineError
from harness.measure.images.build import Image
from harness.measure.images.container import Engine, Running
from harness.model.experiment import CellChoice, Experiment
from harness.model.limits import Limits
from harness.model.record import (
    SCHEMA_VERSION,
    HostSide,
    Outcome,
    Phase,
    Purpose,
    Record,
    Sample,
    Status,
)
from harness.model.system import Boot, BootModule, Guest, MachineOptions, System
from harness.model.unit import Better, MetricKind, Unit
from harness.model.workload import PROFILES, Axis, Metric, Workload

MICROSECONDS = Unit("us", "µs", MetricKind.LATENCY, Better.LOWER, 1e3, ladder=True)
BYTES = Unit("bytes", "B", MetricKind.AMOUNT, Better.LOWER, 1.0, ladder=False)
FAKE_QEMU = Path(__file__).parent / "fake_qemu.py"
GOOD_CONSOLE = (
    "[    0.1] booting\n@rexen begin 1 demo\n@rexen boot 840000000 900000000\n"
    "@rexen fact kernel 6.12\n@rexen sample null_call warm 0 10 3400 10\n"
    "@rexen sample null_call run 1 1000 334070 70\n@rexen end 0 2\n"
)


def a_system(name: str = "native", *, wall_s: float = 5.0, virtual_s: float = 60.0) -> System:
    modules = (
        () if name == "native" else (BootModule(("kernel/full/vmlinux",), "console=hvc0 {run}"),)
    )
    return System(
        id=name,
        title=f"the {name} system",
        summary="for tests",
        order=0,
        stands_for="L-UP",
        color="#123456",
        machine=MachineOptions(cpu="qemu64", memory_mib=512),
        boot=Boot(
            kernel="kernel/cloud/vmlinux",
            append="quiet {run}" if not modules else "loglvl=error",
            initrd=("root/base.cpio",) if not modules else (),
            modules=modules,
        ),
        guest=Guest(memory_mib=512, divide=1),
        limits=Limits(virtual_s=virtual_s, wall_s=wall_s),
        caveat="",
    )


def a_workload(name: str = "demo") -> Workload:
    metric = Metric("null_call", "null call", MICROSECONDS, Better.LOWER)
    return Workload(
        id=name,
        title="a demonstration",
        summary="for tests",
        metrics=(metric,),
        profiles={"quick": {"percent": 100}, "full": {"percent": 400}},
        limits={"quick": Limits(60, 300), "full": Limits(600, 3000)},
        axes={"block": Axis("block", "block size", BYTES)},
    )


def an_experiment(
    workload: str = "demo",
    *,
    name: str = "",
    blocks: Sequence[int] = (),
    systems: Sequence[str] = (),
    perturb: int = 0,
) -> Experiment:
    """One that only chooses cells: of one workload, at these block sizes if any are given."""
    axes = {"block": dict.fromkeys(PROFILES, tuple(blocks))} if blocks else {}
    choice = CellChoice(
        workload=workload,
        systems=tuple(systems),
        axes=axes,
        perturb=dict.fromkeys(PROFILES, perturb),
        perturb_systems=(),
    )
    return Experiment(
        id=name or workload,
        title="",
        shows="",
        table=0,
        cells=(choice,),
        rows=(),
        series=(),
        note="",
        systems=(),
        values={},
    )


def an_image() -> Image:
    names = ("kernel/cloud/vmlinux", "kernel/full/vmlinux", "root/base.cpio")
    return Image(
        tag="rexen:0123",
        files={name: f"{index}" * 64 for index, name in enumerate(names)},
        emulator="QEMU 10.0 abcd",
    )


def a_record(
    cell_id: str = "a" * 64,
    *,
    attempt: int = 1,
    status: Status = Status.OK,
    purpose: Purpose = Purpose.MEASURE,
    total_ns: int = 334070,
    started_at: str = "2026-01-01T00:00:00+00:00",
) -> Record:
    sample = Sample("null_call", Phase.RUN, 1, 1000, total_ns, 70)
    return Record(
        schema_version=SCHEMA_VERSION,
        cell_id=cell_id,
        attempt=attempt,
        purpose=purpose,
        system="native",
        workload="demo",
        profile="quick",
        point={},
        inputs={"argv": ["qemu"], "files": {}, "emulator": "QEMU"},
        outcome=Outcome(
            status=status,
            reason="" if status is Status.OK else "it broke",
            samples=(sample,) if status is Status.OK else (),
            facts={"kernel": "6.12"},
            begun_ns=1,
            quiet_ns=2,
            console_sha256="0" * 64,
        ),
        host=HostSide(
            started_at=started_at,
            boot_wall_s=1.0,
            total_wall_s=2.5,
            machine_wall_s=2.4,
            host={"cores": "2"},
        ),
        rerun="./rexen run",
    )


class FakeRunning(Running):
    """A child process instead of a container."""

    def __init__(self, process: subprocess.Popen[bytes], engine: FakeEngine) -> None:
        self.process = process
        self.engine = engine

    def ended(self) -> bool:
        if self.engine.dead:
            raise EngineError("the container engine does not answer")
        return self.process.poll() is not None

    def result(self) -> tuple[int, bool, str]:
        assert self.process.stderr is not None
        complaint = self.process.stderr.read().decode().strip()
        return self.process.wait(), self.engine.out_of_memory, complaint

    def remove(self) -> None:
        self.process.kill()
        self.process.wait()


class FakeEngine(Engine):
    """Starts the fake QEMU with the script of the test, whatever argv it is given."""

    def __init__(self, script: list[list[Any]], *, out_of_memory: bool = False) -> None:
        self.script = script
        self.out_of_memory = out_of_memory
        self.dead = False
        self.started: list[FakeRunning] = []
        self.die_at_start = 0

    def start(
        self,
        image: str,
        argv: Sequence[str],
        *,
        mounts: Mapping[Path, str],
        memory_mib: int,
        owner: str,
        name: str,
    ) -> Running:
        if self.die_at_start and len(self.started) + 1 >= self.die_at_start:
            raise EngineError("the container engine does not answer")
        (folder,) = mounts
        script = json.dumps(self.script_of(argv, name))
        process = subprocess.Popen(
            [sys.executable, "-IS", str(FAKE_QEMU), str(folder), script], stderr=subprocess.PIPE
        )
        running = FakeRunning(process, self)
        self.started.append(running)
        return running

    def script_of(self, argv: Sequence[str], name: str) -> list[list[Any]]:
        """What the machine of this name plays."""
        return self.script

    def sweep(self, owner: str) -> int:
        return 0
