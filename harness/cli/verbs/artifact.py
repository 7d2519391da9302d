"""rexen artifact pack|check FILE: one archive that others can check."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.choice import Choice, choose, jobs_option
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, StoreError, UsageError
from harness.host.process import ProcessFailed
from harness.measure.images import lock
from harness.model.record import Record
from harness.model.workload import PROFILES
from harness.store import Store, read_reference

if TYPE_CHECKING:
    from harness.tracking.artifact.bundle import Bundle
    from harness.tracking.artifact.check import Finding
    from harness.tracking.artifact.pack import Image

EVERYTHING = "all"
RUN_WALL_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Again:
    """What to measure again, so many machines at a time."""

    experiment: str
    jobs: int


def add(verbs: Verbs) -> None:
    parser = verbs.add(
        "artifact",
        artifact,
        "pack sources, lock, results and report for others, or check such",
        jobs_option(),
    )
    parser.add_argument("action", choices=("pack", "check"), help="write the archive, or check it")
    parser.add_argument("file", type=Path, metavar="FILE", help="the archive")
    parser.add_argument(
        "--image", type=Path, metavar="ARCHIVE", help="pack this, from rexen image save, as well"
    )
    parser.add_argument(
        "--run",
        nargs="?",
        const=EVERYTHING,
        metavar="EXPERIMENT",
        help="check: measure the cells of this experiment again, too (without a name: all)",
    )


def artifact(
    context: Context, *, action: str, file: Path, image: Path | None, run: str | None, jobs: int
) -> ExitCode:
    """Checking: DIFFERENT if anything does not follow from the rest; STORE for a bad archive."""
    if action == "pack":
        if run is not None:
            raise UsageError("--run belongs to artifact check")
        return _pack(context, file, image)
    if image is not None:
        raise UsageError("--image belongs to artifact pack")
    again = None if run is None else Again(run, jobs)
    return _check(context, file, again)


def _pack(context: Context, file: Path, image: Path | None) -> ExitCode:
    from harness.cli.session import expected_wall_s
    from harness.cli.verbs.report import study_of
    from harness.measure.plan import RECORD_BYTES
    from harness.tracking.artifact.appendix import Cost
    from harness.tracking.artifact.pack import Order, pack
    from harness.tracking.artifact.render import render
    from harness.tracking.artifact.sources import committed_sources

    paths = context.paths
    sources = committed_sources(paths.root)
    packed_image = _image(context, image) if image else None
    records = {it: read_reference(paths.reference(it)) for it in PROFILES if _has(context, it)}
    if not records:
        raise StoreError("there are no reference results to pack", hint="rexen reference")
    profile = next(iter(records))
    chosen = choose(paths, Choice(profile, (), (), (), None))
    order = Order(
        root=paths.root,
        sources=sources,
        records=records,
        study=study_of(context, chosen, records[profile]),
        packages=_versions(paths.lock.read_text(encoding="utf-8"), str(paths.lock)),
        repeated=_repeated(context.store, records[profile]),
        image=packed_image,
        cost=Cost(expected_wall_s(context.store, chosen), RECORD_BYTES),
    )
    with context.steps.step(f"packing {sources.commit[:12]}"):
        done = pack(file, order, partial(render, log=context.logs / "artifact.log"))
    good = sum(line.ok for line in done.lines)
    if context.json:
        emit({"artifact": str(file), "manifest": done.manifest.digest, **done.manifest.about})
        return ExitCode.OK
    for line in done.lines:
        print(f"{'pass' if line.ok else 'FAIL'}  {line.badge}: {line.text}: {line.evidence}")
    print(
        f"{file}: {len(done.manifest.parts)} files, manifest {done.manifest.digest[:12]}; "
        f"{good} of {len(done.lines)} lines of the checklist pass"
    )
    return ExitCode.OK


def _has(context: Context, profile: str) -> bool:
    return context.paths.reference(profile).exists()


def _image(context: Context, file: Path) -> Image:
    """Raises BuildError if it is none, UsageError if it is not the one of this checkout."""
    from harness.measure.images.archive import describe
    from harness.measure.images.build import image_tag
    from harness.tracking.artifact.pack import Image

    tag, mine = describe(file).tag, image_tag(context.paths)
    if tag != mine:
        raise UsageError(f"{file} holds {tag}, this checkout runs its cells in {mine}")
    return Image(file, tag)


def _versions(text: str, where: str) -> Mapping[str, str]:
    return {name: it.version for name, it in lock.parse(text, where).packages.items()}


def _repeated(store: Store, reference: Sequence[Record]) -> int:
    """How many of these cells the store has run more than once, each time with these bits."""
    from harness.analysis.compare import first_difference

    count = 0
    for one in reference:
        again = [it.outcome for it in store.attempts(one.cell_id)]
        same = all(not first_difference(one.outcome, it) for it in again)
        count += len(again) > 1 and same
    return count


def _check(context: Context, file: Path, again: Again | None) -> ExitCode:
    from harness.tracking.artifact.bundle import open_bundle
    from harness.tracking.artifact.check import check
    from harness.tracking.artifact.render import render

    log = context.logs / "artifact.log"
    findings: list[Finding] = []
    with open_bundle(file) as bundle, tempfile.TemporaryDirectory(prefix="rexen-check-") as scratch:
        sources = Path(scratch) / "rexen"
        found = check(bundle, sources, read_lock=_versions, render=partial(render, log=log))
        for one in found:
            findings.append(one)
            if not context.json:
                print(f"{'ok' if one.ok else 'DIFFERS':8}{one.what}: {one.evidence}", flush=True)
        ran = _run(context, bundle, sources, again, log) if again else ExitCode.OK
        about = bundle.manifest.about
    differs = not all(one.ok for one in findings)
    if context.json:
        emit(
            {
                "commit": about["commit"],
                "manifest": bundle.manifest.digest,
                "findings": [
                    {"what": f.what, "ok": f.ok, "evidence": f.evidence} for f in findings
                ],
                "run": int(ran),
            }
        )
    else:
        print(f"commit {about['commit']}, manifest {bundle.manifest.digest[:12]}")
    return ExitCode.DIFFERENT if differs else ran


def _run(context: Context, bundle: Bundle, sources: Path, again: Again, log: Path) -> ExitCode:
    """Measure the packed cells with the packed sources, in the packed image if there is one. The
    exit code is that of their own `verify --reference`."""
    from harness.tracking.artifact.pack import IMAGE
    from harness.tracking.artifact.render import rexen

    chosen = [] if again.experiment == EVERYTHING else ["--experiment", again.experiment]
    chosen += ["--jobs", str(again.jobs)]
    results = sources.parent / "results"
    try:
        if IMAGE in bundle.manifest.parts:
            image = sources.parent / IMAGE
            with context.steps.step("loading the packed image"):
                bundle.copy(IMAGE, image)
                rexen(sources, ["image", "load", str(image)], log=log, wall_s=RUN_WALL_S)
            image.unlink()
        for profile in bundle.manifest.about["profiles"]:
            options = ["--profile", profile, *chosen, "--results", str(results)]
            with context.steps.step(f"measuring the {profile} cells again; {log} tells"):
                rexen(sources, ["verify", "--reference", *options], log=log, wall_s=RUN_WALL_S)
    except ProcessFailed as error:
        _say_end(context, log)
        if error.status in set(ExitCode):
            return ExitCode(error.status)
        raise
    _say_end(context, log)
    return ExitCode.OK


def _say_end(context: Context, log: Path) -> None:
    """The last line that the run printed."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if not context.json:
        print(f"run: {lines[-1] if lines else 'it said nothing'}")
