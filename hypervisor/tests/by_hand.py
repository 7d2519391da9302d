# SPDX-License-Identifier: MIT
"""The hypervisor on the emulated PC that all systems are measured on, for tests and `make run`.

What the machine is stands in harness/measure/machines/testbed.py; here is only what is loaded. Run
as a program it takes the place of QEMU, with the serial line on the terminal.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.measure.machines.testbed import (  # noqa: E402  (the checkout is not installed)
    EMULATED_PC,
    load_argv,
    machine_argv,
    module_list,
)


def rexen_argv(
    elf: Path, *, modules: list[str], options: str, serial: str, memory_mib: int = 512
) -> list[str]:
    """QEMU's command line; a module is a file and, after a blank, its arguments."""
    return [
        *machine_argv(EMULATED_PC, memory_mib=memory_mib, serial=serial),
        *load_argv(kernel=str(elf), append=options, initrd=module_list(modules)),
    ]


def main() -> None:
    """Prints the command line and becomes QEMU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elf", type=Path, required=True, help="the hypervisor")
    parser.add_argument("--kernel", required=True, help="an uncompressed guest kernel")
    parser.add_argument("--cmdline", default="", help="of the guest")
    parser.add_argument("--ramdisk", default="", help="of the guest")
    parser.add_argument("--options", default="", help="of the hypervisor")
    parser.add_argument("--gdb", action="store_true", help="wait for gdb at port 1234")
    args = parser.parse_args()
    if not args.kernel:
        parser.error("which kernel? make run KERNEL=vmlinux")
    modules = [f"{args.kernel} {args.cmdline}".strip(), args.ramdisk]
    argv = rexen_argv(
        args.elf, modules=[m for m in modules if m], options=args.options, serial="stdio"
    )
    argv += ["-s", "-S"] if args.gdb else []
    print(shlex.join(argv), file=sys.stderr, flush=True)
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
