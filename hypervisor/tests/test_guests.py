# SPDX-License-Identifier: MIT
"""Boots the test guests on the emulated machine and reads their result words.

A guest passes only if it prints RESULT SUCCESS, the machine ends with the status that belongs to
its kind, and every frame has come back. Runs in the checks image, which has QEMU, gcc, make, the
libxen-dev headers, a stock kernel and a guest root; REXEN_TEST_KERNEL and REXEN_TEST_RAMDISK name
others. What is missing is a failure, never a skip.
"""

import os
import random
import re
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from by_hand import rexen_argv

pytestmark = pytest.mark.guest
TESTS = Path(__file__).resolve().parent
HYPERVISOR = TESTS.parent
# Elsewhere when the checkout is mounted read-only, as in the checks image.
BUILD = Path(os.environ.get("REXEN_TEST_BUILD", HYPERVISOR / "build")).resolve()
GUESTS = sorted(p.parent.name for p in (TESTS / "guest").glob("*/main.c"))
CRASHING = [name for name in GUESTS if name.startswith("crash-")]
PASSING = [name for name in GUESTS if name not in CRASHING]

# isa-debug-exit: status = 2 * value + 1; the values are in include/hv/traps.h.
CLEAN, GUEST_FAILED, REFUSED = 33, 35, 37
DEADLINE_S = 180


# Two network cards on one wire, for the guests whose names say that they want them, and the fuzzer.
CARDS = tuple(
    word
    for number in (0, 1)
    for word in (
        "-netdev",
        f"hubport,id=h{number},hubid=0",
        "-device",
        f"virtio-net-pci,netdev=h{number},tx=timer,ioeventfd=off,romfile=",
    )
)
# A data disk, likewise for the guests named disk- and the fuzzer.
DISK = " disk.mb=8 disk.ns=100000"


@dataclass(frozen=True, slots=True)
class Run:
    """What one machine did: its exit status and its console."""

    status: int
    console: str


def run(
    tmp_path: Path,
    modules: list[str],
    *,
    options: str = "loglvl=info",
    memory_mb: int = 64,
    extra: tuple[str, ...] = (),
    elf: Path = BUILD / "rexen.elf",
) -> Run:
    """Runs the machine to its end; `extra` are further arguments of QEMU."""
    console = tmp_path / "console"
    names = [Path(it).name for it in modules]
    if any(it.startswith(("disk-", "fuzz")) for it in names) and "disk." not in options:
        options += DISK
    argv = rexen_argv(
        elf,
        modules=modules,
        options=options,
        memory_mib=memory_mb,
        serial=f"file:{console}",
    )
    argv += CARDS if any(it.startswith(("net-", "fuzz")) for it in names) else ()
    argv += extra
    done = subprocess.run(argv, timeout=DEADLINE_S, check=False, stdin=subprocess.DEVNULL)
    text = console.read_text(errors="replace").replace("\r", "")
    return Run(status=done.returncode, console=text)


def guest(name: str) -> str:
    """The image of a test guest."""
    return str(BUILD / "guest" / f"{name}.elf")


def lines_of(console: str, prefix: str) -> list[str]:
    """One domain's lines, without its prefix; without the hypervisor's own."""
    lines = [line for line in console.splitlines() if not line.startswith("(rexen)")]
    return [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]


def assert_frames_returned(console: str) -> None:
    """Free frames after the domain equal those before it, and no reference is left."""
    assert "references left" not in console
    balance = re.findall(r"free frames (\d+), before it was made (\d+)", console)
    assert balance, "no balance of frames was printed"
    assert all(after == before for after, before in balance)


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """Builds hypervisor and guests once."""
    subprocess.run(["make", "-C", str(HYPERVISOR), "all", f"BUILD={BUILD}"], check=True)
    subprocess.run(["make", "-C", str(TESTS / "guest"), f"BUILD={BUILD / 'guest'}"], check=True)


@pytest.mark.parametrize("name", PASSING)
def test_guest(tmp_path: Path, name: str) -> None:
    """The guest says SUCCESS, ends cleanly, and leaves nothing behind."""
    done = run(tmp_path, [guest(name)])
    assert "RESULT SUCCESS" in done.console.splitlines(), done.console
    assert "hypervisor died" not in done.console
    assert done.status == CLEAN
    assert_frames_returned(done.console)


