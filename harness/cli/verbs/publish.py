"""rexen publish DIR: one static site of the reports, the nights, asv's pages and the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness import catalogue
from harness.cli.choice import Choice, choose
from harness.cli.context import Context
from harness.cli.output import emit
from harness.cli.parsers import Verbs
from harness.cli.verbs.report import study_of, with_consoles
from harness.errors import ExitCode
from harness.model.workload import PROFILES
from harness.store import newest_cells

if TYPE_CHECKING:
    from harness.analysis.study import Study
    from harness.tracking.ledger import Ledger
    from harness.tracking.publish import Addresses, Published


def add(verbs: Verbs) -> None:
    parser = verbs.add(
        "publish", publish, "write a static site: reports, past nights, asv's pages, data, a feed"
    )
    parser.add_argument(
        "site", type=Path, metavar="DIR", help="where to; an older site in it is replaced"
    )
    parser.add_argument(
        "--ledger", type=Path, metavar="DIR", help="the nights (default: only the reports)"
    )
    parser.add_argument(
        "--address", default="", metavar="URL", help="where the site will be, for the feed's links"
    )
    parser.add_argument(
        "--commit-url", default="", metavar="URL", help="what stands before a commit of the ledger"
    )


def publish(
    context: Context, *, site: Path, ledger: Path | None, address: str, commit_url: str
) -> ExitCode:
    from harness.tracking.ledger import Ledger
    from harness.tracking.publish import Addresses

    book = Ledger(ledger) if ledger else None
    addresses = Addresses(site=_folder(address), commit=commit_url)
    found = write_site(context, site.resolve(), book, addresses)
    if context.json:
        emit({"index": str(found.index), "nights": found.nights, "reports": list(found.reports)})
    else:
        print(f"site: {found.index}")
    return ExitCode.OK


def write_site(
    context: Context, site: Path, ledger: Ledger | None, addresses: Addresses
) -> Published:
    """The site of this store and this ledger. Raises UsageError, StoreError."""
    from harness.analysis.frame import base_system
    from harness.tracking.publish import Sources
    from harness.tracking.publish import publish as write

    workloads = catalogue.load_workloads(context.paths)
    systems = catalogue.load_systems(context.paths)
    sources = Sources(
        studies=_studies(context),
        ledger=ledger,
        systems=systems,
        experiments=catalogue.load_experiments(
            context.paths.experiments, workloads, catalogue.experiment_folders(context.paths)
        ),
        base=base_system(systems),
    )
    scratch = context.paths.build / "asv"
    return write(site, sources, addresses, scratch=scratch, logs=context.logs, steps=context.steps)


def _studies(context: Context) -> dict[str, Study]:
    """Of each profile that has any record."""
    records = list(context.store.all_records())
    found = {}
    for profile in PROFILES:
        everything = Choice(profile=profile, experiments=(), systems=(), workloads=(), point=None)
        chosen = choose(context.paths, everything)
        newest = newest_cells(one for one in records if chosen.wants(one.at))
        mine = [one for at in sorted(newest, key=str) for one in newest[at]]
        if mine:
            found[profile] = with_consoles(context, study_of(context, chosen, mine))
    return found


def _folder(address: str) -> str:
    return address if not address or address.endswith("/") else f"{address}/"
