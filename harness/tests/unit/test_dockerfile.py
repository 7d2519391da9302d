"""What each stage of the Dockerfile is made of: a change builds again what it must, and no more."""

from __future__ import annotations

import re

import pytest

from harness.paths import checkout_root


def stages() -> dict[str, list[str]]:
    """The instructions of each stage, continued lines joined; its base is the first."""
    text = re.sub(r"\\\n\s*", "", (checkout_root() / "Dockerfile").read_text())
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        start = re.fullmatch(r"FROM (\S+) AS (\S+)", line)
        if start:
            name = start[2]
            found[name] = [f"COPY --from={start[1]} /"]
        elif found and line and not line.startswith("#"):
            found[name].append(line)
    return found


def sources(stage: str) -> set[str]:
    """The files of the context a stage depends on, through all stages below it."""
    found: set[str] = set()
    for line in stages().get(stage, []):
        copied = re.match(r"COPY --from=(\S+) ", line)
        if copied:
            found |= sources(copied[1])
        elif line.startswith("COPY "):
            found.update(line.split()[1:-1])
    return found


def copies(stage: str, other: str) -> list[str]:
    """What a stage takes out of another, whose own sources then only count by their result."""
    lines = (line for line in stages()[stage] if line.startswith(f"COPY --from={other} "))
    return [word for line in lines for word in line.split()[2:-1]]


def test_editing_the_hypervisor_builds_no_nested_root_again() -> None:
    assert "hypervisor" in sources("bench")
    assert "hypervisor" not in sources("overlays")


def test_editing_a_workload_builds_no_nested_root_again() -> None:
    """The engine compares what is copied: the base's archive is the same bytes."""
    assert copies("overlays", "guest-root") == [
        "/build/out/root/base.cpio",
        "/build/out/root/prepare.cpio",
    ]
    assert "workloads" not in sources("packages") | sources("runner")


@pytest.mark.parametrize("stage", ["pool", "base", "toolchain", "packages", "runner"])
def test_packages_are_fetched_again_for_nothing_but_their_lists(stage: str) -> None:
    recipe = "harness/measure/images/recipe/"
    assert {name for name in sources(stage) if not name.startswith(recipe)} <= {
        "inputs.lock",
        "systems/packages.list",
        "systems/artefacts.list",
        "workloads/root/debian.list",
    }


def test_only_the_pool_reaches_for_a_mirror() -> None:
    """All other stages install by install.sh, which knows the pool and nothing else."""
    for name, lines in stages().items():
        commands = " ".join(line for line in lines if line.startswith("RUN "))
        assert "apt-get" not in commands, name
        assert ("pool.sh" in commands) is (name == "pool")


def test_no_system_is_named() -> None:
    text = (checkout_root() / "Dockerfile").read_text()
    instructions = [line for line in text.splitlines() if not line.startswith("#")]
    names = {file.parent.name for file in checkout_root().glob("baselines/*/system.toml")}
    for line in instructions:
        assert not names & set(re.split(r"[^a-z]+", line)), line