@pytest.mark.parametrize("name", CRASHING)
def test_crashing_guest(tmp_path: Path, name: str) -> None:
    """The guest is reported with a reason and registers, and ends alone."""
    done = run(tmp_path, [guest(name)])
    assert re.search(r"\(rexen\) d1 crashed: \S+", done.console), done.console
    assert re.search(r"\(rexen\) rip [0-9a-f]{4}:[0-9a-f]{16}", done.console)
    assert "RESULT" not in done.console
    assert done.status == GUEST_FAILED
    assert_frames_returned(done.console)


def test_fuzz_is_complete_and_repeatable(tmp_path: Path) -> None:
    """A million calls were made, the back ends worked, and a second run prints the same."""
    first = run(tmp_path, [guest("fuzz")])
    second = run(tmp_path, [guest("fuzz")])
    assert "fuzz: 1000000 calls" in first.console
    counts = re.findall(r"^fuzz: (\d+) (?:answers|pages).*$", first.console, re.M)
    assert len(counts) == 2 and all(int(n) > 100 for n in counts), first.console
    assert first == second


@pytest.mark.parametrize("seed", range(1, 4))
def test_fuzz_with_other_seeds(tmp_path: Path, seed: int) -> None:
    """Whatever a guest calls, and puts in its rings: it alone has to bear it."""
    done = run(tmp_path, [f"{guest('fuzz')} seed={seed}"])
    assert f"fuzz: seed {seed}" in done.console
    assert "fuzz: 1000000 calls" in done.console, done.console
    assert done.status == CLEAN
    assert_frames_returned(done.console)


def garbage_ram(tmp_path: Path, memory_mb: int) -> tuple[str, ...]:
    """Arguments that fill the machine's RAM with the same random bytes each time."""
    content = tmp_path / "ram"
    content.write_bytes(random.Random(2003).randbytes(1 << 20) * memory_mb)
    backend = f"memory-backend-file,id=ram,size={memory_mb}M,mem-path={content},share=off"
    return ("-object", backend, "-machine", "memory-backend=ram")


@pytest.mark.parametrize("name", ["clear", "fuzz"])
def test_ram_is_garbage_at_power_on(tmp_path: Path, name: str) -> None:
    """Nothing of ours, and no guest, relies on RAM being clear when the machine starts."""
    done = run(tmp_path, [guest(name)], extra=garbage_ram(tmp_path, 64))
    assert "RESULT SUCCESS" in done.console.splitlines(), done.console
    assert done.status == CLEAN
    assert_frames_returned(done.console)


SLICE_NS = 5_000_000
# What a neighbour may have to wait beyond the slices of the others.
GRACE_NS = 1_000_000


def steady_lines(console: str, prefix: str) -> tuple[list[str], int]:
    """What the steady guest prints whatever happens, and its longest gap in virtual ns."""
    lines = lines_of(console, prefix)
    gaps = [line for line in lines if line.startswith("longest gap ")]
    assert len(gaps) == 1, console
    lines.remove(gaps[0])
    return lines, int(gaps[0].split()[2])


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], list[str]]:
    """What the steady guest prints in so many rounds when it is alone."""

    @cache
    def alone(rounds: int) -> list[str]:
        done = run(tmp_path_factory.mktemp("alone"), [f"{guest('steady')} rounds={rounds}"])
        lines, gap = steady_lines(done.console, "")
        assert gap < GRACE_NS
        return lines

    return alone


# Attackers that need memory and time: MB of the machine, and rounds of the steady guest, which has
# to live longer than they take to live and to be buried.
LARGE = {"many-pins": (160, 250), "extents": (320, 120)}


@pytest.mark.parametrize("attacker", [name for name in GUESTS if name != "steady"])
def test_neighbour_is_undisturbed(
    tmp_path: Path, undisturbed: Callable[[int], list[str]], attacker: str
) -> None:
    """The steady guest's output does not depend on who runs beside it, nor is it kept waiting."""
    memory_mb, rounds = LARGE.get(attacker, (64, 40))
    options = "loglvl=info" + (" dom1.mem=16" if attacker in LARGE else "")
    modules = [f"{guest('steady')} rounds={rounds}", guest(attacker)]
    done = run(tmp_path, modules, options=options, memory_mb=memory_mb)
    assert "hypervisor died" not in done.console
    assert "references left" not in done.console
    lines, gap = steady_lines(done.console, "(d1) ")
    assert lines == undisturbed(rounds)
    assert gap <= SLICE_NS + GRACE_NS
    if attacker in LARGE:
        assert "RESULT SUCCESS" in lines_of(done.console, "(d2) ")
        assert done.console.index("d2: ended by") < done.console.index("d1: ended by")


