# SPDX-License-Identifier: MIT
"""Judges the hypervisor's tree: sizes, layers, headers, documents, format. Prints what is wrong."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["lib", "cpu", "dev", "mm", "drivers", "domain", "pv", "io", "boot"]
# Headers without a .c file of their name: all layers may use them.
FREE_HEADERS = {"types", "public", "asm", "processor"}
MAX_FILE, MAX_FUNCTION, MAX_README = 600, 100, 40
# Lines of code: of all, and of what is left without drivers and back ends, the paravirtual core.
MAX_TOTAL, MAX_CORE, NOT_CORE = 12_000, 9_000, {"drivers", "io"}
# A string, a character, or a comment; a string may hold what looks like a comment.
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|/\*.*?\*/|//[^\n]*', re.S)


def sources() -> list[Path]:
    """Every C and assembly file of the hypervisor itself."""
    files = [p for layer in LAYERS for p in (ROOT / layer).glob("*") if p.suffix in {".c", ".S"}]
    files += [*ROOT.glob("include/**/*.h"), *ROOT.glob("include/*.def")]
    return sorted([*files, ROOT / "asm-offsets.c", ROOT / "hypervisor.lds.S"])


def tests() -> list[Path]:
    """C and assembly of the tests, which keep the same format."""
    return sorted(p for p in (ROOT / "tests").rglob("*") if p.suffix in {".c", ".h", ".S"})


def count_code(text: str) -> int:
    """Lines with something beside comments and white space."""
    bare = TOKEN.sub(lambda it: "\n" * it[0].count("\n") if it[0][0] == "/" else it[0], text)
    return sum(1 for line in bare.splitlines() if line.strip())


def budget(files: list[Path]) -> list[str]:
    """Ceilings of the whole and of the core. A header counts with the .c file of its name."""
    owner, total, core = layer_of_header(), 0, 0
    for path in files:
        code = count_code(path.read_text())
        header = path.suffix == ".h" and path.stem in owner
        total += code
        if (LAYERS[owner[path.stem]] if header else path.parent.name) not in NOT_CORE:
            core += code
    print(f"  CODE    {total} lines of {MAX_TOTAL}, the core {core} of {MAX_CORE}")
    counts = [("in all", total, MAX_TOTAL), ("in the core", core, MAX_CORE)]
    return [f"{n} lines of code {of}, the ceiling is {top}" for of, n, top in counts if n > top]


def sizes(files: list[Path]) -> list[str]:
    """Ceilings of files and functions."""
    found = []
    for path in files:
        lines = path.read_text().splitlines()
        if len(lines) > MAX_FILE:
            found.append(f"{path.relative_to(ROOT)}: {len(lines)} lines")
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start is not None:
                if number - start > MAX_FUNCTION:
                    found.append(f"{path.relative_to(ROOT)}:{start}: function too long")
                start = None
    return found


def layer_of_header() -> dict[str, int]:
    """Which layer a private header belongs to: that of the .c file with its name."""
    return {
        path.stem: number
        for number, layer in enumerate(LAYERS)
        for path in (ROOT / layer).glob("*.c")
    }


def layers() -> list[str]:
    """No file includes a header of a higher layer; every header has its .c file."""
    owner, found = layer_of_header(), []
    for number, layer in enumerate(LAYERS):
        for path in (ROOT / layer).glob("*.[cS]"):
            for name in re.findall(r"#include <hv/(\w+)\.h>", path.read_text()):
                if owner.get(name, 0) > number:
                    found.append(f"{layer}/{path.name} includes {name}.h of {LAYERS[owner[name]]}")
    for path in (ROOT / "include/hv").glob("*.h"):
        if path.stem not in owner and path.stem not in FREE_HEADERS:
            found.append(f"{path.name} belongs to no .c file")
    return found


def heads(files: list[Path]) -> list[str]:
    """The licence line comes first."""
    return [f"{p.name}: no SPDX line" for p in files if "SPDX" not in p.read_text()[:40]]


def documents() -> list[str]:
    """abi.md lists exactly the calls of hypercalls.def; what a document cites exists."""
    calls = (ROOT / "include/hypercalls.def").read_text()
    listed = re.findall(r"^HYPERCALL\(__HYPERVISOR_(\w+)", calls, re.M)
    described = re.findall(r"^### (\w+) \(\d+\)", (ROOT / "doc/abi.md").read_text(), re.M)
    found = [f"abi.md does not describe {n}" for n in listed if n not in described]
    found += [f"abi.md describes {n}, which we do not answer" for n in described if n not in listed]
    for doc in [*ROOT.glob("doc/*.md"), ROOT / "README.md"]:
        for cited in re.findall(r"`((?:[\w-]+/)+[\w.-]+\.\w+)`", doc.read_text()):
            if not (ROOT / cited).exists():
                found.append(f"{doc.name} cites {cited}, which does not exist")
    if len((ROOT / "README.md").read_text().splitlines()) > MAX_README:
        found.append(f"README.md is longer than {MAX_README} lines")
    return found


def formatting(files: list[Path]) -> list[str]:
    """What clang-format would change; says so where it is not installed."""
    if not shutil.which("clang-format"):
        print("  FORMAT  not checked: no clang-format here")
        return []
    names = [str(p) for p in files if p.suffix in {".c", ".h"}]
    done = subprocess.run(
        ["clang-format", "--dry-run", *names], capture_output=True, text=True, check=False
    )
    warnings = [line for line in done.stderr.splitlines() if ": warning:" in line]
    return sorted({line.split(": ")[0] + ": format" for line in warnings})


def main() -> int:
    """Prints every finding; the exit status says whether there was one."""
    files = sources()
    found = sizes(files) + budget(files) + layers() + heads(files + tests()) + documents()
    found += formatting(files + tests())
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
