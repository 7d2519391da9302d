"""Made-up systems, workloads and records for tests. Nothing here was ever measured.

The values only look plausible enough to judge a page by: a native value per metric and a
factor per system, spread a little by the metric's place so that no two numbers are equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from harness.analysis.study import Study
from harness.catalogue.experiments import read_experiment
from harness.model.counts import COUNTS_VERSION, NAMES, CountedSample, Counts, Work
from harness.model.experiment import CellChoice, Claim, Experiment, MetricRef, Series
from harness.model.limits import Limits
from harness.model.point import PERTURB, Point
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
from harness.model.system import Boot, Guest, MachineOptions, System, Targets
from harness.model.unit import Better, MetricKind, Unit
from harness.model.workload import Axis, Metric, Workload
from harness.paths import checkout_root

TITLES = {
    "native": ("Linux alone", "L-UP", "#4d4d4d", ""),
    "rexen": ("Rexen, our hypervisor", "Xen", "#d55e00", ""),
    "xen": ("Xen 4.20", "Xen", "#0072b2", ""),
    "fullvirt": (
        "Binary translation",
        "VMW",
        "#009e73",
        "It translates user code as well, where VMware let it run directly.",
    ),
    "hwvirt": ("Hardware virtualization", "", "#cc79a7", "Exits cost next to nothing here."),
    "uml": ("User-Mode Linux", "UML", "#b8860b", "Its kernel is Debian's own build."),
}
NATIVE: Mapping[str, Mapping[str, float]] = {
    "lmbench-process": {
        "null_call": 334.0,
        "null_io": 402.5,
        "stat": 3457.0,
        "open_close": 5120.25,
        "select_tcp": 18450.5,
        "sig_install": 512.0,
        "sig_handle": 2904.0,
        "fork": 181_204.0,
        "exec": 704_311.0,
        "sh": 1_904_200.5,
    },
    "lmbench-context": {
        "ctx_2p_0k": 4210.0,
        "ctx_2p_16k": 4305.0,
        "ctx_2p_64k": 4391.0,
        "ctx_8p_16k": 4402.0,
        "ctx_8p_64k": 4511.0,
        "ctx_16p_16k": 4530.0,
        "ctx_16p_64k": 4602.0,
        "pipe_latency": 11_300.0,
    },
    "lmbench-memory": {
        "create_0k": 14_100.0,
        "delete_0k": 9_030.0,
        "create_10k": 24_500.0,
        "delete_10k": 11_090.0,
        "mmap": 402_000.0,
        "prot_fault": 3_110.0,
        "page_fault": 230.0,
        "page_unmap": 160.0,
        "write_fault": 2_030.0,
    },
    "lmbench-file": {
        "create_0k": 41_000.0,
        "delete_0k": 33_500.0,
        "create_10k": 78_200.0,
        "delete_10k": 39_400.0,
        "create_synced": 471_000.0,
        "mmap": 611_000.0,
    },
    "ttcp": {
        "transmit": 0.167e9,
        "receive": 0.163e9,
    },
    "spec-int": {
        "gzip": 151.0e6,
        "bzip2": 173.0e6,
        "gcc": 240.0e6,
        "perl": 98.0e6,
        "gap": 310.0e6,
        "parser": 205.0e6,
        "go": 187.0e6,
        "store": 122.0e6,
    },
    "kernel-build": {"build": 1.31e9, "system_share": 0.081},
    "osdb": {"ir": 4_210.0, "oltp": 1_714.0},
    "dbench": {"throughput": 0.231e9},
    "spec-web": {"clients": 518.0, "bandwidth": 23.1e6, "cpu_share": 0.993},
    "controls": {
        "cpu_loop": 8_003_000.0,
        "mem_read": 4.1e9,
        "mem_write": 3.9e9,
        "mem_copy": 2.2e9,
        "pipe_bandwidth": 1.3e9,
        "tcp_bandwidth": 0.81e9,
    },
}
# How many times longer an application takes.
APPLICATIONS = {
    "native": 1.0,
    "rexen": 1.02,
    "xen": 1.05,
    "fullvirt": 7.4,
    "hwvirt": 1.03,
    "uml": 1.9,
}
APPLICATION_WORKLOADS = ("spec-int", "kernel-build", "osdb", "dbench", "spec-web")
FACTORS = {
    "native": (1.0, 1.0),
    "rexen": (1.35, 1.0),
    "xen": (2.6, 1.0),
    "fullvirt": (41.0, 6.1),
    "hwvirt": (1.04, 1.02),
    "uml": (24.0, 1.01),
}
UNITS = {
    one.id: one
    for one in (
        Unit("us", "µs", MetricKind.LATENCY, Better.LOWER, 1e3, ladder=True),
        Unit("ms", "ms", MetricKind.LATENCY, Better.LOWER, 1e6, ladder=True),
        Unit("MB/s", "MB/s", MetricKind.RATE, Better.HIGHER, 1e6, ladder=False),
        Unit("Mbit/s", "Mb/s", MetricKind.RATE, Better.HIGHER, 125e3, ladder=False),
        Unit("tuples/s", "tuples/s", MetricKind.RATE, Better.HIGHER, 1.0, ladder=False),
        Unit("connections", "connections", MetricKind.AMOUNT, Better.HIGHER, 1.0, ladder=False),
        Unit("share", "%", MetricKind.SHARE, Better.LOWER, 0.01, ladder=False),
        Unit("bytes", "B", MetricKind.AMOUNT, Better.LOWER, 1.0, ladder=False),
    )
}
# The points of a table's workload; any other has one, without axes.
POINTS = {"ttcp": tuple(Point.of({"mtu": mtu}) for mtu in (500, 1500))}
# A workload with an axis: what one block costs natively, by its size in bytes.
SERIES = "pipe-bandwidth"
BLOCKS = (512, 4096, 32768, 262144)
BLOCK_NS, BYTE_NS = 2100.0, 0.8


def systems(*names: str) -> dict[str, System]:
    """The named systems; without names all but `rexen`, as the catalogue has them today."""
    chosen = names or tuple(name for name in TITLES if name != "rexen")
    return {name: _system(name, order) for order, name in enumerate(TITLES) if name in chosen}


def _system(name: str, order: int) -> System:
    title, stands_for, color, caveat = TITLES.get(name, (name.title(), "", "#777777", ""))
    return System(
        id=name,
        title=title,
        summary=f"How {title} brings up the guest root on the emulated PC.",
        order=order,
        stands_for=stands_for,
        color=color,
        machine=MachineOptions(cpu="qemu64", memory_mib=512),
        boot=Boot(kernel="kernel/full/vmlinux", append="{run}", initrd=("r.cpio",), modules=()),
        guest=Guest(memory_mib=512, divide=20 if name == "fullvirt" else 1),
        limits=Limits(virtual_s=60.0, wall_s=300.0),
        caveat=caveat,
        reference="xen" if name == "rexen" else "",
        targets=Targets(0.5, 1.0, performance=0.97, performance_groups=5)
        if name == "rexen"
        else Targets(),
    )


def workloads() -> dict[str, Workload]:
    found = {name: _workload(name, [_metric(metric) for metric in NATIVE[name]]) for name in NATIVE}
    found["ttcp"] = replace(found["ttcp"], axes={"mtu": Axis("mtu", "MTU", UNITS["bytes"])})
    axes = {"block": Axis("block", "block size", UNITS["bytes"])}
    series = _workload(
        SERIES, [Metric("bandwidth", "pipe bandwidth", UNITS["MB/s"], Better.HIGHER)]
    )
    return {**found, SERIES: replace(series, axes=axes)}


def experiments() -> list[Experiment]:
    """The repository's own, over these workloads. One that somebody adds may stand beside them."""
    folder = checkout_root() / "harness" / "experiments"
    names = ("figure3", "table3", "table4", "table5", "table6", "controls", SERIES)
    return [read_experiment(folder / f"{name}.toml", workloads()) for name in names]


