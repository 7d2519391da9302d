"""A night's summary in Markdown: the exact difference first, steps second, verdicts third."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.tracking.changes import Change, Changes
from harness.tracking.night import Night, Number

# A renewed kernel moves every number; the rest is in the ledger, number by number.
MOST = 40
MOST_PACKAGES = 15


def first_summary(night: Night) -> str:
    """Of a night that has none before it."""
    counts = night.counts
    return _text(
        [
            f"# {night.date}, {night.profile}: the first night",
            f"{len(night.numbers)} numbers of {counts.cells} cells; {counts.failed} cells failed.",
            *_made_from(night),
        ]
    )


def summary(changes: Changes, packages: Sequence[str]) -> str:
    """`packages` are the lines of the difference of the two locks."""
    night = changes.new
    parts = [f"# {night.date}, {night.profile}: {headline(changes)}"]
    if changes.undetermined:
        parts += [
            "**The same inputs gave other bits.** Nothing else on this page can be trusted before "
            "this is understood:",
            _table(changes.undetermined),
        ]
    if changes.broken:
        parts.append("Cells that fail now:")
        parts.append(
            "\n".join(
                f"- {one.workload} on {one.system}{f' at {one.point}' if one.point else ''}: "
                f"{one.status}"
                for one in changes.broken
            )
        )
    parts += _difference(changes)
    parts += _steps(changes)
    parts += _verdicts(changes)
    parts += _inputs(changes, packages)
    return _text(parts)


def headline(changes: Changes) -> str:
    """`7 of 512 numbers changed, all on rexen, commit 0123456789ab`."""
    total = len({one.place for one in (*changes.old.numbers, *changes.new.numbers)})
    if not changes.numbers:
        return f"none of {total} numbers changed"
    text = f"{len(changes.numbers)} of {total} numbers changed"
    systems = sorted({one.number.system for one in changes.numbers})
    all_of_them = len(changes.numbers) > 1
    text += f", {'all ' if all_of_them and len(systems) == 1 else ''}on {', '.join(systems)}"
    if changes.ours:
        text += f", commit {changes.new.source.commit[:12]}"
    return text + (", a renewed lock" if changes.lock else "")


def _difference(changes: Changes) -> list[str]:
    if not changes.numbers:
        return ["## What changed", "Nothing: every number is the last night's, to the bit."]
    causes = Counter(one.cause for one in changes.numbers)
    lines = [f"- {count} by {cause.value}" for cause, count in causes.most_common()]
    return ["## What changed", "\n".join(lines), _table(changes.numbers)]


def _steps(changes: Changes) -> list[str]:
    worse, steps = changes.regressions, changes.steps
    if not steps:
        return []
    better = [one for one in steps if not one.worse]
    parts = [
        "## Steps",
        f"{len(worse)} for the worse, {len(better)} for the better: a change of 0.1 % or more that "
        "is larger than what perturbations move.",
    ]
    return [*parts, _table([*worse, *better])]


def _verdicts(changes: Changes) -> list[str]:
    if not changes.claims:
        return []
    rows = [
        f"| {one.id} | {one.system or 'all'} | {one.old} | {one.new} | {_cell(one.reason)} |"
        for one in changes.claims
    ]
    head = ["| claim | system | was | is | why |", "|---|---|---|---|---|"]
    return ["## Verdicts", "\n".join([*head, *rows])]


def _inputs(changes: Changes, packages: Sequence[str]) -> list[str]:
    parts = ["## Made from", *_made_from(changes.new)]
    if changes.ours:
        parts.append(f"The night before: commit {changes.old.source.commit[:12]}.")
    if packages:
        more = len(packages) - MOST_PACKAGES
        lines = [*packages[:MOST_PACKAGES], *([f"and {more} more"] if more > 0 else [])]
        parts += [f"{len(packages)} packages of the lock changed:", _code(lines)]
    if changes.inputs:
        lines = [f"{name}: {count} cells" for name, count in changes.inputs.items()]
        parts += ["Inputs of cells that changed:", _code(lines)]
    return parts


def _made_from(night: Night) -> list[str]:
    source, counts = night.source, night.counts
    known = ", the others have the same inputs as before" if counts.run < counts.cells else ""
    lines = [
        f"- commit `{source.commit[:12]}` {_cell(source.subject)}",
        f"- image `{source.image}`, {source.emulator}",
        f"- inputs.lock `{source.lock[:16]}`",
        f"- {counts.run} of {counts.cells} cells were run{known}; {counts.failed} failed",
    ]
    lines += [f"- not as locked: {one}" for one in source.differs]
    return ["\n".join(lines)]


def _table(changes: Sequence[Change]) -> str:
    """The largest first."""
    order = sorted(changes, key=lambda it: (-abs(it.relative or 0.0), it.place))
    rows = [
        f"| {one.number.system} | {one.number.name} | {_value(one.old)} | {_value(one.new)} "
        f"| {_moved(one)} | {_why(one)} |"
        for one in order[:MOST]
    ]
    head = ["| system | number | was | is | change | from |", "|---|---|--:|--:|--:|---|"]
    more = len(order) - MOST
    tail = f"\n\nand {more} more, in `numbers.json` of this night" if more > 0 else ""
    return "\n".join([*head, *rows]) + tail


def _value(number: Number | None) -> str:
    return "–" if number is None else f"{number.value:.6g} {number.unit}".strip()


def _moved(change: Change) -> str:
    if change.relative is None:
        return "gone" if change.new is None else "new" if change.old is None else "–"
    sense = "worse" if change.worse else "better"
    spread = ", within the spread" if change.within_spread else ""
    return f"{change.relative:+.4%} {sense}{spread}"


def _why(change: Change) -> str:
    inputs = ", ".join(f"`{one}`" for one in change.inputs)
    return f"{change.cause.value} ({inputs})" if inputs else change.cause.value


def _cell(text: str) -> str:
    """For one cell of a table, or one line."""
    return " ".join(text.replace("|", "\\|").split())


def _code(lines: Iterable[str]) -> str:
    return "\n".join(["```", *lines, "```"])


def _text(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"
