"""The promises of ARCHITECTURE.md and of the house style that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HARNESS = ROOT / "harness"
PYTHON_FILE, PYTHON_FUNCTION, C_FILE, C_FUNCTION, README = 500, 80, 600, 100, 40

# Made by a run: a document may speak of it before it is there.
PRODUCTS = ("results/", "reports/")

# Each name may import those before it in its own chain, and what all may import.
SHARED = {"model", "errors", "toml_table", "process", "deadline", "steps", "paths", "hostinfo"}
MEASURING = ["protocol", "catalogue", "images", "plan", "machines", "runner"]
REPORTING = ["store", "analysis", "report"]
# The testbed and the plan are pure declarations, read by their neighbours.
ALLOWED = {("images", "machines.testbed"), ("plan", "machines.testbed"), ("report", "protocol")}


def tracked(*patterns: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listing.stdout.splitlines() if (ROOT / name).exists()]


def imports(file: Path) -> Iterator[str]:
    """Dotted names below `harness` that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("harness"):
            base = (node.module or "").removeprefix("harness").lstrip(".")
            yield from [base] if base else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix("harness.")
                for alias in node.names
                if alias.name.startswith("harness.")
            )


def stage(file: Path) -> str:
    return file.relative_to(HARNESS).parts[0].removesuffix(".py")


def test_the_two_chains_never_import_each_other_or_upwards() -> None:
    wrong = []
    for chain in (MEASURING, REPORTING):
        for file in sorted(HARNESS.rglob("*.py")):
            here = stage(file)
            if here not in chain:
                continue
            below = {*SHARED, *chain[: chain.index(here) + 1]}
            for name in imports(file):
                if name.split(".")[0] not in below and (here, name) not in ALLOWED:
                    wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert not wrong


@pytest.mark.parametrize(
    ("module", "only"),
    [
        ("subprocess", {"process.py"}),
        ("docker", {"images/container.py"}),
        ("qemu.qmp", {"machines/monitor.py"}),
        ("argparse", {"cli.py"}),
    ],
)
def test_one_door_to_the_outside(module: str, only: set[str]) -> None:
    pattern = re.compile(rf"^\s*(from|import) {re.escape(module)}\b", re.M)
    files = (f for f in HARNESS.rglob("*.py") if "tests" not in f.parts)
    found = {str(f.relative_to(HARNESS)) for f in files if pattern.search(f.read_text())}
    assert found == only


def test_sizes_of_python() -> None:
    wrong = []
    for file in tracked("*.py"):
        text = file.read_text()
        if len(text.splitlines()) > PYTHON_FILE:
            wrong.append(f"{file.relative_to(ROOT)}: {len(text.splitlines())} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > PYTHON_FUNCTION:
                    wrong.append(f"{file.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert not wrong


def test_sizes_of_c() -> None:
    wrong = []
    for file in tracked("*.c", "*.S", "*.h"):
        lines = file.read_text().splitlines()
        if len(lines) > C_FILE:
            wrong.append(f"{file.relative_to(ROOT)}: {len(lines)} lines")
        start = 0
        for number, line in enumerate(lines):
            # Kernel style: a function's braces stand in the first column.
            if line == "{":
                start = number
            elif line == "}" and start and file.suffix == ".c":
                if number - start > C_FUNCTION:
                    wrong.append(f"{file.relative_to(ROOT)}:{start}: {number - start} lines")
                start = 0
    assert not wrong


def test_readmes_are_short() -> None:
    long = {
        str(file.relative_to(ROOT)): len(file.read_text().splitlines())
        for file in tracked("*/README.md")
        if len(file.read_text().splitlines()) > README
    }
    assert not long


def test_documents_cite_files_that_exist() -> None:
    cited = re.compile(r"`([\w.-]+(?:/[\w.-]+)+/?|[\w-]+\.(?:py|md|toml))`")
    names = {file.name for file in tracked()}
    wrong = []
    for document in tracked("*.md"):
        for name in cited.findall(document.read_text()):
            if name.startswith(PRODUCTS):
                continue
            place = [
                ROOT / name,
                document.parent / name,
                document.parent.parent / name,
                HARNESS / name,
            ]
            if not any(path.exists() for path in place) and Path(name).name not in names:
                wrong.append(f"{document.relative_to(ROOT)} cites {name}")
    assert not wrong


def test_no_built_file_is_committed() -> None:
    built = (".pyc", ".o", ".elf", ".cpio")
    assert not [file for file in tracked() if file.suffix in built]
