"""A system's one colour, made legible on a light and on a dark page.

The hue stays; where the catalogue's colour has too little contrast with the page it is mixed
with black or white until it has enough (WCAG 2.1 asks 3:1 of graphics).
"""

from __future__ import annotations

PAGE_LIGHT = "#fdfcf8"
PAGE_DARK = "#17181b"
LEAST_LIGHT = 3.0
LEAST_DARK = 4.0  # thin light lines on a dark page look dimmer than they measure
STEP = 0.05

Rgb = tuple[float, float, float]


def legible(color: str, page: str, least: float) -> str:
    """The colour nearest to `color`, towards black or white, that shows on `page`."""
    towards: Rgb = (0.0, 0.0, 0.0) if luminance(_rgb(page)) > 0.5 else (1.0, 1.0, 1.0)
    found, share = _rgb(color), 0.0
    while contrast(_hex(found), page) < least and share < 1.0:
        share += STEP
        found = _mixed(_rgb(color), towards, share)
    return _hex(found)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, 1 to 21."""
    bright, dim = sorted((luminance(_rgb(one)), luminance(_rgb(other))), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(color: Rgb) -> float:
    """WCAG's relative luminance, 0 (black) to 1 (white)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(color: Rgb, towards: Rgb, share: float) -> Rgb:
    red, green, blue = (a + (b - a) * share for a, b in zip(color, towards, strict=True))
    return (red, green, blue)


def _rgb(text: str) -> Rgb:
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return (red, green, blue)


def _hex(color: Rgb) -> str:
    return "#" + "".join(f"{round(min(max(part, 0.0), 1.0) * 255):02x}" for part in color)