@pytest.mark.parametrize("neighbour", [False, True])
def test_long_output_is_complete(tmp_path: Path, neighbour: bool) -> None:
    """Every line is there once and in order, though the calls that print are interrupted."""
    others = [guest("steady")] if neighbour else []
    done = run(tmp_path, [guest("long-output"), *others], options="loglvl=info slice_us=100")
    lines = lines_of(done.console, "(d1) " if neighbour else "")
    printed = [line[:14] for line in lines if line.startswith("line")]
    assert printed == [f"line.{call:04}/{i:04}" for call in range(20) for i in range(256)]


def test_processor_with_smep(tmp_path: Path) -> None:
    """It is turned on where there is one, SMAP is not, and nothing of ours minds."""
    extra = ("-cpu", "qemu64,+smep,+smap")  # the last one counts
    done = run(tmp_path, [guest("traps"), guest("user")], extra=extra)
    assert "(rexen) processor: cr4 100620, SMEP on" in done.console
    assert done.console.count("RESULT SUCCESS") == 2, done.console
    assert done.status == CLEAN


def test_debug_status_is_its_own(tmp_path: Path) -> None:
    """What one domain's debug exceptions left in the processor is not seen by the next."""
    done = run(tmp_path, [guest("traps"), guest("debug-status")])
    assert done.status == CLEAN, done.console
    assert "RESULT SUCCESS" in lines_of(done.console, "(d2) "), done.console


def test_good_network_beside_hostile_ones(tmp_path: Path) -> None:
    """Two front ends that break every rule: the third one's packets arrive as they were sent."""
    names = ["net-front", "net-hostile", "net-hostile"]
    done = run(tmp_path, [guest(n) for n in names], options="loglvl=info stats", memory_mb=128)
    assert done.status == CLEAN, done.console
    for number in (1, 2, 3):
        assert "RESULT SUCCESS" in lines_of(done.console, f"(d{number}) "), done.console
    assert re.search(r"d1: interface 1: sent 0, received 30, ", done.console)


def test_guest_without_front_end(tmp_path: Path) -> None:
    """Its interfaces wait: no line speaks of them, nothing reaches them, the other's work."""
    done = run(tmp_path, [guest("net-front"), guest("steady")], options="loglvl=info stats")
    assert done.status == CLEAN, done.console
    assert "RESULT SUCCESS" in lines_of(done.console, "(d1) "), done.console
    assert re.search(r"d1: interface 1: sent 0, received 30, ", done.console)
    counts = re.findall(r"^\(rexen\) d2: interface (\d): (.*)$", done.console, re.M)
    nothing = (
        "sent 0, received 0, no buffer 0, refused 0, spoofed 0, malformed 0, dropped by rules 0"
    )
    assert counts == [("0", nothing), ("1", nothing)]
    assert "is closed" not in done.console


@pytest.mark.parametrize("die", [0, 1])
@pytest.mark.parametrize("keep", [0, 1])
def test_grants_between_domains(tmp_path: Path, die: int, keep: int) -> None:
    """Mapped pages are given back once; their owner is not buried before, if it ends meanwhile."""
    modules = [f"{guest('grants')} lend=2 die={die}", f"{guest('grants')} map=1 keep={keep}"]
    done = run(tmp_path, modules)
    for number in (1, 2):
        assert "RESULT SUCCESS" in lines_of(done.console, f"(d{number}) "), done.console
    assert done.status == CLEAN, done.console
    assert "references left" not in done.console
    end_of_lender = done.console.index("d1: ended by poweroff")
    assert end_of_lender > done.console.index("(d2) lets go")


def test_rules_and_credit_of_an_interface(tmp_path: Path) -> None:
    """A rule that matches nothing of its packets counts none of them, and lets them pass."""
    options = (
        "loglvl=info stats vif1.0.rule=count,tcp,out vif1.0.rule=drop,udp vif1.0.credit=3000/500"
    )
    done = run(tmp_path, [guest("net-front")], options=options)
    assert "RESULT SUCCESS" in done.console.splitlines(), done.console
    assert "interface 0: rule 1 matched 2\n" in done.console
    assert "interface 0: rule 2 matched 0\n" in done.console


def test_many_domains_die_while_others_run(tmp_path: Path) -> None:
    """Five domains with short slices: two crash at once, one storms; all come to their end."""
    names = ["steady", "storm", "preempt", "crash-recursion", "crash-stack"]
    done = run(
        tmp_path, [guest(n) for n in names], options="loglvl=info slice_us=700", memory_mb=256
    )
    assert "hypervisor died" not in done.console
    assert len(re.findall(r"d\d: ended by poweroff", done.console)) == 3
    assert len(re.findall(r"d\d: ended by crash", done.console)) == 2
    for number in (1, 2):  # the third measures its own time, which is not its own here
        assert "RESULT SUCCESS" in lines_of(done.console, f"(d{number}) ")


