"""rexen image save|load FILE: the image that cells run in, as one archive."""

from __future__ import annotations

from pathlib import Path

from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode


def add(verbs: Verbs) -> None:
    parser = verbs.add(
        "image", image, "save the image that cells run in as one OCI archive, or load it"
    )
    parser.add_argument("action", choices=("save", "load"), help="write the archive, or read it")
    parser.add_argument("file", type=Path, metavar="FILE", help="the archive")


def image(context: Context, *, action: str, file: Path) -> ExitCode:
    """A loaded image is the one that `run` takes, if it was saved from a checkout like this."""
    from harness.cli.session import ready_image
    from harness.measure.images import archive
    from harness.measure.images.build import image_tag
    from harness.measure.images.host import ensure_engine

    if action == "save":
        engine, built = ready_image(context)
        with context.steps.step(f"saving {built.tag}"):
            done = archive.save(engine, built.tag, file)
    else:
        engine = ensure_engine(context.logs, context.steps)
        with context.steps.step(f"loading {file}"):
            done = archive.load(engine, file)
    mine = done.tag == image_tag(context.paths)
    if context.json:
        emit({"tag": done.tag, "digest": done.digest, "bytes": done.size, "of_this_checkout": mine})
        return ExitCode.OK
    print(f"{done.tag}, {done.digest}, {done.size / 1e6:.0f} MB in {file}")
    if not mine:
        print("it is of another checkout: this one builds or loads its own")
    return ExitCode.OK
