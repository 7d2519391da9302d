"""An artifact from a checkout: sources, lock, reference results, report, checklist, appendix."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.analysis.claims import Judgement, judge
from harness.analysis.study import Study
from harness.model.record import Record
from harness.tracking.artifact.agreement import agreement, disagreement
from harness.tracking.artifact.appendix import Cost, Packed, appendix
from harness.tracking.artifact.bundle import Content, Manifest, write_bundle
from harness.tracking.artifact.checklist import Facts, Line, as_markdown, checklist
from harness.tracking.artifact.sources import Sources, check_sources, file_names, unpack

# Where things lie in an artifact.
SOURCES, COMMIT, LOCK, IMAGE = "source.tar", "commit", "inputs.lock", "image.tar"
RECORDS, REPORT = "records", "report"
APPENDIX, CHECKLIST = "APPENDIX.md", "CHECKLIST.md"
# Copies of what the sources have, for whoever looks into the archive first.
COPIES = ("LICENSE", "CITATION.cff")

# Makes a report's files, by name: from sources in a folder, and records of a profile.
Render = Callable[[Path, Sequence[Record], str], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Image:
    """The archive of the image that cells run in, and its tag."""

    file: Path
    tag: str


@dataclass(frozen=True, slots=True)
class Order:
    """What to pack. `records` are the reference results by profile, as they stand in the commit;
    `study` is of the first of these, without any count. `repeated` cells of it were run again
    with the same bits. `packages` maps the lock's names to versions."""

    root: Path
    sources: Sources
    records: Mapping[str, Sequence[Record]]
    study: Study
    packages: Mapping[str, str]
    repeated: int
    image: Image | None
    cost: Cost


@dataclass(frozen=True, slots=True)
class Done:
    """What was written."""

    manifest: Manifest
    lines: Sequence[Line]


def pack(file: Path, order: Order, render: Render) -> Done:
    """Write the archive, whole or not at all: the same order gives the same bytes. Raises
    StoreError."""
    contents = _results(order, render)
    judgements = judge(order.study)
    lines = checklist(_facts(order, contents, judgements))
    contents[CHECKLIST] = as_markdown(lines).encode()
    contents[APPENDIX] = _appendix(order, contents, judgements).encode()
    about = {
        "commit": order.sources.commit,
        "subject": order.sources.subject,
        "profiles": list(order.records),
        "image": order.image.tag if order.image else None,
        "checklist": [asdict(line) for line in lines],
    }
    return Done(write_bundle(file, contents, about), lines)


def _results(order: Order, render: Render) -> dict[str, Content]:
    """Everything but what speaks of the rest."""
    root = order.root
    contents: dict[str, Content] = {
        SOURCES: order.sources.archive,
        COMMIT: order.sources.object,
        LOCK: (root / LOCK).read_bytes(),
        **{name: (root / name).read_bytes() for name in COPIES if (root / name).exists()},
    }
    if order.image:
        contents[IMAGE] = order.image.file
    with tempfile.TemporaryDirectory(prefix="rexen-artifact-") as scratch:
        folder = Path(scratch) / "sources"
        unpack(order.sources.archive, folder)
        for profile, records in order.records.items():
            reference = folder / "results" / "reference" / f"{profile}.json"
            contents[f"{RECORDS}/{profile}.json"] = reference.read_bytes()
            for name, content in render(folder, records, profile).items():
                contents[f"{REPORT}/{profile}/{name}"] = content
    return contents


def _facts(order: Order, contents: Mapping[str, Content], judgements: Sequence[Judgement]) -> Facts:
    study, sources, root = order.study, order.sources, order.root
    good = {one.at for one in study.records if one.ok}
    ran = {one.at for one in study.records}
    disagreed = disagreement(study.records, order.packages)
    pages = {name: it for name, it in contents.items() if name.endswith("/index.html")}
    return Facts(
        sources=check_sources(sources.commit, sources.object, sources.archive),
        names=file_names(sources.archive),
        citation=_text(root / "CITATION.cff"),
        requirements=_text(root / "requirements.lock"),
        packages=len(order.packages),
        agreed="" if disagreed else agreement(study.records),
        disagreed=disagreed,
        image=f"{IMAGE}, {order.image.tag}" if order.image else "",
        cells=len(good),
        missing=[str(at) for at in study.wanted() if at not in ran],
        failed=[f"{it.at}: {it.outcome.status}" for it in study.records if not it.ok],
        repeated=order.repeated,
        reports={name: _size(content) for name, content in pages.items()},
        judgements=judgements,
    )


def _appendix(
    order: Order, contents: Mapping[str, Content], judgements: Sequence[Judgement]
) -> str:
    packed = Packed(
        commit=order.sources.commit,
        subject=order.sources.subject,
        image=order.image.tag if order.image else "",
        image_bytes=_size(order.image.file) if order.image else 0,
        bytes=sum(map(_size, contents.values())),
        packages=len(order.packages),
    )
    return appendix(order.study, judgements, packed, order.cost)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