REFUSALS = {
    "no module": ([], "", "no module"),
    "unknown option": (["GUEST"], "loglvl=info frobnicate", "frobnicate: unknown"),
    "bad number": (["GUEST"], "dom1.mem=many", "dom1.mem=many: unknown or malformed"),
    "no such domain": (["GUEST"], "dom2.mem=16", "there is no such domain"),
    "too little memory": (["GUEST"], "dom1.mem=1", "too little memory"),
    "more than there is": (["GUEST"], "dom1.mem=4096", "more memory than the machine has"),
    "bad rule": (["GUEST"], "vif1.0.rule=drop,otu", 'vif1.0.rule=drop,otu, at "otu"'),
    "bad credit": (["GUEST"], "vif1.0.credit=0/100", 'at "/100"'),
    "no such interface": (["GUEST"], "vif1.0.ip=10.0.0.1", "vif1.0: there is no such interface"),
    "address twice": (
        ["NET"] * 2,
        "vif1.0.mac=00:16:3e:00:00:01 vif2.0.mac=00:16:3e:00:00:01",
        "vif2.0: its address is another",
    ),
    "interface twice": (
        ["NET"],
        "vif1.0.mac=00:16:3e:00:00:01 vif1.0.mac=00:16:3e:00:00:02",
        "vif1.0: its mac, ip or credit is given twice",
    ),
    "address taken": (["NET"] * 2, "vif2.1.mac=00:16:3e:00:01:01", "vif2.1: its address is an"),
    "speed of no disk": (["GUEST"], "disk.ns=5", "disk: a speed or parts, but no disk.mb="),
    "disk too large": (["GUEST"], "disk.mb=4096", "disk.mb: more memory than the machine has"),
    "disk in too many parts": (
        ["GUEST"],
        "disk.mb=1 disk.parts=257",
        "disk.parts: more parts than the disk has pages",
    ),
    "root in RAM": (["GUEST"], "root=0x200000,4096", "root= does not begin above the RAM"),
    "root cut off": (["GUEST"], "root=0x100000000", "root=0x100000000: unknown or malformed"),
    "two ramdisks": (["GUEST", "TEXT", "TEXT"], "", "a module too many"),
    "too many modules": (["GUEST"] * 17, "", "too many modules"),
    "ramdisk first": (["TEXT"], "", "first module must be a kernel"),
    "no notes": (["PLAIN"], "", "no Xen notes"),
    "truncated": (["SHORT"], "", "truncated"),
    "compressed": (["BZIMAGE"], "", "bzImage"),
    "linked elsewhere": (["MISPLACED"], "", "entry point lies outside"),
}


