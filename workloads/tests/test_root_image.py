"""The large root: that what later workloads need is there and works (ring 2, the checks image).

The image is taken apart, and programs run in it by chroot: what a package lacks, or a list leaves
out, fails here, not in the middle of a measurement.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from conftest import IMAGE

pytestmark = pytest.mark.guest
PATH = "/usr/bin:/usr/sbin:/usr/games:/usr/lib/postgresql/17/bin"
# Command line, what it reads, and what its output has in it.
PROGRAMS = {
    "bash": ("bash -c 'echo $((6 * 7))'", "", "42"),
    "bc": ("bc", "2^64\n", "18446744073709551616"),
    "perl": ("perl -e 'print join \",\", sort { $b <=> $a } 1..3'", "", "3,2,1"),
    "gzip": ("gzip -9 | gzip -d", "some text", "some text"),
    "sqlite3": ("sqlite3 :memory: 'SELECT 6 * 7'", "", "42"),
    "bzip2": ("bzip2 -9 | bzip2 -d", "some text", "some text"),
    "gap": ("gap -q", "Factorial(20);\n", "2432902008176640000"),
    "link-parser": ("link-parser en -batch", "the cat sat on the mat\n", "0 errors"),
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


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_works_in_the_image(large_root: Path, name: str) -> None:
    command, typed, wanted = PROGRAMS[name]
    argv = ["chroot", str(large_root), "/bin/sh", "-c", f"export PATH={PATH}; {command}"]
    done = subprocess.run(
        argv, input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    assert wanted in done.stdout, done.stdout[-2000:]


def test_digest_beside_the_image_is_its_own() -> None:
    """Cells depend on the image by this digest alone."""
    with IMAGE.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    assert IMAGE.with_name("root.img.sha256").read_text().split()[0] == found
