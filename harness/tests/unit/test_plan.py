"""What a cell is: the command line of each system, and what its identity does and does not cover.

The golden files (harness/tests/golden.py) make a change of either show in review.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import catalogue
from harness.errors import BuildError, UsageError
from harness.measure.machines.devices import ROOT_IMAGE
from harness.measure.machines.testbed import (
    EMULATED_PC,
    STARTER,
    boot_argv,
    container_argv,
    joined_files,
    qemu_argv,
    run_words,
)
from harness.measure.plan import Exclusion, Plan, estimate_wall_s, first_guess_s, make_cell, plan
from harness.model.cell import Cell, Coordinates
from harness.model.point import Point
from harness.model.system import Boot, BootModule, Guest, MachineOptions
from harness.paths import Paths, checkout_root
from harness.tests.builders import a_system, a_workload, an_experiment, an_image
from harness.tests.golden import ARGV_DIR, CELL_FILE, a_cell, argv_files, cell_text
from harness.tests.world import world_image

SYSTEMS = catalogue.load_systems(Paths.of(checkout_root()))
REFRESH = "if this change is wanted: python -m harness.tests.golden"


@pytest.mark.parametrize(
    ("file", "text"), list(argv_files()), ids=lambda it: getattr(it, "stem", "")
)
def test_golden_command_line(file: Path, text: str) -> None:
    assert text.splitlines() == file.read_text().splitlines(), REFRESH


def test_golden_files_belong_to_systems() -> None:
    assert set(ARGV_DIR.glob("*.txt")) == {file for file, _ in argv_files()}
    assert set(SYSTEMS) <= {file.stem for file, _ in argv_files()}


def test_devices_are_there_only_where_a_workload_needs_them() -> None:
    """A cell without needs is the cell it was before there were devices."""
    native = SYSTEMS["native"]
    image = world_image(Paths.of(checkout_root()))

    def cell(*needs: str, point: str = "") -> Cell:
        at = Coordinates("native", "controls", "quick", Point.parse(point))
        workload = replace(a_workload("controls"), needs=needs)
        return make_cell(system=native, workload=workload, at=at, image=image)

    none, data, net, root = cell(), cell("data"), cell("net"), cell("root")
    assert (none.run.memory_mib, data.run.memory_mib, root.run.memory_mib) == (512, 640, 512)
    assert "640M" in data.inputs.argv and "512M" in none.inputs.argv
    cards = [it for it in net.inputs.argv if it.startswith("virtio-net")]
    assert len(cards) == 2 and all("tx=timer" in it and "ioeventfd=off" in it for it in cards)
    assert [it for it in data.inputs.argv if "hubport" in it or "nvdimm" in it] == []
    assert ROOT_IMAGE in root.inputs.files and ROOT_IMAGE not in net.inputs.files
    assert set(none.inputs.files) == set(native.boot.of("controls").files)
    files = cell("root", "data", "files")
    assert "rexen.data=nullb0 rexen.files=ext4 " in " ".join(files.inputs.argv)
    slow = cell("data", point="disk=2003")
    assert "rexen.disk=128,5000000,40 " in " ".join(slow.inputs.argv)
    assert "rexen.disk=128,100000,500 " in " ".join(data.inputs.argv)
    assert slow.inputs.params == data.inputs.params, "the program is not told of the disk"
    with pytest.raises(UsageError, match="unknown disk 1999"):
        cell("data", point="disk=1999")


def test_a_system_without_a_needed_device_is_left_out_with_the_reason() -> None:
    needy = replace(a_workload("a"), needs=("data",))
    found = planned(workloads=[needy], experiments=[an_experiment("a")])
    assert {it.reason for it in found.excluded} == {"it has no device for 'data'"}


def test_golden_cell() -> None:
    assert cell_text() == CELL_FILE.read_text(), REFRESH


def test_a_cell_explains_its_identity() -> None:
    """The id in a record can be computed again from the inputs beside it."""
    golden = json.loads(CELL_FILE.read_text())
    assert golden["id"] == a_cell().inputs.identity()
    assert (
        a_cell().id
        == Cell.of(at=Coordinates("x", "y", "full"), run=a_cell().run, inputs=a_cell().inputs).id
    )


def test_identity_covers_all_that_can_change_a_number() -> None:
    system, workload, image = a_system("xen"), a_workload(), an_image()
    changed = {
        "another profile": a_cell(profile="full"),
        "another emulator": a_cell(image=replace(image, emulator="QEMU 10.0 abce")),
        "another workload": a_cell(workload=replace(workload, id="other")),
        "a parameter": a_cell(
            workload=replace(workload, profiles={"quick": {"percent": 101}, "full": {}})
        ),
        "the divisor": a_cell(system=replace(system, guest=Guest(512, 2))),
        "the CPU": a_cell(system=replace(system, machine=MachineOptions("max", 512))),
        "the memory": a_cell(system=replace(system, machine=MachineOptions("qemu64", 513))),
        "a point": a_cell(point=Point.of({"block": 4096})),
        "a perturbation": a_cell(point=Point.of({"perturb": 1})),
        "the boot line": a_cell(system=replace(system, boot=replace(system.boot, append="x"))),
    }
    for name in system.boot.files:
        files = {**image.files, name: "f" * 64}
        changed[f"file {name}"] = a_cell(image=replace(image, files=files))
    identities = {what: cell.id for what, cell in changed.items()} | {"none": a_cell().id}
    assert len(set(identities.values())) == len(identities), identities


def test_identity_covers_nothing_else() -> None:
    """Names for people, limits, tags and files that are not booted change no number."""
    system, workload, image = a_system("xen"), a_workload(), an_image()
    alike = {
        "titles": a_cell(system=replace(system, title="X", summary="Y", color="#000000", order=9)),
        "a system's name": a_cell(system=replace(system, id="xen2")),
        "limits": a_cell(system=a_system("xen", wall_s=1.0, virtual_s=1.0)),
        "a metric's title": a_cell(workload=replace(workload, title="T", metrics=())),
        "the profile's name": a_cell(
            workload=replace(
                workload,
                profiles={"night": {"percent": 100}},
                limits={"night": workload.limits["full"]},
            ),
            profile="night",
        ),
        "the image's tag": a_cell(image=replace(image, tag="rexen:4567")),
        "what differs from the lock": a_cell(image=replace(image, differs=("gcc",))),
        "a file not booted": a_cell(image=replace(image, files={**image.files, "uml/linux": "0"})),
        "the order of files": a_cell(
            image=replace(image, files=dict(reversed(list(image.files.items()))))
        ),
    }
    assert {what for what, cell in alike.items() if cell.id != a_cell().id} == set()


def test_a_file_the_image_lacks_is_named() -> None:
    image = replace(an_image(), files={})
    with pytest.raises(BuildError, match="'xen' boots kernel/cloud/vmlinux, which rexen:0123"):
        a_cell(image=image)


def planned(**changes: Any) -> Plan:  # noqa: ANN401 the arguments of plan()
    parts: dict[str, Any] = {
        "experiments": [an_experiment("a"), an_experiment("b")],
        "systems": [a_system("native", wall_s=1), a_system("xen", wall_s=9)],
        "workloads": [a_workload("a"), a_workload("b"), a_workload("c")],
        "profile": "quick",
        "image": an_image(),
    }
    return plan(**{**parts, **changes})


def names(plan: Plan) -> list[str]:
    return [str(cell.at) for cell in plan.cells]


def test_the_plan_is_the_union_of_what_experiments_choose() -> None:
    both = planned(experiments=[an_experiment("a"), an_experiment("a", systems=["xen"])])
    assert sorted(names(both)) == ["a on native", "a on xen"]
    assert sorted(names(planned(experiments=[an_experiment("b", systems=["xen"])]))) == ["b on xen"]
    assert names(planned(experiments=[])) == []
    only = planned(workloads=[a_workload("b")])
    assert sorted(names(only)) == ["b on native", "b on xen"], "what is left out is not chosen"


def test_slow_systems_come_first_and_the_rest_is_shuffled_the_same_way() -> None:
    experiments = [an_experiment(name) for name in "abcdefgh"]
    workloads = [a_workload(name) for name in "abcdefgh"]
    once, twice, reverse = (
        names(planned(experiments=them, workloads=workloads))
        for them in (experiments, experiments, experiments[::-1])
    )
    assert once == twice == reverse, "a fixed seed, whatever the order of the files"
    assert [name.split()[-1] for name in once] == ["xen"] * 8 + ["native"] * 8
    assert once[:8] != sorted(once[:8])


def test_a_point_is_a_cell_of_its_own() -> None:
    series = planned(experiments=[an_experiment("a", blocks=[512, 4096], systems=["native"])])
    assert sorted(names(series)) == ["a on native at block=4096", "a on native at block=512"]
    by_name = {str(cell.at.point): cell for cell in series.cells}
    assert by_name["block=512"].inputs.params == {"percent": 100, "block": 512, "divide": 1}
    assert "rexen.run=a,block=512,divide=1,percent=100" in " ".join(
        by_name["block=512"].inputs.argv
    )


def test_perturbations_stand_beside_the_unperturbed_cell() -> None:
    experiments = [an_experiment("a", systems=["native"], perturb=2)]
    default, none, more = (
        planned(experiments=experiments, perturb=count) for count in (None, 0, 3)
    )
    assert sorted(names(default)) == [
        "a on native",
        "a on native at perturb=1",
        "a on native at perturb=2",
    ]
    assert (len(none.cells), len(more.cells)) == (1, 4)
    argv = {cell.at.point.perturb: " ".join(cell.inputs.argv) for cell in default.cells}
    assert "rexen.perturb=2" in argv[2] and "perturb" not in argv[0]
    params = {tuple(cell.inputs.params.items()) for cell in default.cells}
    assert len(params) == 1, "the program does not know of it"


def test_a_system_that_cannot_run_a_workload_says_why() -> None:
    lame = replace(a_system("xen"), unable={"a": "it has no disk"})
    found = planned(systems=[a_system("native"), lame])
    assert sorted(names(found)) == ["a on native", "b on native", "b on xen"]
    assert found.excluded == (Exclusion("xen", "a", "it has no disk"),)


def test_a_cell_is_enough_to_run() -> None:
    cell = a_cell(system=a_system("xen", wall_s=5, virtual_s=60))
    assert cell.run.memory_mib == 512 and cell.run.metrics == ("null_call",)
    assert (cell.run.boot.wall_s, cell.run.total.wall_s) == (5, 305)
    assert (cell.run.boot.virtual_s, cell.run.total.virtual_s) == (60, 120)


def test_estimates() -> None:
    cells = planned(systems=[a_system()]).cells
    seen = {("a", "native"): 10.0, ("b", "native"): 40.0}
    assert estimate_wall_s(cells, seen, 1) == 50
    assert estimate_wall_s(cells, seen, 2) == 25
    assert estimate_wall_s(cells, seen, 64) == 25, "two cells use two cores"
    assert estimate_wall_s([], seen, 2) == 0


def test_commas_in_a_module_are_doubled_for_qemu() -> None:
    modules = (BootModule(("k",), "console=hvc0 {run}"), BootModule(("root",), ""))
    boot = Boot(kernel="xen", append="", initrd=(), modules=modules)
    assert boot_argv(boot, run_words("demo", {"reps": 1, "percent": 5})) == [
        *("-kernel", "/opt/rexen/xen"),
        "-initrd",
        "/opt/rexen/k console=hvc0 rexen.run=demo,,percent=5,,reps=1,/opt/rexen/root",
    ]


def test_what_is_loaded_is_joined_of_its_parts() -> None:
    """One part is loaded as it is; several become a file of the container's own."""
    parts = ("root/base.cpio", "root/work/{workload}.cpio")
    linux = Boot(kernel="k", append="{run}", initrd=parts, modules=()).of("demo")
    assert linux.files == ("k", "root/base.cpio", "root/work/demo.cpio")
    argv = container_argv(EMULATED_PC, replace(a_system(), boot=linux), "x")
    joined = "/tmp/joined-0=/opt/rexen/root/base.cpio+/opt/rexen/root/work/demo.cpio"
    assert argv[:4] == [STARTER, joined, "--", "qemu-system-x86_64"]
    assert argv[-2:] == ["-initrd", "/tmp/joined-0"]

    modules = (BootModule(("k",), "{run}"), BootModule(parts, ""))
    xen = Boot(kernel="xen", append="", initrd=(), modules=modules).of("demo")
    assert list(joined_files(xen)) == ["/tmp/joined-1"]
    assert boot_argv(xen, "x")[-1] == "/opt/rexen/k x,/tmp/joined-1"
    assert xen.files == ("xen", "k", "root/base.cpio", "root/work/demo.cpio")


