"""A small checkout to build images from, and an engine that builds them out of nothing."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from harness.measure.images.container import Engine
from harness.measure.images.lock import InputsLock, Locked

MANIFEST = (
    "emulator abcd 1:10.0.2+ds\n"
    f"file {'0' * 64} kernel/cloud/vmlinux\nfile {'1' * 64} root/base.cpio\n"
)
LOCK = InputsLock(
    snapshot="20261124T120000Z",
    packages={"dash": Locked("0.5.12-12", "amd64", "d" * 64)},
)
NATIVE = """
id = "native"
title = "Native"
summary = "for tests"
order = 1
color = "#7f7f7f"
[boot]
kernel = "kernel/cloud/vmlinux"
append = "{run}"
initrd = ["root/base.cpio", "root/work/{workload}.cpio"]
[packages]
unpack = ["linux-image-cloud-amd64"]
[artefacts]
"kernel/cloud/vmlinux" = { from = "boot/vmlinuz-*", how = "bzimage" }
[guest]
memory_mib = 512
[deadline]
virtual_s = 5
wall_s = 120
"""


def make_checkout(root: Path) -> Path:
    """Every kind of file there is, some of which end up in the build context."""
    files = {
        "Dockerfile": "FROM scratch",
        "inputs.lock": LOCK.text(),
        "README.md": "outside the context",
        "baselines/native/system.toml": NATIVE,
        "baselines/linux.toml": "",
        "baselines/native/host.sh": "#!/bin/sh",
        "baselines/README.md": "words",
        "workloads/demo/workload.toml": "id",
        "workloads/demo/run.c": "int main;",
        "workloads/demo/run.o": "object",
        "workloads/tests/test_root.py": "test",
        "workloads/demo/__pycache__/x.pyc": "bytes",
        "harness/cli.py": "outside the context",
        "harness/measure/images/recipe/boot": "#!/bin/sh",
        "harness/measure/counting/plugin/count.c": "int plugin;",
        "hypervisor/boot/head.S": "hlt",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "baselines/native/host.sh").chmod(0o755)
    return root


class ImageEngine(Engine):
    """Knows images by tag; a build makes one."""

    def __init__(self, *images: str, manifest: str = MANIFEST, registry: bool = False) -> None:
        self.images = list(images)
        self.manifest = manifest
        self.registry = registry
        self.builds: list[dict[str, str]] = []
        self.context: dict[str, str] = {}

    def has_image(self, tag: str) -> bool:
        return tag in self.images

    def image_digest(self, tag: str) -> str:
        assert tag in self.images
        return f"digest of {tag}"

    def pull(self, repository: str, tag: str) -> bool:
        self.images += [f"{repository}:{tag}"] if self.registry else []
        return self.registry

    def build(self, context, *, tag, target, arguments, log):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        with tarfile.open(fileobj=context) as tar:
            self.context = {
                member.name: (tar.extractfile(member) or io.BytesIO()).read().decode()
                for member in tar.getmembers()
            }
        self.builds.append({"tag": tag, **arguments})
        self.images.append(tag)
        yield "Step 1/1 : FROM"

    def import_root(self, archive: Path, repository: str, tag: str) -> None:
        self.images.append(f"{repository}:{tag}")

    def output_of(self, image: str, argv: object) -> bytes:
        return self.manifest.encode()

    def forget(self, tag: str) -> None:
        self.images.remove(tag)