def _workload(name: str, metrics: Iterable[Metric]) -> Workload:
    return Workload(
        id=name,
        title=name.replace("-", " "),
        summary="",
        metrics=tuple(metrics),
        profiles={"quick": {"reps": 1, "percent": 100}, "full": {"reps": 5, "percent": 400}},
        limits=dict.fromkeys(("quick", "full"), Limits(virtual_s=60.0, wall_s=300.0)),
        axes={},
    )


def _metric(name: str) -> Metric:
    unit = UNITS[_unit(name)]
    return Metric(name, name.replace("_", " "), unit, unit.better)


def _unit(name: str) -> str:
    if name in NATIVE["ttcp"] or name == "bandwidth":
        return "Mbit/s"
    if name in NATIVE["osdb"]:
        return "tuples/s"
    if name == "clients":
        return "connections"
    if name.endswith("_share"):
        return "share"
    if name.startswith("mem_") or name.endswith("_bandwidth") or name == "throughput":
        return "MB/s"
    return "ms" if name in {"cpu_loop", "build", *NATIVE["spec-int"]} else "us"


def series_experiment(*names: str) -> Experiment:
    """Pipe bandwidth by block size, on these systems (none: all)."""
    ref = MetricRef(SERIES, "bandwidth")
    sizes = dict.fromkeys(("quick", "full"), BLOCKS)
    choice = CellChoice(SERIES, names, {"block": sizes}, {"quick": 0, "full": 0}, ())
    return Experiment(
        id=SERIES,
        title="Pipes",
        shows="How block size matters.",
        table=0,
        cells=(choice,),
        rows=(),
        series=(Series(ref, "block", "bandwidth", "Moving blocks through a pipe."),),
        note="",
        systems=(),
        values={},
    )


