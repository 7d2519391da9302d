"""The nights on which something happened, as an Atom feed."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from harness.tracking.ledger import subject
from harness.tracking.night import Night

ATOM = "http://www.w3.org/2005/Atom"
TAG = "tag:rexen.invalid,2026"
MOST = 50  # entries, the newest ones


def feed(nights: Sequence[Night], *, address: str = "") -> bytes:
    """`nights` are those worth an entry, oldest first, with their summaries.
    Links are below `address`; without one they are relative to the feed."""
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(f"{{{ATOM}}}feed")
    _text(root, "title", "Rexen, night by night")
    _text(root, "id", f"{TAG}:nights")
    _text(root, "updated", _moment(nights[-1]) if nights else "1970-01-01T00:00:00Z")
    author = ElementTree.SubElement(root, f"{{{ATOM}}}author")
    _text(author, "name", "rexen nightly")
    _link(root, "alternate", f"{address}index.html")
    if address:
        _link(root, "self", f"{address}feed.xml")
    for night in list(nights)[: -MOST - 1 : -1]:
        entry = ElementTree.SubElement(root, f"{{{ATOM}}}entry")
        _text(entry, "title", subject(night))
        _text(entry, "id", f"{TAG}:{night.profile}/{night.date}/{night.entry[:12]}")
        _text(entry, "updated", _moment(night))
        _link(entry, "alternate", f"{address}index.html#{anchor(night)}")
        _text(entry, "content", night.summary, type="text")
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def anchor(night: Night) -> str:
    """The place of a night in the index."""
    return f"night-{night.profile}-{night.date}-{night.entry[:7]}"


def _moment(night: Night) -> str:
    return f"{night.date}T00:00:00Z"


def _text(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes).text = text


def _link(parent: ElementTree.Element, rel: str, address: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": address})
