"""The checklist of the artifact-evaluation badges: each line passes or fails, with its evidence.

The badges are those of ACM's and USENIX's evaluations: available, functional, reusable, reproduced.
What only the committee or a depository can give fails, and the evidence says what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.claims import Judgement
from harness.model.experiment import Verdict

DOI = re.compile(r"^doi:\s*\S", re.M)  # of the work itself; the paper it cites is indented
PINNED = re.compile(r"[\w.-]+==\S+")
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "results/README.md")
GUIDES = ("baselines/README.md", "workloads/README.md")
NAMED = 3  # of what is missing; the rest is a count


class Badge(StrEnum):
    """In the order in which they are given."""

    AVAILABLE = "available"
    FUNCTIONAL = "functional"
    REUSABLE = "reusable"
    REPRODUCED = "reproduced"


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement of a badge."""

    badge: Badge
    text: str
    ok: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the lines are judged by. `files` are the sources' texts by name (only the names of
    most matter), `packages` counts the locked ones, `agreed` is how lock and records agree or ""
    with `disagreed` saying why not; `repeated` counts the cells that were run again here, all with
    the same bits. `missing` and `failed` are cells the experiments want."""

    sources: str
    names: Collection[str]
    citation: str
    requirements: str
    packages: int
    agreed: str
    disagreed: str
    image: str
    cells: int
    missing: Sequence[str]
    failed: Sequence[str]
    repeated: int
    reports: Mapping[str, int]
    judgements: Sequence[Judgement]


def checklist(facts: Facts) -> list[Line]:
    return [*_available(facts), *_functional(facts), *_reusable(facts), *_reproduced(facts)]


def _available(facts: Facts) -> Iterator[Line]:
    yield Line(Badge.AVAILABLE, "sources of one commit, whole", True, facts.sources)
    yield _has(Badge.AVAILABLE, "a licence that allows reuse", facts.names, ("LICENSE",))
    yield _has(Badge.AVAILABLE, "how to cite it", facts.names, ("CITATION.cff",))
    doi = bool(DOI.search(facts.citation))
    yield Line(
        Badge.AVAILABLE,
        "kept by a public archive under a permanent name",
        doi,
        "CITATION.cff names a DOI" if doi else "CITATION.cff names no DOI: it is not deposited yet",
    )


def _functional(facts: Facts) -> Iterator[Line]:
    badge = Badge.FUNCTIONAL
    yield _has(badge, "documented", facts.names, DOCUMENTS)
    wanted = facts.cells + len(facts.missing)
    lacking = [*facts.failed, *(f"{one} not run" for one in facts.missing)]
    yield Line(
        badge,
        "complete: every cell that an experiment wants has a good record",
        not lacking,
        _some(lacking) or f"{facts.cells} of {wanted} cells",
    )
    yield Line(
        badge,
        "consistent: the lock and the records name the same emulator and kernels",
        bool(facts.agreed),
        facts.agreed or facts.disagreed,
    )
    yield Line(
        badge,
        "exercisable without any mirror: the image that cells run in",
        bool(facts.image),
        facts.image or "not packed: rexen image save FILE, then pack with --image FILE",
    )
    yield Line(
        badge,
        "exercisable from a mirror: every package that reaches a cell, by version and digest",
        facts.packages > 0,
        f"inputs.lock has {facts.packages} packages",
    )
    pages = ", ".join(f"{name} ({size} bytes)" for name, size in facts.reports.items())
    yield Line(
        badge,
        "verifiable: the report, made from these records by these sources",
        bool(pages),
        pages or "there are no reference results to make one from",
    )


def _reusable(facts: Facts) -> Iterator[Line]:
    badge = Badge.REUSABLE
    lines = [line for line in facts.requirements.splitlines() if line.strip()]
    loose = [line for line in lines if not PINNED.match(line) and not line.startswith("#")]
    yield Line(
        badge,
        "Python packages pinned",
        bool(lines) and not loose,
        _some(loose) or f"requirements.lock pins {len(lines)}",
    )
    yield _has(badge, "how to add a system and a workload", facts.names, GUIDES)
    yield _has(badge, "the format of every record, as a schema", facts.names, (SCHEMA,))
    tests = sum(1 for it in facts.names if re.search(r"(^|/)test_[^/]+\.py$", it))
    yield Line(badge, "tests of its own", tests > 0, f"{tests} files of tests; make test runs them")


SCHEMA = "harness/report/schema.json"


def _reproduced(facts: Facts) -> Iterator[Line]:
    badge = Badge.REPRODUCED
    yield Line(
        badge,
        "every cell run again with the same bits",
        facts.cells > 0 and facts.repeated >= facts.cells,
        f"{facts.repeated} of {facts.cells} in the store that packed this; "
        "rexen artifact check --run does it anywhere",
    )
    testable = [it for it in facts.judgements if it.verdict is not Verdict.NOT_TESTABLE]
    unjudged = [_named(it) for it in testable if it.verdict is Verdict.NOT_MEASURED]
    yield Line(
        badge,
        "every claim that this testbed can decide is judged",
        bool(testable) and not unjudged,
        _some(unjudged) or f"{len(testable)} of {len(facts.judgements)} verdicts",
    )
    other = [
        f"{_named(it)}: {it.verdict}" for it in testable if it.verdict is not Verdict.REPRODUCED
    ]
    yield Line(
        badge,
        "every claim of the paper that it can decide is reproduced",
        bool(testable) and not other,
        f"{len(testable) - len(other)} of {len(testable)} are"
        + (f"; not {_some(other)}" if other else ""),
    )


def _named(it: Judgement) -> str:
    return f"{it.claim.id} on {it.system}" if it.system else it.claim.id


def _has(badge: Badge, text: str, names: Collection[str], wanted: Sequence[str]) -> Line:
    lacking = [it for it in wanted if it not in names]
    return Line(badge, text, not lacking, f"no {_some(lacking)}" if lacking else ", ".join(wanted))


def _some(found: Sequence[str]) -> str:
    """The first few, and how many more; "" of none."""
    more = len(found) - NAMED
    return "; ".join(found[:NAMED]) + (f"; and {more} more" if more > 0 else "")


def as_markdown(lines: Sequence[Line]) -> str:
    """One table a badge."""
    text = ["# Checklist of the badges", ""]
    for badge in Badge:
        mine = [it for it in lines if it.badge is badge]
        good = sum(it.ok for it in mine)
        text += [f"## {badge.capitalize()}: {good} of {len(mine)}", ""]
        text += ["| | requirement | evidence |", "|---|---|---|"]
        text += [
            f"| {'pass' if it.ok else 'FAIL'} | {it.text} | {it.evidence.replace('|', '/')} |"
            for it in mine
        ]
        text.append("")
    return "\n".join(text)
