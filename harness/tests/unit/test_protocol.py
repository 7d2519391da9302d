"""The grammar of result lines: what is read, what is refused, what is ignored."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ProtocolError
from harness.model.record import Phase, Sample
from harness.protocol import BEGIN_LINE, parse, until_end

GOLDEN = Path(__file__).parent.parent / "data" / "console.txt"


def test_golden_console() -> None:
    transcript = parse(GOLDEN.read_bytes())
    assert transcript.workload == "controls"
    assert (transcript.begun_ns, transcript.quiet_ns) == (1053110789, 1954881281)
    assert transcript.facts["kernel"] == "6.12.107+deb13-cloud-amd64"
    assert transcript.samples[0] == Sample("cpu_loop", Phase.WARM, 0, 1, 8036656, 70)
    assert transcript.exit_status == 0


def test_what_follows_the_end_line_does_not_exist() -> None:
    console = b"@rexen begin 1 x\n@rexen end 0 0\n@rexen sample broken\n"
    assert parse(console).exit_status == 0
    assert until_end(console).endswith(b"end 0 0\n")


def test_a_result_line_may_follow_other_output_on_its_line() -> None:
    assert parse(b"\x1b[0m\r@rexen boot 1 2\r\n").quiet_ns == 2


@pytest.mark.parametrize(
    "line",
    [
        "@rexen sample null_call run 0 10 20",  # a field short
        "@rexen sample null_call run 0 10 20 x",  # not a number
        "@rexen sample null_call run 0 0 20 0",  # no operations
        "@rexen sample Null run 0 1 2 3",  # no metric name
        "@rexen sample null_call later 0 1 2 3",  # no phase
        "@rexen begin 2 demo",  # another protocol
        "@rexen end 0 1",  # a sample was lost
        "@rexen bogus",
        "@rexen boot -1 2",
    ],
)
def test_a_broken_line_is_refused_by_number(line: str) -> None:
    with pytest.raises(ProtocolError, match="console line 2"):
        parse(f"hello\n{line}\n".encode())


@given(st.binary(max_size=400))
def test_garbage_never_crashes_the_parser(noise: bytes) -> None:
    try:
        parse(noise)
    except ProtocolError:
        pass


def test_an_inner_console_adds_a_carriage_return_of_its_own() -> None:
    """Two terminal layers turn \n into \r\r\n; the marks must be seen all the same."""
    assert BEGIN_LINE.search(b"@rexen begin 1 demo\r\r\n")
    assert until_end(b"@rexen end 0 0\r\r\nrest") == b"@rexen end 0 0\r\r\n"
