"""The catalogue: every kind of broken file is named, with the key; the real one is whole."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness import catalogue
from harness.errors import ConfigError, UsageError
from harness.model.system import Artefact, Ingredients
from harness.model.unit import Better, MetricKind
from harness.model.workload import PROFILES
from harness.paths import Paths, checkout_root
from harness.tests.builders import a_workload

SYSTEM = """
id = "native"
title = "Native"
summary = "for tests"
order = 1
color = "#7f7f7f"

[boot]
kernel = "kernel/vmlinux"
append = "console=ttyS0 {linux} {run}"
initrd = ["root/base.cpio", "root/work/{workload}.cpio"]

[guest]
memory_mib = 512

[deadline]
virtual_s = 5
wall_s = 120
"""
INITRD = 'initrd = ["root/base.cpio", "root/work/{workload}.cpio"]'
WORKLOAD = """
id = "demo"
title = "Demo"
summary = "for tests"

[profiles.quick]
percent = 100

[profiles.full]
percent = 400

[limits.quick]
virtual_s = 60
wall_s = 300

[limits.full]
virtual_s = 600
wall_s = 3000

[axes.block]
title = "block size"
unit = "MB/s"

[metrics.null_call]
title = "null call"
unit = "us"
"""
UNITS = """
[us]
kind = "latency"
better = "lower"
symbol = "us"
scale = 1e3
ladder = true

["MB/s"]
kind = "rate"
better = "higher"
symbol = "MB/s"
"""


def write_system(root: Path, text: str = SYSTEM, *, folder: str = "baselines/native") -> Path:
    file = root / folder / "system.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    words = root / "baselines" / "linux.toml"
    if not words.exists():
        words.parent.mkdir(exist_ok=True)
        words.write_text('fixed = ["quiet"]\nclock = ["tsc=reliable"]\nskip = ["a", "b"]\n')
    return file


def write_workload(root: Path, text: str = WORKLOAD, *, name: str = "demo") -> Path:
    file = root / "workloads" / name / "workload.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    (root / "workloads" / "units.toml").write_text(UNITS)
    return file


def complaint_of_system(root: Path, text: str) -> str:
    file = write_system(root, text)
    with pytest.raises(ConfigError) as refused:
        catalogue.load_systems(Paths.of(root))
    assert str(file) in str(refused.value), "the message names the file"
    assert refused.value.code == 3
    return str(refused.value)


DEVICES = """
[devices]
parts = ["root/prepare.cpio"]

[devices.data]
name = "vda"
modules = []
host_name = "nullb0"
host_modules = []

