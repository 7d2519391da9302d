"""What a worker process is told of a campaign, and its own side of it. Nothing here knows Dask.

A campaign has an engine, a folder and an event, which stay where they are; a worker has its own.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import EngineError, UnlikeError
from harness.measure.campaign import Campaign, Interrupted
from harness.measure.images.container import Engine
from harness.measure.machines.testbed import ARTEFACTS
from harness.model.record import Purpose
from harness.paths import checkout_root


@dataclass(frozen=True, slots=True)
class Errand:
    """`connect` gives an engine; `manifest` and `sources` are digests of what the image holds and
    of the harness, "" where they need no check; machines' folders lie in `scratch`, None for the
    host's own place for such. `token` tells one errand from the next."""

    connect: Callable[[], Engine]
    image: str
    inputs: str
    purpose: Purpose
    owner: str
    catalogues: str
    manifest: str = ""
    sources: str = ""
    scratch: Path | None = None
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])


def errand_here(campaign: Campaign) -> Errand:
    """For workers on this host, which have its engine and its files."""
    return Errand(
        connect=campaign.engine.elsewhere(),
        image=campaign.image,
        inputs=campaign.inputs,
        purpose=campaign.purpose,
        owner=campaign.owner,
        catalogues=campaign.catalogues,
        scratch=campaign.scratch,
    )


def errand_abroad(campaign: Campaign) -> Errand:
    """For workers on any host: what must be alike there is said. Raises EngineError."""
    return replace(
        errand_here(campaign),
        scratch=None,
        manifest=manifest_digest(campaign.engine, campaign.image),
        sources=sources_digest(checkout_root()),
    )


def manifest_digest(engine: Engine, image: str) -> str:
    """Of all that the image holds. Raises EngineError."""
    return hashlib.sha256(engine.output_of(image, ["cat", f"{ARTEFACTS}/manifest"])).hexdigest()


def sources_digest(root: Path) -> str:
    """Of the harness's own Python files; its tests run no cell."""
    digest = hashlib.sha256()
    for path in sorted((root / "harness").rglob("*.py")):
        name = path.relative_to(root)
        if "tests" not in name.parts:
            digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


# This process's side of the errands it was sent on, by token.
_sides: dict[str, Campaign] = {}
_stopped: set[str] = set()
_lock = threading.Lock()


class Interruption(threading.Event):
    """Set by hand, or by the end of the worker whose thread this is asked from."""

    def __init__(self, ending: Callable[[], bool]) -> None:
        super().__init__()
        self._ending = ending

    def is_set(self) -> bool:
        return super().is_set() or self._ending()


def side_of(errand: Errand, slot: str, ending: Callable[[], bool]) -> Campaign:
    """This process's own side of a campaign, made at its first cell: an engine, and nothing left of
    what an earlier process of this slot was killed over. Its machines stop when the worker is
    `ending`. Raises EngineError, UnlikeError, Interrupted if the campaign was stopped before."""
    with _lock:
        if errand.token in _stopped:
            raise Interrupted
        if errand.token not in _sides:
            owner = f"{errand.owner}-{slot}"
            engine = errand.connect()
            difference = unlike(errand, engine)
            if difference:
                raise UnlikeError(f"worker {slot} {difference}")
            engine.sweep(owner)
            _sides[errand.token] = Campaign(
                engine=engine,
                image=errand.image,
                inputs=errand.inputs,
                purpose=errand.purpose,
                scratch=errand.scratch or Path(tempfile.gettempdir()),
                owner=owner,
                interrupt=Interruption(ending),
                catalogues=errand.catalogues,
            )
        return _sides[errand.token]


def unlike(errand: Errand, engine: Engine) -> str:
    """How this worker differs from where the cells were planned; "" if it does not."""
    if errand.sources and sources_digest(checkout_root()) != errand.sources:
        return "has other sources of the harness: check out the same commit there"
    if not errand.manifest:
        return ""
    if not engine.has_image(errand.image):
        return f"has no image {errand.image}: build or load it there"
    if manifest_digest(engine, errand.image) != errand.manifest:
        return f"has another image {errand.image}: save the one here, load it there"
    return ""


def fitness(errand: Errand) -> str:
    """As `unlike`, for a worker that has done nothing yet."""
    try:
        return unlike(errand, errand.connect())
    except EngineError as error:
        return str(error)


def stop(token: str) -> None:
    """Stop this process's machines of an errand, and begin no more."""
    with _lock:
        _stopped.add(token)
        if token in _sides:
            _sides[token].interrupt.set()
