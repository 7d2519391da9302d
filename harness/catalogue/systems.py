"""`system.toml` -> systems. Every error names the file and the key.

Systems are the directories of `baselines/`, and `hypervisor/`; nothing here knows any of them by
name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.catalogue import outside
from harness.catalogue.entry import by_id, entry_name
from harness.catalogue.table import Table
from harness.model.device import Device, Devices, Driver
from harness.model.limits import Limits
from harness.model.system import (
    WORKLOAD_PART,
    Artefact,
    Boot,
    BootModule,
    Guest,
    Ingredients,
    MachineOptions,
    OwnerTable,
    System,
    Targets,
)
from harness.model.workload import IMPLIED, NEEDS
from harness.paths import Paths

# What recipe/artefacts.sh can do with a file of a package.
HOW = ("copy", "gzip", "xz", "bzimage", "modules")


def load_systems(paths: Paths) -> dict[str, System]:
    """Every system, in the order the report shows them."""
    files = sorted(paths.baselines.glob("*/system.toml"))
    own = paths.hypervisor / "system.toml"
    if own.exists():
        files.append(own)
    files += outside.system_files(paths)
    words = read_linux_words(paths.baselines / "linux.toml")
    entries = [(file, read_system(file, words)) for file in files]
    systems = by_id(entries)
    for file, system in entries:
        _check_reference(file, system, systems)
    return dict(sorted(systems.items(), key=lambda item: item[1].order))


def _check_reference(file: Path, system: System, known: Mapping[str, System]) -> None:
    """A reference is another system of the catalogue. Raises ConfigError."""
    others = [name for name in known if name != system.id]
    if system.reference and system.reference not in others:
        what = f"{system.reference!r} is no other system of the catalogue: {', '.join(others)}"
        raise Table(file, {}).wrong("reference", what)


def read_linux_words(file: Path) -> str:
    """The command line every stock kernel gets, what `{linux}` in a system stands for."""
    top = Table.load(file)
    words = [*top.texts("fixed"), *top.texts("clock")]
    skipped = ",".join(top.texts("skip"))
    top.done()
    return " ".join([*words, *([f"initcall_blacklist={skipped}"] if skipped else [])])


def read_system(file: Path, linux_words: str) -> System:
    """One `system.toml`. Raises ConfigError."""
    top = Table.load(file)
    boot, guest = top.table("boot"), top.table("guest")
    machine, limits = top.table("machine", optional=True), top.table("deadline")
    memory_mib = guest.whole("memory_mib")

    def filled(text: str) -> str:
        return text.replace("{linux}", linux_words).replace("{memory}", str(memory_mib))

    modules = []
    for entry in boot.tables("modules"):
        modules.append(BootModule(_files(entry, "files"), filled(entry.text("args", ""))))
        entry.done()
    color = top.text("color")
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise top.wrong("color", f"must be like '#1f77b4', not {color!r}")
    system = System(
        id=entry_name(top, "id"),
        title=top.text("title"),
        summary=top.text("summary"),
        order=top.whole("order", least=0),
        stands_for=top.choice("stands_for", ["L-UP", "L-SMP", "Xen", "VMW", "UML", ""], ""),
        color=color,
        machine=MachineOptions(
            cpu=machine.text("cpu", "qemu64"), memory_mib=machine.whole("memory_mib", 512)
        ),
        boot=Boot(
            kernel=boot.text("kernel"),
            append=filled(boot.text("append", "")),
            initrd=_files(boot, "initrd") if "initrd" in boot.data else (),
            modules=tuple(modules),
        ),
        guest=Guest(memory_mib=memory_mib, divide=guest.whole("divide", 1)),
        limits=Limits(virtual_s=limits.number("virtual_s"), wall_s=limits.number("wall_s")),
        caveat=top.text("caveat", ""),
        reference=top.text("reference", ""),
        targets=_targets(top),
        unable=_unable(top),
        ingredients=_ingredients(top),
        devices=_devices(top),
        owners=_owners(top),
    )
    boot.asked.add("initrd")
    if system.boot.initrd and modules:
        raise boot.wrong("initrd", "cannot stand beside boot.modules: QEMU has one -initrd")
    words = system.boot.append + "".join(module.args for module in modules)
    if words.count("{run}") != 1:
        raise boot.wrong("append", "'{run}' must stand exactly once, here or in a module's args")
    for table in (top, boot, guest, machine, limits):
        table.done()
    return system


def _unable(top: Table) -> dict[str, str]:
    """`[unable]`: workloads this system cannot run, each with the reason."""
    entry = top.table("unable", optional=True)
    reasons = {workload: entry.text(workload) for workload in entry.data}
    entry.done()
    return reasons


def _files(table: Table, key: str) -> tuple[str, ...]:
    """The parts of one loaded file, at least one; joined words must not split their names."""
    if key not in table.data:
        table.text(key)  # says that it is missing
    parts = table.texts(key)
    if not [part for part in parts if WORKLOAD_PART not in part]:
        raise table.wrong(key, "must name at least one file that is no workload's")
    for part in parts:
        if not re.fullmatch(r"[A-Za-z0-9_./-]+", part.replace(WORKLOAD_PART, "w")):
            raise table.wrong(key, f"{part!r} is no name of a file of the image")
    return tuple(parts)


def _ingredients(top: Table) -> Ingredients:
    """`[packages]` and `[artefacts]`, for the image build."""
    packages, wanted = (top.table(key, optional=True) for key in ("packages", "artefacts"))
    artefacts = []
    for name, entry in wanted.subtables():
        how = entry.choice("how", HOW)
        artefacts.append(Artefact(name=name, source=entry.text("from"), how=how))
        entry.done()
    ingredients = Ingredients(
        unpack=_words(packages, "unpack"),
        install=_words(packages, "install"),
        artefacts=tuple(artefacts),
    )
    for artefact in artefacts:
        for text in (artefact.name, artefact.source):
            if len(text.split()) != 1:
                raise wanted.wrong(artefact.name, f"{text!r} must be one word")
    packages.done()
    return ingredients


def _devices(top: Table) -> Devices:
    """`[devices]`: what a workload's needs are to this system's guest."""
    entry = top.table("devices", optional=True)
    if not entry.data:
        return Devices()
    found = {}
    for need in (it for it in NEEDS if it in entry.data):
        one = entry.table(need)
        found[need] = Device(
            guest=_driver(one, need, ""),
            host=_driver(one, need, "host_") if "host_name" in one.data else None,
            append=one.text("append", ""),
        )
        one.done()
    # What rests on other devices is the guest's alone.
    if len({device.host is None for need, device in found.items() if need not in IMPLIED}) > 1:
        raise entry.wrong("host_name", "must be there for each device, or for none")
    devices = Devices(parts=_files(entry, "parts"), by_need=found)
    entry.done()
    return devices


def _driver(one: Table, need: str, level: str) -> Driver:
    """Name and modules of a device in one kernel."""
    name, modules = one.text(f"{level}name"), tuple(one.texts(f"{level}modules"))
    for key, words in (("name", name.split(",")), ("modules", modules)):
        for word in words:
            if not re.fullmatch(r"[A-Za-z0-9_-]+", word):
                raise one.wrong(f"{level}{key}", f"{word!r} is no name of a device or module")
    if name.count(",") != (need == "net"):
        raise one.wrong(f"{level}name", f"{name!r}: 'net' has two names, others have one")
    return Driver(name=name, modules=modules)


def _owners(top: Table) -> OwnerTable | None:
    """`[owners]`: the hypervisor's own table of who owns which page; not there for most."""
    entry = top.table("owners", optional=True)
    if not entry.data:
        return None
    table = OwnerTable(
        address=entry.whole("address"), entry=entry.whole("entry"), at=entry.whole("at", least=0)
    )
    entry.done()
    if table.at + 4 > table.entry:
        raise entry.wrong("at", f"four bytes do not fit there into an entry of {table.entry}")
    return table


def _words(table: Table, key: str) -> tuple[str, ...]:
    """Names of Debian packages."""
    names = table.texts(key)
    for name in names:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name):
            raise table.wrong(key, f"{name!r} is no name of a Debian package")
    return tuple(names)


def _targets(top: Table) -> Targets:
    """`[targets]`, each key optional; they speak of a reference, so there must be one."""
    entry = top.table("targets", optional=True)
    if entry.data and not top.data.get("reference"):
        raise top.wrong("reference", "is missing, but [targets] are shares of its overhead")
    mean, worst, performance = (
        entry.number(key) if key in entry.data else None
        for key in ("overhead_mean", "overhead_worst", "performance")
    )
    groups = entry.whole("performance_groups") if performance is not None else 0
    entry.asked.update(("overhead_mean", "overhead_worst"))
    entry.done()
    return Targets(mean, worst, performance, groups)
