"""The emulated PC, declared once, and the pure function from a system to QEMU's command line.

Every option is there because something else was seen to change a number or to cost time:

    -icount shift=0,sleep=off   one instruction is one virtual ns; idle jumps to the next timer
    -cpu qemu64                 the oldest model the stock kernel runs fast on; no RDRAND
    -nodefaults                 no option ROMs, no VGA, no NIC: less to boot, nothing host-backed
    -rtc base=...,clock=vm      the wall clock of the guest starts at the paper's conference
    -seed 1                     QEMU's own random numbers
    -serial file:               a pipe that is read slowly moves the virtual clock
    isa-debug-exit              lets a hypervisor end the machine with a status
    -S                          nothing runs before monitor and deadline are in place

The hypervisor's own tests boot the same machine: this file imports nothing but the standard library
and the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.measure.machines.devices import device_argv, extra_memory_mib, machine_options
from harness.model.system import Boot, System

ARTEFACTS = "/opt/rexen"
# Joins the parts of what is loaded, then becomes QEMU: images/recipe/boot.
STARTER = f"{ARTEFACTS}/bin/boot"
CELL_DIR = "/cell"
CONSOLE = f"{CELL_DIR}/console"
MONITOR = f"{CELL_DIR}/monitor"
TERMINAL = f"{CELL_DIR}/terminal"


@dataclass(frozen=True, slots=True)
class Testbed:
    """What all systems share. `id` names it in identities; bump it when a field changes."""

    id: str
    binary: str
    machine: str
    translation_cache_mib: int
    icount: str
    clock_base: str
    seed: int


EMULATED_PC = Testbed(
    id="emulated-pc-1",
    binary="qemu-system-x86_64",
    machine="pc",
    translation_cache_mib=512,
    icount="shift=0,sleep=off",
    clock_base="2003-10-19",
    seed=1,
)


def container_argv(
    testbed: Testbed, system: System, run: str, *, serial: str = "", needs: Sequence[str] = ()
) -> list[str]:
    """The command of a machine's container: which parts make which file, then QEMU's own.

    `system` is one whose boot has its workload's parts, `Boot.of`.
    """
    joins = [f"{place}={'+'.join(files)}" for place, files in joined_files(system.boot).items()]
    return [STARTER, *joins, "--", *qemu_argv(testbed, system, run, serial=serial, needs=needs)]


def qemu_argv(
    testbed: Testbed, system: System, run: str, *, serial: str = "", needs: Sequence[str] = ()
) -> list[str]:
    """QEMU's command line, option and value on one line each.

    `run` is what replaces `{run}` in the system's boot line. `serial` is another character
    device than the console file, for a person at the console; `needs` are a workload's.
    """
    machine = machine_argv(
        testbed,
        cpu=system.machine.cpu,
        memory_mib=system.machine.memory_mib,
        serial=serial or f"file:{CONSOLE}",
        monitor=MONITOR,
        needs=needs,
    )
    return [*machine, *boot_argv(system.boot, run)]


def machine_argv(
    testbed: Testbed,
    *,
    serial: str,
    cpu: str = "qemu64",
    memory_mib: int = 512,
    monitor: str = "",
    needs: Sequence[str] = (),
) -> list[str]:
    """The machine with nothing loaded, and the devices of `needs`. With a monitor's socket it
    starts stopped."""
    machine, memory = machine_options(testbed.machine, memory_mib + extra_memory_mib(needs), needs)
    return [
        testbed.binary,
        *(("-S",) if monitor else ()),
        *("-accel", f"tcg,tb-size={testbed.translation_cache_mib}"),
        *("-icount", testbed.icount),
        *("-machine", machine),
        *("-cpu", cpu),
        *("-m", memory),
        *("-nodefaults", "-no-user-config", "-no-reboot"),
        *("-display", "none"),
        *("-rtc", f"base={testbed.clock_base},clock=vm"),
        *("-seed", str(testbed.seed)),
        *("-serial", serial),
        *(("-qmp", f"unix:{monitor},server=on,wait=off") if monitor else ()),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
        *device_argv(needs, ARTEFACTS),
    ]


def load_argv(*, kernel: str, append: str, initrd: str) -> list[str]:
    """What QEMU loads; an empty word is left out."""
    return [
        *("-kernel", kernel),
        *(("-append", append) if append else ()),
        *(("-initrd", initrd) if initrd else ()),
    ]


def module_list(modules: list[str]) -> str:
    """Multiboot modules, each a file and its arguments, as one word for `-initrd`."""
    # QEMU ends a module at a comma; a doubled one stands for itself.
    return ",".join(module.replace(",", ",,") for module in modules)


def boot_argv(boot: Boot, run: str) -> list[str]:
    """`-kernel`, `-append`, `-initrd`; multiboot modules go into the last, comma separated."""
    initrd = _place(boot.initrd, 0) if boot.initrd else ""
    modules = [
        f"{_place(it.files, number)} {it.args}".strip().replace("{run}", run)
        for number, it in enumerate(boot.modules)
    ]
    return load_argv(
        kernel=f"{ARTEFACTS}/{boot.kernel}",
        append=boot.append.replace("{run}", run),
        initrd=initrd or module_list(modules),
    )


def joined_files(boot: Boot) -> dict[str, list[str]]:
    """The files a container makes before QEMU starts, and the parts of each."""
    loaded = [boot.initrd, *(module.files for module in boot.modules)]
    numbered = enumerate(files for files in loaded if files)
    return {
        _place(files, number): [f"{ARTEFACTS}/{name}" for name in files]
        for number, files in numbered
        if len(files) > 1
    }


def _place(files: Sequence[str], number: int) -> str:
    """Where QEMU finds a file: in the image, or joined from its parts."""
    return f"{ARTEFACTS}/{files[0]}" if len(files) == 1 else f"/tmp/joined-{number}"


def run_words(workload: str, params: dict[str, int], perturb: int = 0) -> str:
    """The words of the kernel command line that tell the guest's init what to run, and the seed
    of the perturbation to run it under (0: none)."""
    pairs = [f"{key}={value}" for key, value in sorted(params.items())]
    word = f"rexen.run={','.join([workload, *pairs])}"
    return f"{word} rexen.perturb={perturb}" if perturb else word


SHELL_WORDS = "rexen.shell"
