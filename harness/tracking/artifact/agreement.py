"""Whether a lock and records are of one another, as far as the records say what they ran on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from harness.model.record import AS_LOCKED, INPUTS, Record

EMULATOR = "qemu-system-"
KERNEL_IMAGE = "linux-image-"
# A kernel that Debian named; User-Mode Linux only says which release it is.
DEBIAN_KERNEL = re.compile(r"\+deb\d+")


def disagreement(records: Sequence[Record], packages: Mapping[str, str]) -> str:
    """Where the records were not made from these packages (name to version); "" if nothing says
    so. Records name the emulator with its version, and each guest the kernel it runs."""
    emulators = {version for name, version in packages.items() if name.startswith(EMULATOR)}
    for one in records:
        said = str(one.inputs.get("emulator", ""))
        if not emulators & set(said.split()):
            known = ", ".join(sorted(emulators)) or "no emulator"
            return f"{one.at} ran on {said[:60] or 'no emulator'}, the lock has {known}"
        kernel = one.outcome.facts.get("kernel", "")
        if DEBIAN_KERNEL.search(kernel) and f"{KERNEL_IMAGE}{kernel}" not in packages:
            return f"{one.at} ran kernel {kernel}, which the lock does not have"
        inputs = one.host.host.get(INPUTS, AS_LOCKED)
        if inputs != AS_LOCKED:
            return f"{one.at}: {inputs}"
    return ""


def agreement(records: Sequence[Record]) -> str:
    """In what they agree, for people."""
    emulators = {" ".join(str(it.inputs.get("emulator", "")).split()[:2]) for it in records}
    kernels = {it.outcome.facts.get("kernel", "") for it in records}
    debian = sorted(it for it in kernels if DEBIAN_KERNEL.search(it))
    return f"{len(records)} records: {', '.join(sorted(emulators))}; kernel {', '.join(debian)}"
