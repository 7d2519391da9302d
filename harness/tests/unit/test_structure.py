"""The promises of ARCHITECTURE.md and of the house style that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HARNESS = ROOT / "harness"
PYTHON_FILE, PYTHON_FUNCTION, C_FILE, C_FUNCTION, README = 500, 80, 600, 100, 40

# Made by a run: a document may speak of it before it is there.
PRODUCTS = ("results/", "reports/")

# What each part may import beside itself: the two halves, measuring and reporting, never meet but
# in `cli`. Inside `measure` the order is the pipeline's own.
EVERYWHERE = ("model", "errors", "steps", "paths", "host", "protocol")
MAY_IMPORT = {
    "model": (),
    "catalogue": EVERYWHERE,
    "host": EVERYWHERE,
    "protocol": ("model", "errors"),
    "measure.machines": (*EVERYWHERE, "measure.images"),
    "measure.images": (
        *EVERYWHERE,
        "catalogue",
        "measure.machines.testbed",
        "measure.machines.devices",
    ),
    "measure.plan": (*EVERYWHERE, "measure.images", "measure.machines"),
    "measure.campaign": (*EVERYWHERE, "measure"),
    "measure.executors": (*EVERYWHERE, "measure"),
    "measure.counting": (*EVERYWHERE, "measure"),
    "store": ("model", "errors"),
    "analysis": (*EVERYWHERE, "store"),
    "report": (*EVERYWHERE, "analysis"),
    "tracking": (*EVERYWHERE, "catalogue", "store", "analysis", "report"),
}


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


def part_of(name: str) -> str:
    """The entry of MAY_IMPORT that a dotted name below `harness` belongs to; "" for none."""
    inside = [part for part in MAY_IMPORT if name == part or name.startswith(f"{part}.")]
    return max(inside, key=len, default="")


def test_no_part_imports_what_is_not_below_it() -> None:
    wrong = []
    for file in sorted(HARNESS.rglob("*.py")):
        dotted = ".".join(file.relative_to(HARNESS).with_suffix("").parts)
        part = part_of(dotted)
        if not part:
            continue
        allowed = (part, *MAY_IMPORT[part])
        wrong += [
            f"{file.relative_to(ROOT)} imports {name}"
            for name in imports(file)
            if not any(name == one or name.startswith(f"{one}.") for one in allowed)
        ]
    assert not wrong


def test_every_part_of_the_harness_has_its_place() -> None:
    placed = {part.split(".")[0] for part in MAY_IMPORT}
    loose = {
        "cli",
        "tests",
        "experiments",
        "paper",
        "EXTENDING",
        "__init__",
        "__main__",
        *EVERYWHERE,
    }
    found = {path.stem for path in HARNESS.iterdir() if path.name != "__pycache__"}
    assert found <= placed | loose


@pytest.mark.parametrize(
    ("module", "only"),
    [
        ("subprocess", {"host/process.py"}),
        ("docker", {"measure/images/container.py"}),
        ("dask", {"measure/executors/cluster.py", "measure/executors/worker.py"}),
        ("distributed", {"measure/executors/cluster.py", "measure/executors/worker.py"}),
        ("qemu.qmp", {"measure/machines/monitor.py"}),
        ("argparse", {"cli/main.py", "cli/parsers.py", "cli/choice.py"}),
    ],
)
def test_one_door_to_the_outside(module: str, only: set[str]) -> None:
    pattern = re.compile(rf"^\s*(from|import) {re.escape(module)}\b", re.M)
    # The recipe runs in the image build, not here.
    files = (f for f in HARNESS.rglob("*.py") if not {"tests", "recipe"} & {*f.parts})
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


def test_the_emulated_pc_is_written_once() -> None:
    """Whoever boots a machine asks the testbed; made-up records may show any command line."""
    files = tracked("*.py", "*.sh", "*Makefile", "rexen")
    found = {str(f.relative_to(ROOT)) for f in files if "shift=0,sleep=off" in f.read_text()}
    here = str(Path(__file__).relative_to(ROOT))
    assert found - {here, "harness/tests/synthetic.py"} == {"harness/measure/machines/testbed.py"}


def test_the_testbed_needs_no_package() -> None:
    """The image that runs the hypervisor's tests has none of the harness's."""
    subprocess.run(
        [sys.executable, "-S", "-c", "import harness.measure.machines.testbed"],
        cwd=ROOT,
        check=True,
    )


def test_no_built_file_is_committed() -> None:
    built = (".pyc", ".o", ".elf", ".cpio")
    assert not [file for file in tracked() if file.suffix in built]
