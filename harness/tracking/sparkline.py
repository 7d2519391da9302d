"""A number over the nights as a small inline SVG: a step where it changed, a dot at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

WIDTH, HEIGHT, EDGE = 120.0, 26.0, 3.0


def sparkline(values: Sequence[float | None], told: str) -> str:
    """`told` is the picture in words. The lowest of the values lies at the bottom, the highest at
    the top; None is a gap."""
    path = " ".join(_path(values))
    end = _end(values)
    dot = f'<circle cx="{end[0]:.1f}" cy="{end[1]:.1f}" r="2.2"/>' if end else ""
    return (
        f'<svg class="spark" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(told)}"><path d="{path}"/>{dot}</svg>'
    )


def _path(values: Sequence[float | None]) -> Iterator[str]:
    """A line that only moves where the value does, so that a still year costs a few bytes."""
    last: float | None = None
    for at, value in enumerate(values):
        if value is not None and last is None:
            yield f"M{_x(at, values):.1f} {_y(value, values):.1f}"
        elif value is not None and value != last:
            yield f"H{_x(at, values):.1f}V{_y(value, values):.1f}"
        elif value is None and last is not None:
            yield f"H{_x(at - 1, values):.1f}"
        last = value
    if last is not None:
        yield f"H{_x(len(values) - 1, values):.1f}"


def _end(values: Sequence[float | None]) -> tuple[float, float] | None:
    last = values[-1] if values else None
    return None if last is None else (_x(len(values) - 1, values), _y(last, values))


def _x(at: int, values: Sequence[float | None]) -> float:
    return EDGE + (WIDTH - 2 * EDGE) * (at / (len(values) - 1) if len(values) > 1 else 1.0)


def _y(value: float, values: Sequence[float | None]) -> float:
    seen = [one for one in values if one is not None]
    low, high = min(seen), max(seen)
    share = (value - low) / (high - low) if high > low else 0.5
    return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * share
