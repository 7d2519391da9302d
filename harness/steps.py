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
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


@dataclass(frozen=True, slots=True)
class Spent:
    """Wall seconds of one finished step."""

    name: str
    wall_s: float


class Steps:
    """Prints to standard error, so standard output stays a command's result."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.spent: list[Spent] = []
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True, quiet=quiet)
        self._lock = threading.Lock()

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
        self._progress: Progress | None = None
        self._task = TaskID(0)
        if console.is_terminal and total:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f} cells"),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}"),
                console=console,
                transient=True,
            )

    def __enter__(self) -> Bar:
        if self._progress:
            self._progress.start()
            left = f"about {duration(self._left_s)} left"
            self._task = self._progress.add_task(self._name, total=self._total, left=left)
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
                self._progress.console.print(line, markup=False)
                self._progress.update(self._task, completed=self._done, left=left)
            else:
                tail = f"  ({left})" if left else ""
                self._console.print(f"[{self._done}/{self._total}] {line}{tail}", markup=False)


def duration(seconds_s: float) -> str:
    """Seconds as a person says them: 4.2 s, 3 min 10 s, 2 h 05 min."""
    if seconds_s < 60:
        return f"{seconds_s:.1f} s"
    minutes, seconds = divmod(round(seconds_s), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