def test_a_person_at_the_console_gets_no_workload() -> None:
    parts = ("root/base.cpio", "root/work/{workload}.cpio")
    boot = Boot(kernel="k", append="{run}", initrd=parts, modules=()).of("")
    assert boot.files == ("k", "root/base.cpio")
    assert boot_argv(boot, "rexen.shell")[-1] == "/opt/rexen/root/base.cpio"


def test_a_cell_depends_on_its_own_workload_alone() -> None:
    """Editing one workload must not measure the others again."""
    system = SYSTEMS["native"]
    workloads = [a_workload("one"), a_workload("two")]
    names = {name for it in workloads for name in system.boot.of(it.id).files}
    files = {name: "0" * 64 for name in names}
    image = replace(an_image(), files=files)
    edited = replace(image, files={**files, "root/work/two.cpio": "1" * 64})
    experiments = [an_experiment("one"), an_experiment("two")]
    before, after = (
        {
            cell.at.workload: cell.id
            for cell in planned(
                experiments=experiments, systems=[system], workloads=workloads, image=it
            ).cells
        }
        for it in (image, edited)
    )
    assert before["one"] == after["one"]
    assert before["two"] != after["two"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_boots_the_workload_in_parts(name: str) -> None:
    """The part of the base is in every cell, the workload's in its own, and both are in order."""
    files = SYSTEMS[name].boot.of("demo").files
    assert files.index("root/base.cpio") < min(
        place for place, file in enumerate(files) if file.endswith("/demo.cpio")
    )


def test_the_machine_starts_stopped_and_records_its_console() -> None:
    argv = qemu_argv(EMULATED_PC, a_system(), "x")
    assert container_argv(EMULATED_PC, a_system(), "x") == [STARTER, "--", *argv]
    assert "-S" in argv
    assert argv[argv.index("-serial") + 1] == "file:/cell/console"
    other = qemu_argv(EMULATED_PC, a_system(), "x", serial="unix:/cell/terminal")
    assert [word for word in argv if word not in other] == ["file:/cell/console"]


def test_a_slow_system_is_guessed_to_be_slow() -> None:
    systems = [a_system("native", wall_s=120), a_system("slow", wall_s=1200)]
    guess = first_guess_s(systems, [a_workload()])
    assert guess == {("demo", "native"): 12, ("demo", "slow"): 120}