[devices.files]
name = "ext4"
modules = []
"""


def test_a_file_system_is_the_guests_alone(tmp_path: Path) -> None:
    """The first level has the disk below it, and nothing of what is on it."""
    write_system(tmp_path, SYSTEM + DEVICES)
    (system,) = catalogue.load_systems(Paths.of(tmp_path)).values()
    data, files = (system.devices.by_need[need] for need in ("data", "files"))
    assert data.host is not None and files.host is None


def test_a_device_is_in_both_levels_or_no_other_is(tmp_path: Path) -> None:
    text = SYSTEM + DEVICES.replace("devices.files", "devices.root")
    assert "must be there for each device, or for none" in complaint_of_system(tmp_path, text)


def complaint_of_workload(root: Path, text: str) -> str:
    file = write_workload(root, text)
    with pytest.raises(ConfigError) as refused:
        catalogue.load_workloads(Paths.of(root))
    assert str(file) in str(refused.value), "the message names the file"
    return str(refused.value)


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} must stand once in the text that is changed"
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('title = "Native"', "title = ", "not valid TOML"),
        ('title = "Native"', "", "key 'title': is missing"),
        (
            'title = "Native"',
            'titel = "Native"',
            "key 'title': is missing, is 'titel' meant for it?",
        ),
        ("wall_s = 120", "", "key 'deadline.wall_s': is missing"),
        ("memory_mib = 512", "", "key 'guest.memory_mib': is missing"),
        ("[boot]", "[root]", "key 'boot': is missing"),
        ('title = "Native"', "title = 7", "key 'title': must be a string, not 7"),
        ("order = 1", 'order = "1"', "key 'order': must be a whole number"),
        ("order = 1", "order = true", "key 'order': must be a whole number, not True"),
        ("order = 1", "order = -1", "key 'order': must be at least 0, not -1"),
        ("wall_s = 120", "wall_s = 0", "key 'deadline.wall_s': must be a number above 0"),
        ("memory_mib = 512", "memory_mib = 0", "key 'guest.memory_mib': must be at least 1"),
        ('color = "#7f7f7f"', 'color = "gray"', "key 'color': must be like"),
        ('id = "native"', 'id = "Native!"', "key 'id': 'Native!' is no name"),
        ('id = "native"', 'id = "xen"', "key 'id': is 'xen' but its directory is 'native'"),
        ('color = "#7f7f7f"', 'color = "#7f7f7f"\nstands_for = "Zen"', "key 'stands_for': must be"),
        (" {run}", "", "key 'boot.append': '{run}' must stand exactly once"),
        ("{run}", "{run} {run}", "key 'boot.append': '{run}' must stand exactly once"),
        (
            "memory_mib = 512",
            "memory_mb = 512",
            "key 'guest.memory_mib': is missing, is 'memory_mb' meant",
        ),
        (
            "memory_mib = 512",
            "memory_mib = 512\ndivid = 4",
            "key 'guest.divid': is unknown, did you mean 'divide'",
        ),
        (
            'color = "#7f7f7f"',
            'color = "#7f7f7f"\ncaveats = "x"',
            "key 'caveats': is unknown, did you mean 'caveat'",
        ),
        (INITRD, INITRD + '\nmodules = [{ files = ["a"] }]', "'boot.initrd': cannot stand beside"),
        (
            INITRD,
            'modules = [{ files = ["a"] }, { args = "b" }]',
            "key 'boot.modules[1].files': is missing",
        ),
        (INITRD, 'modules = ["a"]', "key 'boot.modules[0]': must be a table"),
        (INITRD, 'initrd = "root/base.cpio"', "key 'boot.initrd': must be a list"),
        (INITRD, "initrd = []", "key 'boot.initrd': must name at least one file"),
        (
            INITRD,
            'initrd = ["root/work/{workload}.cpio"]',
            "key 'boot.initrd': must name at least one file that is no workload's",
        ),
        (INITRD, 'initrd = ["a+b"]', "key 'boot.initrd': 'a+b' is no name of a file"),
        ("[guest]", 'packages = "qemu"\n[guest]', "key 'boot.packages': is unknown"),
        ("[guest]", "[packages]\nunpack = [1]\n[guest]", "'packages.unpack': must be a list of"),
        (
            "[guest]",
            '[packages]\ninstall = ["qemu; rm"]\n[guest]',
            "key 'packages.install': 'qemu; rm' is no name of a Debian package",
        ),
        ("[guest]", '[packages]\npurge = ["x"]\n[guest]', "key 'packages.purge': is unknown"),
        (
            "[guest]",
            '[artefacts]\nk = { from = "boot/k", how = "magic" }\n[guest]',
            "key 'artefacts.k.how': must be one of copy, gzip, xz, bzimage",
        ),
        ("[guest]", '[artefacts]\nk = { how = "xz" }\n[guest]', "'artefacts.k.from': is missing"),
        (
            "[guest]",
            '[artefacts]\nk = { from = "a b", how = "xz" }\n[guest]',
            "key 'artefacts.k': 'a b' must be one word",
        ),
    ],
)
def test_a_broken_system_file(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert words in complaint_of_system(tmp_path, changed(SYSTEM, old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('title = "Demo"', 'title = "Demo', "not valid TOML"),
        ('title = "Demo"', "", "key 'title': is missing"),
        ("[profiles.full]", "[profiles.night]", "key 'profiles.full': is missing"),
        ("percent = 400", 'percent = "400"', "key 'profiles.full.percent': must be a whole number"),
        ("[limits.full]", "[limits.night]", "key 'limits.full': is missing"),
        ("wall_s = 300\n", "", "key 'limits.quick.wall_s': is missing"),
        ("virtual_s = 600", "virtual_s = 0", "key 'limits.full.virtual_s': must be a number above"),
        ('unit = "us"', 'unit = "s"', "key 'metrics.null_call.unit': must be one of us, MB/s"),
        ('unit = "us"', "", "key 'metrics.null_call.unit': is missing"),
        ('unit = "us"', 'unit = "us"\nbetter = "more"', "key 'metrics.null_call.better': must be"),
        ('unit = "us"', 'unit = "us"\nkind = "rate"', "key 'metrics.null_call.kind': is unknown"),
        ('unit = "MB/s"', 'unit = "MB"', "key 'axes.block.unit': must be one of"),
        ("[axes.block]", "[axes.perturb]", "'perturb' is no name of an axis"),
        ("[metrics.null_call]", "[metrics.Null-Call]", "'Null-Call' is no metric name"),
        ('id = "demo"', 'id = "other"', "key 'id': is 'other' but its directory is 'demo'"),
        ('summary = "for tests"', 'summary = "x"\nsumary = "y"', "did you mean 'summary'"),
        (
            'summary = "for tests"',
            'summary = "x"\nneeds = ["disk"]',
            "key 'needs': must be some of",
        ),
        ('summary = "for tests"', 'summary = "x"\nneeds = ["net", "net"]', "net, files, each once"),
    ],
)
def test_a_broken_workload_file(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert words in complaint_of_workload(tmp_path, changed(WORKLOAD, old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "rate"', 'kind = "speed"', "key 'MB/s.kind': must be one of latency, rate"),
        ('symbol = "us"', "", "key 'us.symbol': is missing"),
        ("scale = 1e3", "scale = 0", "key 'us.scale': must be a number above 0"),
        ("ladder = true", 'ladder = "yes"', "key 'us.ladder': must be"),
        ('symbol = "MB/s"', 'symbol = "MB/s"\nladder = true', "key 'MB/s.ladder': is for times"),
    ],
)
def test_a_broken_table_of_units(tmp_path: Path, old: str, new: str, words: str) -> None:
    write_workload(tmp_path)
    file = tmp_path / "workloads" / "units.toml"
    file.write_text(changed(UNITS, old, new))
    with pytest.raises(ConfigError) as refused:
        catalogue.load_workloads(Paths.of(tmp_path))
    assert str(refused.value).startswith(f"{file}: ") and words in str(refused.value)


def test_what_a_workload_needs(tmp_path: Path) -> None:
    write_workload(tmp_path)
    (without,) = catalogue.load_workloads(Paths.of(tmp_path)).values()
    needs = 'summary = "x"\nneeds = ["data", "net"]'
    write_workload(tmp_path / "more", changed(WORKLOAD, 'summary = "for tests"', needs))
    (workload,) = catalogue.load_workloads(Paths.of(tmp_path / "more")).values()
    assert (without.needs, workload.needs) == ((), ("data", "net"))


def test_files_need_a_disk_for_them_and_the_image_that_can_make_them(tmp_path: Path) -> None:
    needs = 'summary = "x"\nneeds = ["net", "files"]'
    write_workload(tmp_path, changed(WORKLOAD, 'summary = "for tests"', needs))
    (workload,) = catalogue.load_workloads(Paths.of(tmp_path)).values()
    assert workload.needs == ("root", "data", "net", "files")
    assert "disk" in workload.axes


def test_direction_and_kind_come_with_the_unit(tmp_path: Path) -> None:
    write_workload(tmp_path, WORKLOAD + '[metrics.load]\ntitle = "load"\nunit = "MB/s"\n')
    (workload,) = catalogue.load_workloads(Paths.of(tmp_path)).values()
    latency, rate = workload.metrics
    assert (latency.kind, latency.better) == (MetricKind.LATENCY, Better.LOWER)
    assert (rate.kind, rate.better) == (MetricKind.RATE, Better.HIGHER)
    assert workload.axes["block"].title == "block size"
    assert workload.limits["quick"].wall_s == 300


def test_a_workload_without_metrics(tmp_path: Path) -> None:
    text = WORKLOAD.partition("[metrics")[0]
    assert "key 'metrics'" in complaint_of_workload(tmp_path, text + "[metrics]\n")


def test_a_catalogue_file_that_is_no_text(tmp_path: Path) -> None:
    file = write_workload(tmp_path)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=f"{re.escape(str(file))}: not valid TOML"):
        catalogue.load_workloads(Paths.of(tmp_path))


def test_a_missing_linux_toml_is_named(tmp_path: Path) -> None:
    write_system(tmp_path)
    (tmp_path / "baselines" / "linux.toml").unlink()
    with pytest.raises(ConfigError, match="linux.toml: cannot be read"):
        catalogue.load_systems(Paths.of(tmp_path))


def test_a_misspelled_list_in_linux_toml(tmp_path: Path) -> None:
    write_system(tmp_path)
    words = tmp_path / "baselines" / "linux.toml"
    words.write_text(words.read_text().replace("clock", "clok"))
    with pytest.raises(ConfigError, match="linux.toml: key 'clok': is unknown, did you mean"):
        catalogue.load_systems(Paths.of(tmp_path))


def test_two_systems_of_one_name_are_both_named(tmp_path: Path) -> None:
    """The hypervisor's directory may hold any id, so it can take one that is taken."""
    first = write_system(tmp_path)
    second = write_system(tmp_path, folder="hypervisor")
    with pytest.raises(ConfigError) as refused:
        catalogue.load_systems(Paths.of(tmp_path))
    message = str(refused.value)
    assert "key 'id'" in message and "'native'" in message
    assert str(first) in message and str(second) in message