def make_modules(tmp_path: Path) -> dict[str, str]:
    """Good and bad module files by the names that REFUSALS uses."""
    image = Path(guest("steady")).read_bytes()
    bzimage = bytearray(4096)
    bzimage[0x202:0x206] = b"HdrS"
    virt_base = struct.pack("<III4s", 4, 8, 3, b"Xen\0")
    assert virt_base in image
    files = {
        "TEXT": b"not a kernel\n",
        "PLAIN": image.replace(b"Xen\0", b"Nex\0"),
        "MISPLACED": image.replace(virt_base, struct.pack("<III4s", 4, 8, 99, b"Xen\0")),
        "SHORT": image[: len(image) // 4],
        "BZIMAGE": bytes(bzimage),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return {"GUEST": guest("steady"), "NET": guest("net-front")} | {
        name: str(tmp_path / name) for name in files
    }


@pytest.mark.parametrize("case", sorted(REFUSALS))
def test_bad_input_is_refused(tmp_path: Path, case: str) -> None:
    """One line names the cause, and no guest runs."""
    modules, options, cause = REFUSALS[case]
    files = make_modules(tmp_path)
    done = run(tmp_path, [files[m] for m in modules], options=options)
    refused = [line for line in done.console.splitlines() if "refused:" in line]
    assert len(refused) == 1 and cause in refused[0], done.console
    assert done.status == REFUSED
    assert "round" not in done.console


@pytest.mark.parametrize("name", ["notes-few", "notes-offset", "notes-legacy"])
def test_ramdisk_reaches_a_guest(tmp_path: Path, name: str) -> None:
    """Mapped or not, as the kernel's notes ask: whole pages and the rest, byte by byte."""
    content = bytes(i * 7 % 251 for i in range(3 * 4096 + 1234))
    (tmp_path / "ramdisk").write_bytes(content)
    done = run(tmp_path, [guest(name), str(tmp_path / "ramdisk")])
    expected = 0
    for byte in content:
        expected = (expected * 31 + byte) % 2**64
    lines = lines_of(done.console, "")
    assert f"ramdisk of {len(content)} bytes, sum {expected:x}" in lines, done.console
    assert "RESULT SUCCESS" in lines, done.console
    assert done.status == CLEAN
    assert_frames_returned(done.console)


def test_debug_build_says_where_errors_are_born(tmp_path: Path) -> None:
    """With DEBUG=1 each refusal names its file and line; the guest sees no difference."""
    build = tmp_path / "debug"
    argv = ["make", "-C", str(HYPERVISOR), "all", f"BUILD={build}", "DEBUG=1"]
    subprocess.run(argv, check=True)
    done = run(tmp_path, [guest("memory")], options="loglvl=debug", elf=build / "rexen.elf")
    assert done.status == CLEAN, done.console
    assert re.search(r"\(rexen\) error -1 at pv/memory_op\.c:\d+", done.console), done.console
    assert " at pv/" not in run(tmp_path, [guest("memory")], options="loglvl=debug").console


def test_state_of_a_domain_is_small(tmp_path: Path) -> None:
    """Less than 64 KiB per idle domain, and it is printed."""
    done = run(tmp_path, [guest("traps")])
    match = re.search(r"state of the domain itself (\d+) bytes", done.console)
    assert match and int(match[1]) < 64 * 1024


KERNEL = os.environ.get("REXEN_TEST_KERNEL", "/opt/rexen/kernel/cloud/vmlinux")
RAMDISK = os.environ.get("REXEN_TEST_RAMDISK", "/opt/rexen/root/guest.cpio")
CMDLINE = (
    "console=hvc0 quiet panic=-1 cryptomgr.notests mitigations=off noreplace-smp "
    "rexen.run=controls,percent=5"
)


def test_stock_kernel_on_garbage(tmp_path: Path) -> None:
    """A stock guest runs on RAM that was not clear at power-on."""
    extra = garbage_ram(tmp_path, 256)
    done = run(tmp_path, [f"{KERNEL} {CMDLINE}", RAMDISK], memory_mb=256, extra=extra)
    assert done.status == CLEAN, done.console
    assert "@rexen end 0 " in done.console


@pytest.mark.parametrize("count", [1, 2])
def test_stock_kernel(tmp_path: Path, count: int) -> None:
    """One and two stock guests run a workload of the guest root to its end line and power off."""
    modules = [f"{KERNEL} {CMDLINE}", RAMDISK] * count
    done = run(tmp_path, modules, memory_mb=512)
    assert done.status == CLEAN, done.console
    for number in range(1, count + 1):
        prefix = f"(d{number}) " if count > 1 else ""
        lines = lines_of(done.console, prefix)
        assert [line for line in lines if line.startswith("@rexen end 0 ")], done.console


def ramdisk_of(tmp_path: Path, source: str, files: Mapping[str, bytes] | None = None) -> str:
    """An archive with one static program, as /init, and further files beside it."""
    tree = tmp_path / "tree"
    tree.mkdir()
    argv = ["gcc", "-O1", "-Wall", "-Werror", "-static", "-o", tree / "init", TESTS / source]
    subprocess.run(argv, check=True)
    for name, content in (files or {}).items():
        (tree / name).write_bytes(content)
    listing = "".join(f"{name}\n" for name in ("init", *(files or {}))).encode()
    done = subprocess.run(
        ["cpio", "-o", "-H", "newc"], input=listing, cwd=tree, capture_output=True, check=True
    )
    (tmp_path / "ramdisk").write_bytes(done.stdout)
    return str(tmp_path / "ramdisk")


def test_debugger_in_a_stock_guest(tmp_path: Path) -> None:
    """Hardware breakpoints of ptrace stop a program; ioperm and iopl open ports."""
    kernel = f"{KERNEL} console=hvc0 quiet panic=-1 noreplace-smp"
    done = run(tmp_path, [kernel, ramdisk_of(tmp_path, "stock/debugger.c")], memory_mb=256)
    assert "RESULT SUCCESS" in done.console.splitlines(), done.console
    assert done.status == CLEAN
