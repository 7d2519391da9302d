"""rexen diff A B: compare two sets of results exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import catalogue
from harness.cli.context import Context
from harness.cli.output import spelled, table
from harness.cli.parsers import Verbs
from harness.errors import ExitCode, UsageError
from harness.measure.images import lock
from harness.model.record import Record
from harness.model.workload import Workload
from harness.store import Store, read_reference, write_whole

if TYPE_CHECKING:
    from harness.analysis.diff import DiffResult
    from harness.analysis.inputs import InputChange

FORMS = ("terminal", "markdown", "html", "json")
LOCK = "inputs.lock"


def add(verbs: Verbs) -> None:
    parser = verbs.add("diff", diff, "compare two sets of results exactly")
    for name, text in (
        ("first", "a results directory, or a reference file"),
        ("second", "another"),
    ):
        metavar = "A" if name == "first" else "B"
        parser.add_argument(name, type=Path, metavar=metavar, help=text)
    parser.add_argument(
        "--format",
        choices=FORMS,
        default=FORMS[0],
        help="how to show it (default: terminal); html is one page of its own",
    )
    parser.add_argument("--to", type=Path, metavar="FILE", help="write it there instead")
    parser.add_argument(
        "--locks",
        type=Path,
        nargs=2,
        metavar=("OLD", "NEW"),
        help=f"the locks of A and B (default: {LOCK} inside each results directory, if there)",
    )


def diff(
    context: Context,
    *,
    first: Path,
    second: Path,
    format: str,  # noqa: A002  (the option's name)
    to: Path | None,
    locks: list[Path] | None,
) -> ExitCode:
    """DIFFERENT if a value differs; INCOMPLETE if none does but some are on one side only."""
    from harness.analysis.diff import diff_records

    form = "json" if context.json else format
    workloads = catalogue.load_workloads(context.paths)
    packages = _packages(*(locks or (first / LOCK, second / LOCK)), wanted=locks is not None)
    found = diff_records(_records(first), _records(second), workloads)
    text = _shown(found, workloads, (str(first), str(second)), packages, form)
    if to is None:
        print(text, end="")
    else:
        write_whole(to, text.encode())
    if found.differ:
        return ExitCode.DIFFERENT
    return ExitCode.INCOMPLETE if found.missing else ExitCode.OK


def _shown(
    found: DiffResult,
    workloads: Mapping[str, Workload],
    names: tuple[str, str],
    packages: Sequence[InputChange],
    form: str,
) -> str:
    from harness.report import diff as report

    if form == report.Form.JSON:
        return spelled(report.document(found, names=names, packages=packages))
    view = report.diff_view(found, workloads, names=names, packages=packages)
    if form == report.Form.HTML:
        return report.html(view)
    if form == report.Form.MARKDOWN:
        return report.markdown(view)
    tables = [f"{table(head, rows)}\n\n" for head, *rows in report.text_tables(view)]
    return "".join(tables) + f"{view.summary}\n"


def _packages(old: Path, new: Path, *, wanted: bool) -> tuple[InputChange, ...]:
    """What differs between two locks; nothing where they are not there and nobody named them."""
    from harness.analysis.inputs import InputChange, InputKind

    if not wanted and not (old.is_file() and new.is_file()):
        return ()
    found = lock.diff(lock.load(old), lock.load(new))
    sides = {
        **{name: (version, "") for name, version in found.removed.items()},
        **{name: ("", version) for name, version in found.added.items()},
        **found.changed,
    }
    return tuple(InputChange(InputKind.PACKAGE, name, *sides[name], 0) for name in sorted(sides))


def _records(place: Path) -> list[Record]:
    if place.is_file():
        return read_reference(place)
    if not (place / "records").is_dir():
        raise UsageError(f"{place} is no results directory", hint="it has no records/ in it")
    return list(Store(place).all_records())
