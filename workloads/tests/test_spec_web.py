"""spec-web: what it asks for, how it searches, and what it says of a server that errs (ring 2).

Apache runs in a tree that the large root's image is unpacked to, its clients over loopback. A load
generator that believes a server would score a wrong answer, or one that never came: so the server
is made to err in every way that is checked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from conftest import WORKLOADS

from harness import protocol
from harness.model.record import Phase
from harness.protocol import Transcript

pytestmark = pytest.mark.guest
IMAGE = Path("/opt/rexen/disk/root.img")
SOURCE = WORKLOADS / "spec-web"
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", f"-I{SOURCE}", f"-I{WORKLOADS / 'lib'}"]
CONF = "workloads/spec-web/httpd.conf"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("image") / "root"
    subprocess.run(["fsck.erofs", f"--extract={tree}", IMAGE], check=True, capture_output=True)
    tree.parent.chmod(0o755)
    for directory in tree.parents[:3]:
        directory.chmod(0o755)  # the server's own user must get there
    for name, minor in (("null", 3), ("full", 7), ("urandom", 9)):
        os.mknod(tree / "dev" / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
    (tree / "proc/stat").write_text("cpu 0 0 0 0 0\n")
    return tree


@pytest.fixture
def tree(image: Path, built: Path) -> Path:
    """The image's tree as a guest has it when the workload begins."""
    for name in ("tmp", "mnt/data", "workloads"):
        shutil.rmtree(image / name, ignore_errors=True)
        (image / name).mkdir(parents=True)
    shutil.copytree(built / "workloads/spec-web", image / "workloads/spec-web")
    return image


def run(program: Path, tree: Path) -> tuple[int, bytes]:
    """What a failed run leaves of its server ends here: in a guest the machine ends with it."""
    environment = {"REXEN_ROOT": str(tree), "REXEN_NETNS": ""}
    output = tree.parent / "output"
    with output.open("wb") as sink:
        child = subprocess.Popen([program], env=environment, stdout=sink, start_new_session=True)
    try:
        return child.wait(timeout=120), output.read_bytes()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def failure(program: Path, tree: Path) -> str:
    status, output = run(program, tree)
    assert status == 1, output
    (words,) = protocol.parse(output).failures
    return words


def change(tree: Path, old: str, new: str) -> None:
    text = (tree / CONF).read_text()
    assert old in text
    (tree / CONF).write_text(text.replace(old, new))


def program_of(tmp: Path, text: str, *sources: str) -> Path:
    (tmp / "test.c").write_text(text)
    paths = [WORKLOADS / source for source in sources]
    subprocess.run(["gcc", *FLAGS, "-o", tmp / "test", tmp / "test.c", *paths], check=True)
    return tmp / "test"


def test_a_server_that_answers_well_gets_a_score(built: Path, tree: Path) -> None:
    status, output = run(built / "workloads/spec-web/run", tree)
    assert status == 0, output
    samples = protocol.parse(output).samples
    assert [(it.metric, it.phase) for it in samples] == [
        (metric, phase)
        for metrics in (("clients", "bandwidth"), ("cpu_share",))
        for phase in (Phase.WARM, Phase.RUN)
        for metric in metrics
    ]
    log = (tree / "mnt/data/access.log").read_text()
    for request in ('"GET /d0', '"GET /page?d0', '"GET /ad?d0', '"POST /post '):
        assert request in log
    codes = {line.rsplit(" ", 2)[1] for line in log.splitlines() if "HTTP/1.1" in line}
    assert codes == {"200", "206"}
    check_cgi(tree)


def check_cgi(tree: Path) -> None:
    """Too rare to be sure of in a short run."""
    files = tree / "mnt/data/files"
    environment = {"DOCUMENT_ROOT": str(files), "QUERY_STRING": "d0001/c2_8"}
    program = tree / "workloads/spec-web/page_cgi"
    page = subprocess.run([program], env=environment, capture_output=True, check=True).stdout
    head, body = page.split(b"\n\n", 1)
    assert f"Content-Length: {len(body)}".encode() in head
    content = (files / "d0001/c2_8").read_bytes()
    assert len(content) == 92160 and content in body and len(body) < len(content) + 100


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("SetHandler rexen-ad", "SetHandler rexen-page", "another advertisement"),
        ("DocumentRoot /mnt/data/files", "DocumentRoot /mnt", "another status"),
        ("PagePostLog /mnt/data/post.log", "PagePostLog /dev/full", "another status"),
        ("LoadModule page_module", "LoadModule no_module", "ended with status"),
    ],
)
def test_a_server_that_errs_is_found_out(
    old: str, new: str, words: str, built: Path, tree: Path
) -> None:
    change(tree, old, new)
    assert f"apache2 {'' if words.startswith('ended') else 'answers with '}{words}" in failure(
        built / "workloads/spec-web/run", tree
    )


