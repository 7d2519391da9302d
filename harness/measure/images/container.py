"""The container engine, through the docker SDK; no other module imports it.

Any engine that speaks Docker's API serves: Docker or Podman, rootful or rootless, found by
DOCKER_HOST or at the sockets they listen on by default.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from harness.errors import BuildError, DiskFullError, EngineError, HarnessError

LABEL = "rexen"
API_TIMEOUT_S = 60
NO_SPACE = "no space left on device"
DIGEST = re.compile(r"[0-9a-f]{64}")
UNREACHABLE = (DockerException, requests.RequestException, OSError)


def candidate_urls(environment: Mapping[str, str]) -> list[str]:
    """Where an engine may listen; DOCKER_HOST, if set, is the only candidate."""
    chosen = environment.get("DOCKER_HOST", "")
    if chosen:
        return [chosen]
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    sockets = ["/var/run/docker.sock", "/run/podman/podman.sock"]
    if runtime:
        sockets += [f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock"]
    return [f"unix://{socket}" for socket in sockets if Path(socket).exists()]


@dataclass(frozen=True, slots=True)
class Identity:
    """What an engine says an image is: its digest, and the digests of its unpacked layers."""

    image: str
    layers: tuple[str, ...]


class Running:
    """A started container."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def ended(self) -> bool:
        """Raises EngineError if the engine does not answer."""
        try:
            self._container.reload()
        except NotFound:
            return True
        except UNREACHABLE as error:
            raise _lost(error) from None
        return bool(self._container.status in ("exited", "dead"))

    def result(self) -> tuple[int, bool, str]:
        """Exit code, whether the kernel killed it for memory, and its last line of stderr."""
        try:
            self._container.reload()
            state = self._container.attrs["State"]
            logs = self._container.logs(stdout=False, stderr=True, tail=20).decode(errors="replace")
        except UNREACHABLE as error:
            raise _lost(error) from None
        # QEMU's notice of who asked it to end is no complaint.
        lines = [
            line.strip() for line in logs.splitlines() if line.strip() and "signal 15" not in line
        ]
        return int(state["ExitCode"]), bool(state.get("OOMKilled")), lines[-1] if lines else ""

    def remove(self) -> None:
        """Kill and delete it; that it is gone already is fine, and so is a dead engine."""
        try:
            self._container.remove(force=True)
        except UNREACHABLE:
            pass