def study(
    records: Iterable[Record],
    known: Mapping[str, System],
    *,
    experiments: Sequence[Experiment],
    claims: Sequence[Claim] = (),
    known_workloads: Mapping[str, Workload] | None = None,
    counts: Iterable[Counts] = (),
) -> Study:
    """These records beside the made-up catalogue."""
    return Study.of(
        records,
        systems=known,
        workloads=known_workloads or workloads(),
        experiments=experiments,
        claims=claims,
        counts=counts,
    )


def counts_of(record: Record, **counted: int) -> Counts:
    """So much for each operation of every metric, 0 of what is not named; an empty section takes
    nothing."""

    def work(times: int) -> Work:
        return Work(1, {name: counted.get(name, 0) * times for name in NAMES})

    return Counts(
        version=COUNTS_VERSION,
        cell_id=record.cell_id,
        system=record.system,
        workload=record.workload,
        profile=record.profile,
        point=dict(record.point),
        clock=work(0),
        samples=tuple(
            CountedSample(it.metric, it.phase, it.count, work(it.count))
            for it in record.outcome.samples
        ),
    )


def samples(system: str, workload: str, *, reps: int = 1) -> tuple[Sample, ...]:
    """A warm-up and `reps` runs of every metric."""
    kernel, user = FACTORS[system]
    found = []
    for place, (metric, natural) in enumerate(NATIVE[workload].items()):
        factor = user if workload == "controls" else kernel * (1 + 0.07 * (place % 5))
        if workload in APPLICATION_WORKLOADS:
            factor = APPLICATIONS[system]
        factor = 1.0 if system == "native" else factor
        for rep in range(reps + 1):
            phase = Phase.WARM if rep == 0 else Phase.RUN
            found.append(_sample(metric, phase, max(rep - 1, 0), natural, factor))
    return tuple(found)


def _samples_at(system: str, workload: str, point: Point, *, reps: int) -> tuple[Sample, ...]:
    if workload != SERIES:
        return samples(system, workload, reps=reps)
    kernel, user = FACTORS[system]
    block = point.parameters["block"]
    ns = round(1000 * (BLOCK_NS * kernel + BYTE_NS * user * block))
    return tuple(
        Sample("bandwidth", phase, 0, 1000 * block, ns, 0) for phase in (Phase.WARM, Phase.RUN)
    )


def _sample(metric: str, phase: Phase, rep: int, natural: float, factor: float) -> Sample:
    kind = _metric(metric).kind
    if kind is MetricKind.AMOUNT:
        return Sample(metric, phase, rep, round(natural / factor), 1_000_000, 0)
    if kind is MetricKind.SHARE:
        return Sample(metric, phase, rep, round(natural * 1_000_000), 1_000_000, 0)
    if kind is MetricKind.RATE:
        count, net_ns = 64 << 20, round((64 << 20) * 1e9 / natural * factor)
    else:
        count, net_ns = 1000, round(1000 * natural * factor)
    return Sample(metric, phase, rep, count, net_ns + 1_200, 1_200)


