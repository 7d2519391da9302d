"""The large root: that what later workloads need is there and works (ring 2, the checks image).

The image is taken apart, and programs run in it by chroot: what a package lacks, or a list leaves
out, fails here, not in the middle of a measurement.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.guest
IMAGE = Path("/opt/rexen/disk/root.img")
PATH = "/usr/bin:/usr/sbin:/usr/games:/usr/lib/postgresql/17/bin"
# Command line, what it reads, and what its output has in it.
PROGRAMS = {
    "bash": ("bash -c 'echo $((6 * 7))'", "", "42"),
    "bc": ("bc", "2^64\n", "18446744073709551616"),
    "perl": ("perl -e 'print join \",\", sort { $b <=> $a } 1..3'", "", "3,2,1"),
    "gzip": ("gzip -9 | gzip -d", "some text", "some text"),
    "bzip2": ("bzip2 -9 | bzip2 -d", "some text", "some text"),
    "gap": ("gap -q", "Factorial(20);\n", "2432902008176640000"),
    "link-parser": ("link-parser en -batch", "the cat sat on the mat\n", "0 errors"),
    "gnuchess": ("gnuchess --version", "", "GNU Chess"),
    "gnugo": ("gnugo --version", "", "GNU Go"),
    "postgres": ("postgres --version && initdb --version && psql --version", "", "PostgreSQL"),
    "apache": ("apache2 -v && ab -V", "", "Apache"),
    "dbench": ("dbench --help", "", "dbench version 4"),
    "ext4": ("mkfs.ext4 -V && e2fsck -V", "", "mke2fs"),
    "ip": ("ip -V", "", "iproute2"),
    "gcc": (
        "gcc -O2 -o /tmp/it -x c - && /tmp/it",
        '#include <stdio.h>\nint main(void) { return puts("compiled") < 0; }\n',
        "compiled",
    ),
    # A file the kernel's own way, without being configured again.
    "kernel": (
        "cp -a /usr/src/linux /mnt/data/ && cd /mnt/data/linux && "
        "make -s ARCH=x86_64 lib/sort.o && size lib/sort.o",
        "",
        "sort.o",
    ),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image holds, as a tree that can be written to."""
    tree = tmp_path_factory.mktemp("image") / "root"
    subprocess.run(["fsck.erofs", f"--extract={tree}", IMAGE], check=True, capture_output=True)
    (tree / "tmp").mkdir(exist_ok=True)
    (tree / "dev").mkdir(exist_ok=True)
    os.mknod(tree / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    return tree


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_works_in_the_image(root: Path, name: str) -> None:
    command, typed, wanted = PROGRAMS[name]
    argv = ["chroot", str(root), "/bin/sh", "-c", f"export PATH={PATH}; {command}"]
    done = subprocess.run(
        argv, input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    assert wanted in done.stdout, done.stdout[-2000:]


def test_digest_beside_the_image_is_its_own() -> None:
    """Cells depend on the image by this digest alone."""
    with IMAGE.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    assert IMAGE.with_name("root.img.sha256").read_text().split()[0] == found