def test_linux_words_and_defaults(tmp_path: Path) -> None:
    write_system(tmp_path)
    (system,) = catalogue.load_systems(Paths.of(tmp_path)).values()
    assert system.boot.append == ("console=ttyS0 quiet tsc=reliable initcall_blacklist=a,b {run}")
    assert (system.machine.cpu, system.machine.memory_mib) == ("qemu64", 512)
    assert (system.guest.divide, system.stands_for, system.caveat) == (1, "", "")


def test_the_guests_memory_is_written_once(tmp_path: Path) -> None:
    text = SYSTEM.replace("{run}", "rexen.memory={memory} {run}").replace("= 512", "= 77")
    write_system(tmp_path, text)
    (system,) = catalogue.load_systems(Paths.of(tmp_path)).values()
    assert "rexen.memory=77 {run}" in system.boot.append
    assert system.guest.memory_mib == 77


def test_what_a_system_is_made_from(tmp_path: Path) -> None:
    text = """
[packages]
unpack = ["linux-image-amd64"]
install = ["qemu-system-x86"]
[artefacts]
"kernel/vmlinux" = { from = "boot/vmlinuz-*", how = "bzimage" }
"""
    write_system(tmp_path, SYSTEM + text)
    (system,) = catalogue.load_systems(Paths.of(tmp_path)).values()
    assert system.ingredients == Ingredients(
        unpack=("linux-image-amd64",),
        install=("qemu-system-x86",),
        artefacts=(Artefact("kernel/vmlinux", "boot/vmlinuz-*", "bzimage"),),
    )


