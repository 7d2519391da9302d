"""The base image: Debian trixie, from a registry where one is in reach, else from packages.

Without a registry the root file system is made by mmdebstrap from the same Debian mirror that
this host itself installs from, and imported. Either way the image is only a starting point: what
is installed on it comes from the mirror at build time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.errors import BuildError
from harness.host import process
from harness.host.process import ProcessFailed
from harness.measure.images.container import Engine
from harness.measure.images.host import install_packages
from harness.steps import Steps

SUITE = "trixie"
REGISTRY_IMAGE = "debian"
REGISTRY_TAG = "trixie-slim"
# With its domain spelled out, Docker and Podman mean the same image by it.
LOCAL_IMAGE = "localhost/rexen-base"
BOOTSTRAP_WALL_S = 900.0
BOOTSTRAP_PACKAGES = ["mmdebstrap", "debian-archive-keyring"]


def ensure_base(engine: Engine, logs: Path, steps: Steps) -> str:
    """The name of a base image that is here. Raises BuildError."""
    local, pulled = f"{LOCAL_IMAGE}:{SUITE}", f"{REGISTRY_IMAGE}:{REGISTRY_TAG}"
    for name in (pulled, local):
        if engine.has_image(name):
            return name
    with steps.step(f"looking for {pulled}"):
        if engine.pull(REGISTRY_IMAGE, REGISTRY_TAG):
            return pulled
    with steps.step(f"no registry in reach: making Debian {SUITE} from this host's mirror"):
        install_packages(BOOTSTRAP_PACKAGES, logs)
        with tempfile.TemporaryDirectory(prefix="rexen-base-") as scratch:
            archive = Path(scratch) / "root.tar"
            _bootstrap(host_mirror(), archive, logs / "mmdebstrap.log")
            engine.import_root(archive, LOCAL_IMAGE, SUITE)
    return local


def host_mirror() -> str:
    """The address this host gets Debian's main archive from; "" if apt has not said yet."""
    try:
        listing = process.capture(
            ["apt-get", "indextargets", "--format", "$(SITE)|$(REPO_URI)|$(ORIGIN)|$(LABEL)"]
        )
    except ProcessFailed:
        return ""
    return pick_mirror(listing)


def pick_mirror(listing: str) -> str:
    """The first repository of apt's listing that is Debian's main archive itself."""
    for line in listing.splitlines():
        site, repository, origin, label = (line.split("|") + ["", "", "", ""])[:4]
        if origin == "Debian" and label == "Debian" and (repository or site):
            return (repository or site).rstrip("/")
    return ""


def _bootstrap(mirror: str, archive: Path, log: Path) -> None:
    if not mirror:
        raise BuildError(
            f"this host's apt names no Debian mirror to make {SUITE} from",
            hint=f"pull {REGISTRY_IMAGE}:{REGISTRY_TAG} by hand, or add a Debian source to apt",
        )
    try:
        process.run(
            ["mmdebstrap", "--variant=minbase", SUITE, str(archive), mirror],
            log=log,
            wall_s=BOOTSTRAP_WALL_S,
        )
    except ProcessFailed as error:
        raise BuildError(f"cannot make the base image: {error.message}", log=log) from None
