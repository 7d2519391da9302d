"""Every directory the harness touches, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """`root` is the checkout; `results` and `reports` may be moved by the command line, and
    `catalogues` are folders outside with further systems, workloads and experiments."""

    root: Path
    results: Path
    reports: Path
    catalogues: tuple[Path, ...] = ()

    @classmethod
    def of(
        cls,
        root: Path,
        *,
        results: Path | None = None,
        reports: Path | None = None,
        catalogues: Iterable[Path] = (),
    ) -> Paths:
        return cls(
            root=root,
            results=(results or root / "results").resolve(),
            reports=(reports or root / "reports").resolve(),
            catalogues=tuple(sorted({folder.resolve() for folder in catalogues})),
        )

    @property
    def baselines(self) -> Path:
        return self.root / "baselines"

    @property
    def workloads(self) -> Path:
        return self.root / "workloads"

    @property
    def hypervisor(self) -> Path:
        return self.root / "hypervisor"

    @property
    def experiments(self) -> Path:
        return self.root / "harness" / "experiments"

    def reference(self, profile: str) -> Path:
        """The reference results of a profile, part of the repository."""
        return self.root / "results" / "reference" / f"{profile}.json"

    @property
    def lock(self) -> Path:
        """Every package that reaches a cell."""
        return self.root / "inputs.lock"

    @property
    def build(self) -> Path:
        """Logs and caches of image builds; safe to delete."""
        return self.root / "build"


def checkout_root() -> Path:
    """The checkout this very package was imported from."""
    return Path(__file__).resolve().parent.parent
