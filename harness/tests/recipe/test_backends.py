"""xen's hotplug script, and the wait for both halves of a device, against a store of files."""

from __future__ import annotations

import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.paths import checkout_root
from harness.tests.recipe.debian import run

XEN = checkout_root() / "baselines" / "xen"
DISK, CARD = "backend/vbd/1/51712", "backend/vif/1/1"
# `xenstore read PATH`, `xenstore write PATH VALUE`; what a path holds is a file.
STORE = """#!/bin/sh
file=$PLACE/store/$(echo "$2" | tr / +)
case $1 in
read) cat "$file" 2>&1 ;;
write) printf %s "$3" >"$file" ;;
esac
"""
# Says what it was asked to do; refuses what $REFUSED names.
PROGRAM = """#!/bin/sh
echo "$(basename "$0") $*" >>"$PLACE/said"
case "$*" in ${REFUSED:-nothing}*) exit 1 ;; esac
"""


class Host:
    """A first domain of programs that only note what they are asked for."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "bin").mkdir()
        (place / "store").mkdir()
        for name, text in (("xenstore", STORE), ("busybox", PROGRAM), ("ip", PROGRAM)):
            (place / "bin" / name).write_text(text)
            (place / "bin" / name).chmod(0o755)

    def put(self, path: str, value: str) -> None:
        (self.place / "store" / path.replace("/", "+")).write_text(value)

    def get(self, path: str) -> str:
        file = self.place / "store" / path.replace("/", "+")
        return file.read_text() if file.exists() else ""

    @property
    def said(self) -> str:
        file = self.place / "said"
        return file.read_text() if file.exists() else ""

    @property
    def why(self) -> str:
        file = self.place / "why"
        return file.read_text() if file.exists() else ""

    def sh(self, *words: str, **environment: str) -> CompletedProcess[str]:
        path = f"{self.place}/bin:{os.environ['PATH']}"
        settings = {"PATH": path, "PLACE": str(self.place), "WHY": f"{self.place}/why"}
        return run("sh", *words, **settings, **environment)

    def hotplug(self, action: str, path: str, **environment: str) -> int:
        script = str(XEN / "hotplug.sh")
        return self.sh(script, action, XENBUS_PATH=path, **environment).returncode

    def await_backends(self, devices: str) -> CompletedProcess[str]:
        """With a process to watch that does not end, and no time to wait."""
        script = f"""
            fail() {{ echo "fail $*"; exit 1; }}
            has() {{ false; }}
            . {XEN}/backends.sh
            devices='{devices}' deadline_s=0 states=$PLACE/states
            await_backends $$ && echo all there
        """
        return self.sh("-c", script)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_disk_is_named_by_its_numbers(host: Host, tmp_path: Path) -> None:
    (tmp_path / "bin/stat").write_text("#!/bin/sh\necho fe:a\n")
    (tmp_path / "bin/stat").chmod(0o755)
    host.put(f"{DISK}/params", "/dev/rexen/root")
    # No container has a block device to show: the question whether it is one is answered with yes.
    text = (XEN / "hotplug.sh").read_text().replace("[ -b ", "[ -n ")
    (tmp_path / "hotplug.sh").write_text(text)
    done = host.sh(f"{tmp_path}/hotplug.sh", "add", XENBUS_PATH=DISK)
    assert (done.returncode, host.why) == (0, "")
    assert host.get(f"{DISK}/physical-device") == "fe:a"
    assert host.get(f"{DISK}/hotplug-status") == "connected"


def test_what_is_no_disk_is_refused_by_name(host: Host) -> None:
    host.put(f"{DISK}/params", "/dev/null")
    assert host.hotplug("add", DISK) == 1
    assert host.why == f"{DISK}: /dev/null is no block device\n"
    assert host.get(f"{DISK}/hotplug-status") == ""


def test_a_disk_the_store_does_not_know(host: Host) -> None:
    assert host.hotplug("add", DISK) == 1
    assert "the store names no disk" in host.why


def test_a_card_joins_the_bridge_of_its_number(host: Host) -> None:
    assert host.hotplug("online", CARD, vif="vif1.1") == 0
    assert host.said == "busybox brctl addif br1 vif1.1\nip link set vif1.1 up\n"
    assert host.get(f"{CARD}/hotplug-status") == "connected"


def test_a_card_without_a_bridge_is_refused(host: Host) -> None:
    assert host.hotplug("online", CARD, vif="vif1.1", REFUSED="brctl") == 1
    assert host.why == f"{CARD}: vif1.1 cannot join br1\n"
    assert host.get(f"{CARD}/hotplug-status") == ""


@pytest.mark.parametrize("action", ["remove", "offline"])
def test_what_goes_needs_nothing(host: Host, action: str) -> None:
    assert host.hotplug(action, DISK) == 0
    assert host.get(f"{DISK}/hotplug-status") == host.said == ""


def halves(host: Host, device: str, *, back: str, front: str) -> None:
    kind, number = device.split("/")
    host.put(f"/local/domain/0/backend/{kind}/1/{number}/state", back)
    host.put(f"/local/domain/1/device/{device}/state", front)


def test_the_wait_is_over_when_all_are_connected(host: Host) -> None:
    for device in ("vbd/51712", "vif/0"):
        halves(host, device, back="4", front="4")
    assert host.await_backends("vbd/51712 vif/0").stdout == "all there\n"


def test_no_devices_are_not_waited_for(host: Host) -> None:
    assert host.await_backends("").stdout == "all there\n"


def test_both_halves_of_what_does_not_connect_are_named(host: Host) -> None:
    halves(host, "vbd/51712", back="4", front="4")
    halves(host, "vif/0", back="2", front="1")
    done = host.await_backends("vbd/51712 vif/0 vif/1")
    assert done.returncode == 1
    assert "vbd/51712: back end connected, front end connected;" in done.stdout
    assert "vif/0: back end waiting, front end initialising;" in done.stdout
    assert "vif/1: back end absent, front end absent;" in done.stdout
    assert done.stdout.count("\n") == 1, "one line"
