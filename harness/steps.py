"""Names, times and prints the steps of a run: the one source of progress output.

On a terminal a live line with an estimate is drawn by `rich`; elsewhere plain lines are
printed, and with --json nothing but the final document goes to standard output.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

# Imported when something is first drawn: most verbs print a table and leave.
if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


@dataclass(frozen=True, slots=True)
class Spent:
    """Wall seconds of one finished step."""

    name: str
    wall_s: float


class Steps:
    """Prints to standard error, so standard output stays a command's result."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.spent: list[Spent] = []
        self._quiet = quiet
        self._lock = threading.Lock()

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(file=sys.stderr, highlight=False, soft_wrap=True, quiet=self._quiet)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step, time it, and say so when it took more than a second."""
        self.say(f"{name} ...")
        started = time.monotonic()
        yield
        wall_s = time.monotonic() - started
        self.spent.append(Spent(name, wall_s))
        if wall_s >= 1:
            self.say(f"{name}: done in {duration(wall_s)}")

    def say(self, text: str) -> None:
        with self._lock:
            self._console.print(text, markup=False)

    def bar(self, name: str, total: int, estimate_s: float) -> Bar:
        return Bar(self._console, name, total, estimate_s)


class Bar:
    """Progress over cells. The estimate is of the work left, not of the count left."""

    def __init__(self, console: Console, name: str, total: int, estimate_s: float) -> None:
        self._console = console
        self._total = total
        self._left_s = estimate_s
        self._done = 0
        self._name = name
        self._lock = threading.Lock()
        self._progress = _progress(console) if console.is_terminal and total else None
        self._task = 0

    def __enter__(self) -> Bar:
        if self._progress:
            self._progress.start()
            left = f"about {duration(self._left_s)} left"
            self._task = int(self._progress.add_task(self._name, total=self._total, left=left))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress:
            self._progress.stop()

    def advance(self, line: str, *, left_s: float) -> None:
        """One cell is done: `line` says which and how; `left_s` is the new estimate."""
        with self._lock:
            self._done += 1
            left = f"about {duration(left_s)} left" if left_s > 0 else ""
            if self._progress:
                from rich.progress import TaskID

                self._progress.console.print(line, markup=False)
                self._progress.update(TaskID(self._task), completed=self._done, left=left)
            else:
                tail = f"  ({left})" if left else ""
                self._console.print(f"[{self._done}/{self._total}] {line}{tail}", markup=False)


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} cells"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
    )


def duration(seconds_s: float) -> str:
    """Seconds as a person says them: 4.2 s, 3 min 10 s, 2 h 05 min."""
    if seconds_s < 60:
        return f"{seconds_s:.1f} s"
    minutes, seconds = divmod(round(seconds_s), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