def test_the_hypervisor_is_one_more_system(tmp_path: Path) -> None:
    write_system(tmp_path)
    own = SYSTEM.replace('"native"', '"rexen"').replace("order = 1", "order = 0")
    write_system(tmp_path, own, folder="hypervisor")
    assert list(catalogue.load_systems(Paths.of(tmp_path))) == ["rexen", "native"]


def test_the_real_catalogue_is_whole() -> None:
    paths = Paths.of(checkout_root())
    systems, workloads = catalogue.load_systems(paths), catalogue.load_workloads(paths)
    assert {"native", "xen", "fullvirt", "hwvirt", "uml"} <= set(systems)
    assert list(systems) == sorted(systems, key=lambda name: systems[name].order)
    assert len({system.color for system in systems.values()}) == len(systems)
    experiments = catalogue.load_experiments(paths.experiments, workloads)
    rows = [(one.table, row) for one in experiments for row in one.rows if row.paper]
    placed = [(table, row.paper) for table, row in rows if not row.again]
    assert {(table, row.paper) for table, row in rows} == set(placed)
    assert len(placed) == len(set(placed)), "a row of the paper belongs to one metric"
    chosen = {choice.workload for one in experiments for choice in one.cells}
    assert chosen == set(workloads), "no workload that no experiment measures"
    for workload in workloads.values():
        assert set(workload.profiles) == set(PROFILES)


@pytest.mark.parametrize(
    ("asked", "words"),
    [("natvie", "did you mean 'native'?"), ("zzzzzz", "known: native, xen")],
)
def test_an_unknown_name_gets_the_nearest(asked: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        catalogue.choose("system", {"native": 1, "xen": 2}, [asked])


def test_chosen_entries_keep_the_catalogue_order() -> None:
    known = {"native": 1, "xen": 2, "uml": 3}
    assert catalogue.choose("system", known, ["uml", "native", "uml"]) == [1, 3]
    assert catalogue.choose("system", known, []) == [1, 2, 3]


def test_why_a_system_cannot_run_a_workload(tmp_path: Path) -> None:
    write_system(tmp_path, SYSTEM + '\n[unable]\ndemo = "it has no disk"\n')
    (system,) = catalogue.load_systems(Paths.of(tmp_path)).values()
    assert system.unable == {"demo": "it has no disk"}


def test_a_system_without_devices_runs_what_needs_none(tmp_path: Path) -> None:
    write_system(tmp_path, SYSTEM)
    (system,) = catalogue.load_systems(Paths.of(tmp_path)).values()
    demo = a_workload("demo")
    assert system.cannot(replace(demo, needs=("net",))) == "it has no device for 'net'"
    assert system.cannot(demo) == ""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            '[devices.data]\nname = "vda"\nhost_modules = []',
            "devices.data.host_modules': is unknown",
        ),
        ('[devices.data]\nname = "vda"\nhost_name = "a b"', "devices.data.host_name': 'a b' is no"),
        ('[devices.net]\nname = "e0,e1"\nhost_name = "e0"', "devices.net.host_name': 'e0': 'net'"),
        (
            '[devices.root]\nname = "a"\n[devices.data]\nname = "b"\nhost_name = "c"',
            "devices.host_name': must be there for each device, or for none",
        ),
    ],
)
def test_devices_of_a_first_level_are_checked(text: str, error: str, tmp_path: Path) -> None:
    write_system(tmp_path, f'{SYSTEM}\n[devices]\nparts = ["root/prepare.cpio"]\n{text}\n')
    with pytest.raises(ConfigError, match=re.escape(error)):
        catalogue.load_systems(Paths.of(tmp_path))
