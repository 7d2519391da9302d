"""rexen build: everything a cell needs, built and ready."""

from __future__ import annotations

from harness import catalogue
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.errors import ExitCode


def add(verbs: Verbs) -> None:
    verbs.add("build", build, "build the image that cells run in")


def build(context: Context) -> ExitCode:
    from harness.cli.session import ready_image

    catalogue.load_systems(context.paths), catalogue.load_workloads(context.paths)
    _, image = ready_image(context)
    if context.json:
        emit({"image": image.tag, "emulator": image.emulator, "files": dict(image.files)})
    else:
        print(f"{image.tag} is ready ({image.emulator.rsplit(' ', 1)[0]})")
    return ExitCode.OK