def test_forms_that_are_not_kept_are_missed(built: Path, tree: Path) -> None:
    (tree / "mnt/data/post.log").touch()
    change(tree, "PagePostLog /mnt/data/post.log", "PagePostLog /dev/null")
    assert "did not keep it" in failure(built / "workloads/spec-web/run", tree)


def test_a_changed_byte_is_found(tree: Path, tmp_path: Path) -> None:
    """The last byte of a part that came is another one: the answer's length is right."""
    (tmp_path / "liar.c").write_text("""
#include <sys/socket.h>
ssize_t __real_recv(int fd, void *data, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t size, int flags)
{
	static int calls;
	ssize_t done = __real_recv(fd, data, size, flags);

	if (done > 1000 && ++calls == 10)
		((char *)data)[done - 1] ^= 1;
	return done;
}
""")
    flags = f"LDFLAGS=-no-pie -Wl,--wrap=recv {tmp_path}/liar.c"
    argv = ["make", "-s", "-C", WORKLOADS, f"OUT={tmp_path}/out", flags, "more-spec-web"]
    subprocess.run(argv, check=True)
    assert "sends wrong content" in failure(tmp_path / "out/workloads/spec-web/run", tree)


DRAW = """
#include "draw.h"
int main(void)
{
	static unsigned int kinds[5], classes[4], files[9], directories[4], kept, last;
	struct request request;
	struct draw draw;

	draw_begin(4);
	draw_seed(&draw, 1);
	for (int i = 0; i < 1000000; i++) {
		bool fresh = i == 0 || request.last;

		draw_next(&draw, &request);
		kinds[request.kind]++;
		classes[request.page.class]++;
		files[request.page.file]++;
		directories[request.page.directory]++;
		last += request.last;
		kept += !(fresh && request.last);
	}
	for (int i = 0; i < 5; i++)
		printf("%u ", kinds[i]);
	for (int i = 0; i < 4; i++)
		printf("%u ", classes[i]);
	for (int i = 0; i < 9; i++)
		printf("%u ", files[i]);
	for (int i = 0; i < 4; i++)
		printf("%u ", directories[i]);
	printf("%u", kept);
}
"""
PUBLISHED = [
    *(0.70, 0.1245, 0.0015, 0.126, 0.048),
    *(0.35, 0.50, 0.14, 0.01),
    *(0.039, 0.059, 0.088, 0.177, 0.353, 0.118, 0.071, 0.050, 0.045),
    *(12 / 25, 6 / 25, 4 / 25, 3 / 25),
    0.70,
]


def test_requests_have_the_published_shares(tmp_path: Path) -> None:
    program = program_of(tmp_path, DRAW, "spec-web/draw.c")
    out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    drawn = [int(word) / 1_000_000 for word in out.split()]
    assert drawn == pytest.approx(PUBLISHED, abs=0.003)


# A server that has CAPACITY bits a second and clients that a little latency costs a little.
SEARCH = """
#include "bench.h"
#include "client.h"
#include "server.h"
#include <stdio.h>
#include <stdlib.h>
static unsigned int probes;
void client_probe(unsigned int n, uint64_t window, struct probe *p, struct bench_time *t)
{
	double wanted = n * 395e3, most = CAPACITY;
	double rate = wanted < most ? wanted : most;

	(void)t;
	probes++;
	*p = (struct probe){.clients = n, .window_ns = window, .requests = 1};
	p->bytes = (uint64_t)(rate * window / 8e9);
	p->busy_ns = (uint64_t)(window * rate / most);
}
void draw_begin(unsigned int directories) { (void)directories; }
void server_start(unsigned int directories) { (void)directories; }
void server_stop(void) { }
void server_fail(const char *format, ...)
{
	printf("@rexen fail clients %s\\n", format);
	exit(1);
}
void posts_check(const char *log) { fprintf(stderr, "%u", probes); (void)log; }
"""


def search(tmp: Path, capacity: float) -> tuple[Transcript, int]:
    text = SEARCH.replace("CAPACITY", str(capacity))
    program = program_of(tmp, text, "spec-web/main.c", "lib/bench.c")
    done = subprocess.run([program], capture_output=True, check=False)
    return protocol.parse(done.stdout), int(done.stderr or b"0")


@pytest.mark.parametrize("most", [1, 2, 3, 17, 63, 64, 65, 300, 713, 2500])
def test_the_search_finds_the_most_that_conform(most: int, tmp_path: Path) -> None:
    transcript, probes = search(tmp_path, (most + 0.5) * 320e3)
    (score,) = (
        it.count for it in transcript.samples if it.metric == "clients" and it.phase is Phase.RUN
    )
    assert most - max(1, most // 64) < score <= most
    assert probes <= 15


def test_a_server_that_contents_nobody_has_no_score(tmp_path: Path) -> None:
    transcript, _ = search(tmp_path, 300e3)
    assert transcript.failures == ["clients gives not even one client what it wants"]
    assert not [it for it in transcript.samples if it.phase is Phase.RUN]
