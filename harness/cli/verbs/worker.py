"""rexen worker: run the cells of whoever measures with `--cluster ADDRESS`."""

from __future__ import annotations

from pathlib import Path

from harness.cli.choice import jobs_option
from harness.cli.context import Context
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, UsageError


def add(verbs: Verbs) -> None:
    parser = verbs.add(
        "worker", worker, "run cells for a cluster's scheduler, until it ends", jobs_option()
    )
    parser.add_argument("address", metavar="ADDRESS", help="the scheduler's, as tcp://HOST:8786")
    parser.add_argument(
        "--memory",
        type=int,
        default=None,
        metavar="MIB",
        help="for the machines of all cells together (default: what this host has)",
    )


def worker(context: Context, *, address: str, jobs: int, memory: int | None) -> ExitCode:
    from harness.cli.session import ready_image
    from harness.host.info import memory_mib
    from harness.measure.executors.worker import serve

    memory = memory_mib(Path("/proc/meminfo")) if memory is None else memory
    if memory < jobs:
        raise UsageError(f"--memory {memory}: no memory for {jobs} cells at a time")
    _, image = ready_image(context)
    context.steps.say(f"{jobs} cells at a time, {memory // jobs} MiB each, in {image.tag}")
    serve(address, slots=jobs, memory_mib=memory, scratch=context.paths.build / "worker")
    context.steps.say("the scheduler ended")
    return ExitCode.OK
