"""A small Debian of a test's own: packages, a mirror that moves on, a snapshot archive."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

RECIPE = Path(__file__).resolve().parents[2] / "measure" / "images" / "recipe"
SNAPSHOT = "20261124T120000Z"
SUITE = "trixie"


@dataclass(frozen=True, slots=True)
class Package:
    """What dpkg-deb makes a package from; `content` goes into one file of it."""

    name: str
    version: str = "1"
    depends: str = ""
    essential: bool = False
    content: str = "content"

    def build(self, folder: Path, scratch: Path) -> Path:
        tree = scratch / f"{self.name}_{self.version.replace(':', '.')}"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr/share").mkdir(parents=True)
        (tree / "usr/share" / self.name).write_text(self.content)
        fields = {
            "Package": self.name,
            "Version": self.version,
            "Architecture": "amd64",
            "Maintainer": "nobody <nobody@invalid>",
            "Depends": self.depends,
            "Essential": "yes" if self.essential else "",
            "Description": "for tests",
        }
        text = "".join(f"{key}: {value}\n" for key, value in fields.items() if value)
        (tree / "DEBIAN/control").write_text(text)
        file = folder / f"{self.name}_{self.version}_amd64.deb"
        argv = ("dpkg-deb", "--root-owner-group", "-b", str(tree), str(file))
        run(*argv, SOURCE_DATE_EPOCH="0")  # the same package is the same bytes
        return file


def run(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def publish(place: Path, *packages: Package) -> None:
    """A repository with these packages and no others."""
    shutil.rmtree(place, ignore_errors=True)
    index = place / "dists" / SUITE / "main" / "binary-amd64"
    pool = place / "pool"
    for folder in (index, pool):
        folder.mkdir(parents=True)
    entries = []
    for package in packages:
        file = package.build(pool, place.parent / "trees")
        control = run("dpkg-deb", "-f", str(file)).stdout
        content = file.read_bytes()
        entries.append(
            f"{control}Filename: pool/{file.name}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
        )
    text = "\n".join([*entries, ""])
    (index / "Packages").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (place / "dists" / SUITE / "Release").write_text(
        f"Origin: Debian\nLabel: Debian\nCodename: {SUITE}\n"
        f"Architectures: amd64\nComponents: main\nDate: Sun, 24 Nov 2024 12:00:00 UTC\nSHA256:\n"
        f" {digest} {len(text)} main/binary-amd64/Packages\n"
    )


@dataclass
class Debian:
    """Where everything lies. apt is told of the mirror alone, as on a host."""

    root: Path
    asked: list[str] = field(default_factory=lambda: ["base ?essential", "tools tool"])

    def __post_init__(self) -> None:
        for name in ("parts", "lists/partial", "cache/archives/partial"):
            (self.root / name).mkdir(parents=True)
        (self.root / "sources.list").write_text(
            f"deb [trusted=yes] file:{self.root}/mirror {SUITE} main\n"
        )
        (self.root / "apt.conf").write_text(
            f'Dir::Etc::SourceList "{self.root}/sources.list";\n'
            f'Dir::Etc::SourceParts "{self.root}/parts";\n'
            f'Dir::State::Lists "{self.root}/lists";\nDir::Cache "{self.root}/cache";\n'
        )

    @property
    def pool(self) -> Path:
        return self.root / "pool"

    def mirror(self, *packages: Package) -> None:
        publish(self.root / "mirror", *packages)

    def archive(self, *packages: Package) -> str:
        """Its address."""
        publish(self.root / "archive" / SNAPSHOT, *packages)
        return f"file:{self.root}/archive"

    def gather(self, locked: str = "", archive: str = "") -> subprocess.CompletedProcess[str]:
        """Run the recipe's first stage, into an empty pool."""
        shutil.rmtree(self.pool, ignore_errors=True)
        lock, asked = self.root / "inputs.lock", self.root / "asked.list"
        lock.write_text(f"suite {SUITE}\nsnapshot {SNAPSHOT}\narchive -\n{locked}")
        asked.write_text("".join(f"{line}\n" for line in ("# STAGE PACKAGE", *self.asked)))
        return run(
            *("sh", str(RECIPE / "pool.sh"), str(lock), str(self.pool), archive, str(asked)),
            APT_CONFIG=str(self.root / "apt.conf"),
        )

    def lock(self) -> str:
        """What the mirror has now, as a lock has it."""
        done = self.gather()
        assert done.returncode == 0, done.stdout + done.stderr
        return self.inputs

    @property
    def inputs(self) -> str:
        return (self.pool / "inputs").read_text()

    @property
    def differs(self) -> list[str]:
        return (self.pool / "differs").read_text().splitlines()

    @property
    def held(self) -> list[str]:
        return sorted(file.name for file in self.pool.glob("*.deb"))
