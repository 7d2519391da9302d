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
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.system import Boot, System

ARTEFACTS = "/opt/rexen"
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


def qemu_argv(testbed: Testbed, system: System, run: str, *, serial: str = "") -> list[str]:
    """QEMU's command line, option and value on one line each.

    `run` is what replaces `{run}` in the system's boot line. `serial` is another character
    device than the console file, for a person at the console.
    """
    return [
        testbed.binary,
        "-S",
        *("-accel", f"tcg,tb-size={testbed.translation_cache_mib}"),
        *("-icount", testbed.icount),
        *("-machine", testbed.machine),
        *("-cpu", system.machine.cpu),
        *("-m", f"{system.machine.memory_mib}M"),
        *("-nodefaults", "-no-user-config", "-no-reboot"),
        *("-display", "none"),
        *("-rtc", f"base={testbed.clock_base},clock=vm"),
        *("-seed", str(testbed.seed)),
        *("-serial", serial or f"file:{CONSOLE}"),
        *("-qmp", f"unix:{MONITOR},server=on,wait=off"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
        *boot_argv(system.boot, run),
    ]


def boot_argv(boot: Boot, run: str) -> list[str]:
    """`-kernel`, `-append`, `-initrd`; multiboot modules go into the last, comma separated."""
    initrd = f"{ARTEFACTS}/{boot.initrd}" if boot.initrd else ""
    modules = [
        # QEMU ends a module at a comma; a doubled one stands for itself.
        f"{ARTEFACTS}/{module.file} {module.args}".strip().replace("{run}", run).replace(",", ",,")
        for module in boot.modules
    ]
    return [
        *("-kernel", f"{ARTEFACTS}/{boot.kernel}"),
        *(("-append", boot.append.replace("{run}", run)) if boot.append else ()),
        *(("-initrd", initrd or ",".join(modules)) if initrd or modules else ()),
    ]


def run_words(workload: str, params: dict[str, int], perturb: int = 0) -> str:
    """The words of the kernel command line that tell the guest's init what to run, and the seed
    of the perturbation to run it under (0: none)."""
    pairs = [f"{key}={value}" for key, value in sorted(params.items())]
    word = f"rexen.run={','.join([workload, *pairs])}"
    return f"{word} rexen.perturb={perturb}" if perturb else word


SHELL_WORDS = "rexen.shell"
