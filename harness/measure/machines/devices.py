"""The emulated PC's disks and network cards, declared once: QEMU's options, and the guest's words.

Only what a workload needs is there; the machine of all others is as if this file were not. Each
choice is the one that was seen to repeat to the bit, idle and loaded:

    root   a read-only image in memory, beside the guest's: an nvdimm. share=off: what a guest
           writes is gone with it, so no run sees another's. readonly=on: opened for writing, the
           file would first be copied out of the container's image, for each cell anew
    data   nothing of QEMU's: RAM of whatever stands lowest in the machine (a kernel, a
           hypervisor), with a latency from the machine's own timer. Memory grows by the disk.
           What stands above has no speed of its own
    net    two cards on one hub, without boot ROMs, so that every packet crosses both.
           tx=timer, ioeventfd=off: packets leave in virtual time, not when a thread of the host
           gets to it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.model.device import Device, Disk, Driver
from harness.model.system import Boot, System

# What a point may choose: like a SCSI drive of 10 000 turns a minute, like a fast device of today.
DISKS = {
    2003: Disk(latency_ns=5_000_000, rate_mib_s=40),
    2026: Disk(latency_ns=100_000, rate_mib_s=500),
}
DEFAULT_DISK = 2026
DATA_MIB = 128
# The image is made this large: images/context.py tells the recipe. QEMU puts it at the first
# address above 4 GiB.
ROOT_IMAGE = "disk/root.img"
ROOT_MIB = 640
ROOT_ADDRESS = 1 << 32
TRANSMIT_DELAY_NS = 10_000
PREPARE = "/prepare"


def extra_memory_mib(needs: Iterable[str]) -> int:
    """What the machine's memory grows by, so that the guest keeps its own."""
    return DATA_MIB if "data" in needs else 0


def image_files(needs: Iterable[str]) -> tuple[str, ...]:
    """Files of the image that the devices hold."""
    return (ROOT_IMAGE,) if "root" in needs else ()


def machine_options(machine: str, memory_mib: int, needs: Iterable[str]) -> tuple[str, str]:
    """The values of `-machine` and `-m`."""
    if "root" in needs:
        return f"{machine},nvdimm=on", f"{memory_mib}M,slots=2,maxmem=4G"
    return machine, f"{memory_mib}M"


def device_argv(needs: Iterable[str], artefacts: str) -> list[str]:
    """QEMU's options for what is needed."""
    argv: list[str] = []
    if "root" in needs:
        memory = f"mem-path={artefacts}/{ROOT_IMAGE},size={ROOT_MIB}M"
        private = "share=off,readonly=on,rom=off"
        argv += ["-object", f"memory-backend-file,id=root,{private},{memory}"]
        argv += ["-device", "nvdimm,memdev=root,id=rootdimm"]
    if "net" in needs:
        for card in (0, 1):
            argv += ["-netdev", f"hubport,id=h{card},hubid=0"]
            timing = f"tx=timer,x-txtimer={TRANSMIT_DELAY_NS},ioeventfd=off"
            mac = f"52:54:00:00:00:0{card + 1}"
            argv += ["-device", f"virtio-net-pci,netdev=h{card},mac={mac},romfile=,{timing}"]
    return argv


def guest_words(needs: Iterable[str], devices: Mapping[str, Device], disk: Disk) -> str:
    """The words that tell workloads/prepare which device is which and what to load, at one level
    or at both."""
    chosen = {need: devices[need] for need in needs}
    if not chosen:
        return ""
    guest = {need: device.guest for need, device in chosen.items()}
    host = {need: device.host for need, device in chosen.items() if device.host}
    words = [f"rdinit={PREPARE}", *_level_words("rexen", guest, None if host else disk)]
    if host:
        words += _level_words("rexen.host", host, disk)
    return " ".join(words)


def _level_words(prefix: str, drivers: Mapping[str, Driver], disk: Disk | None) -> list[str]:
    """One level's words; with the disk's where the level is the lowest, which fills it."""
    words = [f"{prefix}.{need}={driver.name}" for need, driver in drivers.items()]
    if disk and "data" in drivers:
        words.append(f"{prefix}.disk={DATA_MIB},{disk.latency_ns},{disk.rate_mib_s}")
    modules = dict.fromkeys(name for driver in drivers.values() for name in driver.modules)
    return [*words, f"{prefix}.modules={','.join(modules)}"]


def boot_with(system: System, workload: str, needs: Iterable[str], disk: Disk) -> Boot:
    """What the system boots for this workload: its parts, and those that bring up its devices."""
    chosen = [system.devices.by_need[need] for need in needs]
    boot = system.boot.of(workload, system.devices.parts if chosen else ())
    values = {
        "{disk_mib}": DATA_MIB,
        "{disk_ns}": disk.latency_ns,
        "{disk_mib_s}": disk.rate_mib_s,
        "{root_mib}": ROOT_MIB,
        "{root_at}": hex(ROOT_ADDRESS),
        "{root_size}": hex(ROOT_MIB << 20),
    }
    append = " ".join(word for word in (boot.append, *(it.append for it in chosen)) if word)
    for name, value in values.items():
        append = append.replace(name, str(value))
    return replace(boot, append=append)
