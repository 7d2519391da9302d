"""Real cells under the counting plugin: the same bits as without it, and counts that make sense."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.measure.counting.run import count_cell
from harness.model.counts import Counts
from harness.model.record import Outcome, Phase
from harness.tests.integration.lab import Lab, sample_of

pytestmark = pytest.mark.guest

SMALL = {"reps": 1, "percent": 10}
SYSTEMS = ("native", "rexen", "xen")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.open(tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="module")
def counted(lab: Lab) -> Mapping[str, tuple[Outcome, Counts]]:
    """The controls on each of the systems, under the plugin."""
    tables = {name: lab.systems[name].owners for name in SYSTEMS}
    found = {}
    for name in SYSTEMS:
        cell = lab.cell(lab.systems[name], params=SMALL)
        one = count_cell(lab.campaign, cell, tables)
        assert one.counts is not None, one.reason
        found[name] = (one.outcome, one.counts)
    return found


def loop_of(counts: Counts) -> Mapping[str, int]:
    """What the CPU loop executed: eight million instructions of its own."""
    (one,) = (it for it in counts.samples if it.metric == "cpu_loop" and it.phase is Phase.RUN)
    assert one.work.sections == 1
    return one.work.counted


@pytest.mark.parametrize("name", SYSTEMS)
def test_counting_changes_no_bit(
    lab: Lab, counted: Mapping[str, tuple[Outcome, Counts]], name: str
) -> None:
    assert lab.outcome(lab.systems[name], params=SMALL) == counted[name][0]


@pytest.mark.parametrize("name", SYSTEMS)
def test_instructions_are_the_time(
    counted: Mapping[str, tuple[Outcome, Counts]], name: str
) -> None:
    """A loop that never waits: a nanosecond each. A fault is counted twice, and reading the clock
    takes some instructions more or fewer."""
    outcome, counts = counted[name]
    sample, executed = sample_of(outcome, "cpu_loop"), loop_of(counts)
    total = sum(executed[it] for it in ("user", "kernel", "hypervisor", "beside"))
    clock = counts.clock.instructions / counts.clock.sections
    assert total - clock == pytest.approx(sample.total_ns - sample.overhead_ns, abs=100)


def test_the_program_is_the_same_everywhere(
    counted: Mapping[str, tuple[Outcome, Counts]],
) -> None:
    user = [loop_of(counts)["user"] for _, counts in counted.values()]
    assert max(user) - min(user) <= 100
    assert user[0] == pytest.approx(8_000_000, abs=500)


def test_who_executes_what(counted: Mapping[str, tuple[Outcome, Counts]]) -> None:
    """Natively there is nobody but program and kernel; beside Xen's guest runs the toolstack."""
    native, rexen, xen = (loop_of(counted[name][1]) for name in SYSTEMS)
    assert native["kernel"] > 0 and native["hypervisor"] == native["beside"] == 0
    assert rexen["kernel"] > 0 and rexen["hypervisor"] > 0 and rexen["beside"] == 0
    assert xen["kernel"] > 0 and xen["hypervisor"] > 0
    assert sum(one.work.counted["beside"] for one in counted["xen"][1].samples) > 0
    assert native["hypercalls"] == 0 < rexen["hypercalls"]
