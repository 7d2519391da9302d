"""A container engine on this host: found, or on Debian as root installed and started.

Order: an engine that answers; an installed one that only needs starting; Debian's `docker.io`.
The daemon is first started as the distribution means it to be; where iptables or bridges are
not to be had (a container, a stripped kernel), without them: cells have no network at all, and
builds use the host's.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

from harness.errors import EngineError
from harness.host import process
from harness.host.deadline import Deadline
from harness.host.process import ProcessFailed
from harness.measure.images.container import Engine
from harness.steps import Steps

DAEMON_WALL_S = 30.0
INSTALL_WALL_S = 900.0
PLAIN: tuple[str, ...] = ()
# What a host without bridge or iptables support can still run, then one without overlayfs.
FALLBACKS: tuple[tuple[str, ...], ...] = (
    ("--iptables=false", "--bridge=none"),
    ("--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"),
)


def ensure_engine(logs: Path, steps: Steps) -> Engine:
    """An engine that answers. Raises EngineError with the one thing to do."""
    try:
        return Engine.connect()
    except EngineError as error:
        if os.environ.get("DOCKER_HOST"):
            raise
        refused = error
    if os.geteuid() != 0:
        raise EngineError(
            refused.message, hint="start Docker or Podman, or run this as root on Debian"
        )
    if not shutil.which("dockerd"):
        if not shutil.which("apt-get"):
            raise EngineError(refused.message, hint="install Docker or Podman and start it")
        with steps.step("installing a container engine (docker.io)"):
            install_packages(["docker.io"], logs)
        try:
            return Engine.connect()
        except EngineError:
            pass
    with steps.step("starting the container engine"):
        return start_daemon(logs)


def install_packages(packages: list[str], logs: Path) -> None:
    """Install Debian packages. Raises EngineError with the log."""
    log = logs / "apt.log"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"]
    try:
        process.run([*apt, "update"], log=log, wall_s=INSTALL_WALL_S, environment=quiet)
        process.run(
            [*apt, "install", "--no-install-recommends", *packages],
            log=log,
            wall_s=INSTALL_WALL_S,
            environment=quiet,
        )
    except ProcessFailed as error:
        raise EngineError(
            f"cannot install {' '.join(packages)}: {error.message}",
            hint="install them by hand and run again",
            log=log,
        ) from None


def start_daemon(logs: Path) -> Engine:
    """Start an installed dockerd, as a service if there are services, else by hand."""
    log = logs / "dockerd.log"
    if Path("/run/systemd/system").exists():
        try:
            process.run(["systemctl", "start", "docker"], log=log, wall_s=DAEMON_WALL_S)
            return Engine.connect()
        except (ProcessFailed, EngineError):
            pass
    for options in (PLAIN, *FALLBACKS):
        engine = _try_daemon([*options], log)
        if engine:
            return engine
    raise EngineError(
        "dockerd is installed but does not start", hint="start a container engine by hand", log=log
    )


def _try_daemon(options: list[str], log: Path) -> Engine | None:
    """One dockerd with these options; None if it gives up or stays silent.

    Its process ids are kept in a directory of its own: those that a killed daemon left behind may
    by now be somebody else's, and dockerd would wait for them, or even end them.
    """
    own = Path(f"/run/rexen-dockerd-{os.getpid()}-{time.time_ns()}")
    own.mkdir(parents=True)
    state = [f"--pidfile={own}/dockerd.pid", f"--exec-root={own}"]
    pid = process.spawn_daemon(["dockerd", *state, *options], log=log)
    deadline = Deadline.after(DAEMON_WALL_S)
    while not deadline.passed and process.alive(pid):
        try:
            return Engine.connect()
        except EngineError:
            time.sleep(0.2)
    if process.alive(pid):
        os.kill(pid, signal.SIGTERM)
        gone = Deadline.after(DAEMON_WALL_S)
        while process.alive(pid) and not gone.passed:
            time.sleep(0.1)
    return None
