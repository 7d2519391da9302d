"""rexen shell SYSTEM: boot a system and join its console to this terminal."""

from __future__ import annotations

from harness import catalogue
from harness.cli.context import Context
from harness.cli.parsers import Verbs
from harness.errors import ExitCode


def add(verbs: Verbs) -> None:
    parser = verbs.add("shell", shell, "boot a system and give its console (leave with Ctrl-])")
    parser.add_argument("system", metavar="SYSTEM", help="a system of the catalogue")


def shell(context: Context, *, system: str) -> ExitCode:
    from harness.cli.session import ready_image
    from harness.measure.machines.terminal import join_console

    (chosen,) = catalogue.choose("system", catalogue.load_systems(context.paths), [system])
    engine, image = ready_image(context)
    context.steps.say(f"{chosen.title}: leave with Ctrl-]")
    join_console(engine, image.tag, chosen)
    return ExitCode.OK