def record(
    system: str,
    workload: str,
    *,
    status: Status = Status.OK,
    reason: str = "",
    attempt: int = 1,
    purpose: Purpose = Purpose.MEASURE,
    profile: str = "quick",
    point: Point = Point(),  # noqa: B008  (frozen)
    files: Mapping[str, str] | None = None,
    reps: int = 1,
) -> Record:
    """One record; its cell's identity follows from its place in the matrix and its files."""
    digests = dict(files or {"root/guest.cpio": digest("guest"), "kernel/full": digest("kernel")})
    if system not in ("native", "rexen"):
        digests[f"{system}/artefact"] = digest(system)
    cell_id = digest(f"{system} {workload} {profile} {point} {sorted(digests.items())}")
    good = status is Status.OK
    outcome = Outcome(
        status=status,
        reason=reason,
        samples=_samples_at(system, workload, point, reps=reps) if good else (),
        facts={"kernel": "6.12.48+deb13-amd64", "clocksource": "tsc", "memory_kb": "493012"},
        begun_ns=842_000_000 if good else 0,
        quiet_ns=1_120_000_000 if good else 0,
        console_sha256=digest(f"{cell_id} console"),
    )
    return Record(
        schema_version=SCHEMA_VERSION,
        cell_id=cell_id,
        attempt=attempt,
        purpose=purpose,
        system=system,
        workload=workload,
        profile=profile,
        point=dict(point.values),
        inputs=_inputs(system, workload, digests),
        outcome=outcome,
        host=_host(system, attempt),
        rerun=f"./rexen run --system {system} --workload {workload} --profile {profile}",
    )


def _inputs(system: str, workload: str, digests: Mapping[str, str]) -> dict[str, object]:
    argv = ["qemu-system-x86_64", "-S", "-accel", "tcg", "-icount", "shift=0,sleep=off"]
    argv += ["-m", "512M", "-kernel", f"/opt/{system}/vmlinux"]
    argv += ["-append", f"quiet nokaslr panic=-1 rexen.run={workload},percent=100,reps=1"]
    return {
        "record_schema": SCHEMA_VERSION,
        "testbed": "pc-tcg-1",
        "emulator": f"QEMU 1:10.0.13+ds {digest('qemu')}",
        "argv": argv,
        "files": dict(digests),
        "workload": digest(workload),
        "params": {"reps": 1, "percent": 100, "divide": 20 if system == "fullvirt" else 1},
    }


def _host(system: str, attempt: int) -> HostSide:
    boot = {"xen": 20.4, "fullvirt": 74.0, "hwvirt": 12.8, "uml": 14.1}.get(system, 3.7)
    return HostSide(
        started_at=f"2003-10-19T12:{attempt:02d}:00Z",
        boot_wall_s=boot,
        machine_wall_s=boot + 6.5,
        total_wall_s=boot + 7.1,
        host={"cpu": "some processor", "cores": "2", "kernel": "6.1.0"},
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def full_set(*names: str) -> list[Record]:
    """A good record of every workload of a table on every named system (default: today's
    catalogue), at each of its points."""
    return [
        record(system, workload, point=point)
        for system in systems(*names)
        for workload in NATIVE
        for point in POINTS.get(workload, (Point(),))
    ]


def series_set(*names: str) -> list[Record]:
    """A good record of the workload with an axis at each point on every named system."""
    points = [Point.of({"block": block}) for block in BLOCKS]
    return [record(system, SERIES, point=point) for system in systems(*names) for point in points]


def variant(original: Record, seed: int, **factors: float) -> Record:
    """The cell under a perturbation: each named metric takes so many times as long."""
    point = original.at.point.perturbed(seed)
    moved = tuple(
        replace(it, total_ns=round(it.total_ns * factors.get(it.metric, 1.0)))
        for it in original.outcome.samples
    )
    return replace(
        original,
        cell_id=digest(f"{original.cell_id} {PERTURB} {seed}"),
        point=dict(point.values),
        outcome=replace(original.outcome, samples=moved),
    )


def replaced(
    records: Sequence[Record], system: str, workload: str, metric: str, value_ns: float
) -> list[Record]:
    """The records, with one latency of one cell set to another value."""
    changed = []
    for one in records:
        if (one.system, one.workload) == (system, workload):
            kept = tuple(
                replace(it, total_ns=round(value_ns * it.count) + it.overhead_ns)
                if it.metric == metric
                else it
                for it in one.outcome.samples
            )
            one = replace(one, outcome=replace(one.outcome, samples=kept))
        changed.append(one)
    return changed


def performing(
    records: Sequence[Record], system: str, performances: Mapping[str, float]
) -> list[Record]:
    """The records, with metrics of one system (`workload/metric`) so good relative to native."""
    changed = []
    for one in records:
        if one.system == system:
            moved = tuple(
                _sample(it.metric, it.phase, it.rep, NATIVE[one.workload][it.metric], 1 / wanted)
                if (wanted := performances.get(f"{one.workload}/{it.metric}"))
                else it
                for it in one.outcome.samples
            )
            one = replace(one, outcome=replace(one.outcome, samples=moved))
        changed.append(one)
    return changed