class Engine:
    """A connection to a container engine that answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = docker.DockerClient(base_url=url, timeout=API_TIMEOUT_S, max_pool_size=32)

    @classmethod
    def connect(cls, environment: Mapping[str, str] | None = None) -> Engine:
        """The first engine that answers. Raises EngineError, which says what was tried."""
        urls = candidate_urls(os.environ if environment is None else environment)
        tried = []
        for url in urls:
            try:
                engine = cls(url)
                engine._client.ping()
                return engine
            # The SDK lets urllib's ValueError through for an address it cannot parse.
            except (*UNREACHABLE, ValueError) as error:
                tried.append(f"{url}: {_short(error)}")
        what = "no container engine answers" + (f" ({'; '.join(tried)})" if tried else "")
        raise EngineError(
            what, hint="start Docker or Podman, set DOCKER_HOST, or run as root on Debian"
        )

    def elsewhere(self) -> Callable[[], Engine]:
        """How another process, perhaps on another host, comes by an engine of its own."""
        return Engine.connect

    def version(self) -> str:
        try:
            reply = self._client.version()
        except UNREACHABLE as error:
            raise _lost(error) from None
        return f"{reply.get('Platform', {}).get('Name') or 'engine'} {reply.get('Version', '?')}"

    def has_image(self, tag: str) -> bool:
        try:
            self._client.images.get(tag)
        except ImageNotFound:
            return False
        except UNREACHABLE as error:
            raise _lost(error) from None
        return True

    def image_digest(self, tag: str) -> str:
        """Enough of a local image's digest to name it in a FROM line of any engine."""
        try:
            digest = str(self._client.images.get(tag).id)
        except UNREACHABLE as error:
            raise _lost(error, f"the image {tag} went away") from None
        return digest.removeprefix("sha256:")[:32]

    def identity(self, tag: str) -> Identity:
        """What the engine has under this name."""
        try:
            attributes = self._client.images.get(tag).attrs
        except ImageNotFound:
            raise BuildError(f"the engine has no image {tag}") from None
        except UNREACHABLE as error:
            raise _lost(error) from None
        identity = str(attributes["Id"])
        layers = tuple(str(layer) for layer in attributes["RootFS"]["Layers"])
        # Podman leaves the algorithm out.
        return Identity(identity if ":" in identity else f"sha256:{identity}", layers)

    def save(self, tag: str) -> Iterator[bytes]:
        """An image in the engine's own form, a tar."""
        try:
            yield from self._client.images.get(tag).save()
        except UNREACHABLE as error:
            raise _lost(error, f"cannot save {tag}") from None

    def load(self, dump: BinaryIO) -> None:
        """The reverse of `save`. Raises BuildError if the engine does not want it."""
        try:
            self._client.images.load(dump)
        except UNREACHABLE as error:
            raise _build_error(f"the engine refuses the image: {_short(error)}", error) from None

    def forget(self, tag: str) -> None:
        """Take an image's name away, and the image if it has no other; that it is gone is fine."""
        try:
            self._client.images.remove(tag, force=True)
        except UNREACHABLE:
            pass

    def pull(self, repository: str, tag: str) -> bool:
        """True if the image is here now; False if its registry cannot be reached."""
        try:
            self._client.images.pull(repository, tag=tag)
        except UNREACHABLE:
            return False
        return True

    def import_root(self, archive: Path, repository: str, tag: str) -> None:
        """Make an image of one layer from a tar of a root file system.

        Named by hand: Podman's answer to the same request forgets the name.
        """
        try:
            answer = self._client.api.import_image(src=str(archive), repository=repository, tag=tag)
            digest = DIGEST.search(str(answer))
            if digest is None:
                raise BuildError(f"the engine did not import the base image: {str(answer)[:200]}")
            self._client.api.tag(digest[0], repository, tag)
        except UNREACHABLE as error:
            raise _build_error(f"cannot import the base image: {_short(error)}", error) from None

    def build(
        self, context: BinaryIO, *, tag: str, target: str, arguments: Mapping[str, str], log: Path
    ) -> Iterator[str]:
        """Build from a tar; yields the engine's own step lines. Raises BuildError.

        The classic builder: every engine has it, and it needs no second protocol. The host's
        network is used because an engine without a bridge has no other.
        """
        try:
            stream = self._client.api.build(
                fileobj=context,
                custom_context=True,
                tag=tag,
                target=target,
                buildargs=dict(arguments),
                network_mode="host",
                rm=True,
                forcerm=True,
                decode=True,
            )
            with log.open("w", encoding="utf-8") as file:
                yield from _build_lines(stream, file, log)
        except (APIError, requests.RequestException) as error:
            raise _build_error(f"building {tag} failed: {_short(error)}", error, log) from None

    def start(
        self,
        image: str,
        argv: Sequence[str],
        *,
        mounts: Mapping[Path, str],
        memory_mib: int,
        owner: str,
        name: str,
    ) -> Running:
        """Start a container without a network. `mounts`: host directory -> path inside."""
        try:
            container = self._client.containers.run(
                image,
                list(argv),
                detach=True,
                network_mode="none",
                volumes={
                    str(host): {"bind": inside, "mode": "rw"} for host, inside in mounts.items()
                },
                mem_limit=f"{memory_mib}m",
                memswap_limit=f"{memory_mib}m",
                labels={LABEL: owner},
                name=name,
                init=False,
            )
        except UNREACHABLE as error:
            raise _lost(error, f"cannot start a container of {image}") from None
        return Running(container)

    def output_of(self, image: str, argv: Sequence[str]) -> bytes:
        """Run a short command in an image and return what it printed. Raises EngineError."""
        try:
            return bytes(
                self._client.containers.run(image, list(argv), network_mode="none", remove=True)
            )
        except UNREACHABLE as error:
            raise _lost(error, f"cannot run {argv[0]} in {image}") from None

    def stream(self, image: str, argv: Sequence[str], *, source: Path) -> Iterator[bytes]:
        """Run a command with a checkout mounted read-only at /src, yield its output as it comes.

        Raises BuildError if it fails, EngineError if the engine does.
        """
        try:
            container = self._client.containers.run(
                image,
                list(argv),
                detach=True,
                network_mode="none",
                working_dir="/src",
                volumes={str(source): {"bind": "/src", "mode": "ro"}},
            )
        except UNREACHABLE as error:
            raise _lost(error, f"cannot run {argv[0]} in {image}") from None
        running = Running(container)
        try:
            yield from container.logs(stream=True, follow=True)
            status = int(container.wait()["StatusCode"])
        except UNREACHABLE as error:
            raise _lost(error) from None
        finally:
            running.remove()
        if status:
            raise BuildError(f"{argv[0]} failed with status {status} in {image}")

    def sweep(self, owner: str) -> int:
        """Remove containers that an owner, or a part of it (`OWNER-...`), left behind when it was
        killed; how many."""
        try:
            # Others' containers may go while we look.
            ours = self._client.containers.list(
                all=True, filters={"label": LABEL}, ignore_removed=True
            )
        except UNREACHABLE as error:
            raise _lost(error) from None
        left = [it for it in ours if f"{it.labels.get(LABEL)}-".startswith(f"{owner}-")]
        for container in left:
            Running(container).remove()
        return len(left)


def _build_lines(stream: Iterator[Any], file: TextIO, log: Path) -> Iterator[str]:
    for message in stream:
        text = message.get("stream") or message.get("status") or ""
        file.write(text)
        if "error" in message:
            file.write(message["error"])
            file.flush()
            if NO_SPACE in message["error"].lower():
                raise DiskFullError("the image build ran out of disk space", log=log)
            raise BuildError(f"image build failed: {message['error'].strip()}", log=log)
        if text.startswith("Step "):
            yield text.strip()


def _build_error(what: str, error: Exception, log: Path | None = None) -> HarnessError:
    if NO_SPACE in str(error).lower():
        return DiskFullError(what, log=log)
    return BuildError(what, log=log)


def _lost(error: Exception, what: str = "the container engine does not answer") -> HarnessError:
    if NO_SPACE in str(error).lower():
        return DiskFullError(f"{what}: no space left")
    return EngineError(
        f"{what}: {_short(error)}",
        hint="see that it runs, then run again: nothing measured is lost",
    )


def _short(error: Exception) -> str:
    """One line of an SDK error, without the plumbing's repr around it."""
    if isinstance(error, APIError) and error.explanation:
        return str(error.explanation).strip().splitlines()[0]
    text = str(error).strip() or type(error).__name__
    try:
        text = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        pass
    return text.splitlines()[0][:200]
