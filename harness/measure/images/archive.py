"""The image that cells run in as one file: an OCI image layout in a tar, every blob named by its
SHA-256, so that anyone can run the same bits years later without any mirror.

Docker and Podman give and take images as a tar of their own (manifest.json, a configuration, one
tar per layer); what is in it is the same, so an archive is that, repacked. The configuration is
kept byte for byte, and with it the image's identity. The tag travels as the image's reference name:
it is the digest of what the image was built from, so a checkout of the same sources finds it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from harness.errors import BuildError
from harness.measure.images.container import Engine

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
REFERENCE = "org.opencontainers.image.ref.name"
TAG = re.compile(r"localhost/rexen-bench:[0-9a-f]{16}")
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
CHUNK = 1 << 20
# Anything larger is no JSON of ours.
DOCUMENT_LIMIT = 1 << 20
UNREADABLE = (tarfile.TarError, OSError, EOFError, zlib.error, KeyError, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Archive:
    """One archive: the image's tag, the digest of its manifest, and the file's size."""

    tag: str
    digest: str
    size: int


def save(engine: Engine, tag: str, file: Path) -> Archive:
    """Write the image to `file`, whole or not at all. Same image, same bytes. Raises BuildError."""
    try:
        with tempfile.TemporaryDirectory(prefix=".rexen-save-", dir=file.parent) as scratch:
            folder = Path(scratch)
            dump, new = folder / "dump.tar", folder / "new.tar"
            with dump.open("wb") as out:
                for chunk in engine.save(tag):
                    out.write(chunk)
            digest = _repack(dump, new, tag, folder)
            new.replace(file)
    except FileNotFoundError:
        raise BuildError(f"cannot write {file}: no such directory") from None
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise BuildError(f"the engine gave {tag} in a form not known here: {error}") from None
    return Archive(tag, digest, file.stat().st_size)


def load(engine: Engine, file: Path) -> Archive:
    """Give the engine the image in `file`, every byte of it checked. Raises BuildError."""
    with tempfile.TemporaryDirectory(prefix="rexen-load-") as scratch:
        dump = Path(scratch) / "dump.tar"
        with _complaints(file):
            with tarfile.open(file, "r:") as tar:
                blobs = _Blobs(tar)
                found = _describe(blobs)
                _unpack(blobs, found, dump)
        with dump.open("rb") as stream:
            engine.load(stream)
    has = engine.identity(found.tag)
    if has.image not in (found.config, found.digest) or has.layers != found.layers:
        raise BuildError(f"the engine took {file} but has another image now: {has.image}")
    return Archive(found.tag, found.digest, file.stat().st_size)


def describe(file: Path) -> Archive:
    """What an archive says it holds; its layers are looked at when it is loaded. Raises
    BuildError."""
    with _complaints(file), tarfile.open(file, "r:") as tar:
        found = _describe(_Blobs(tar))
    return Archive(found.tag, found.digest, file.stat().st_size)


def _repack(dump: Path, new: Path, tag: str, folder: Path) -> str:
    """From the engine's tar to an OCI one; the digest of its manifest."""
    with (
        tarfile.open(dump, "r:") as source,
        tarfile.open(new, "w", format=tarfile.USTAR_FORMAT) as out,
    ):
        (entry,) = json.loads(_content(source, "manifest.json"))
        config = _content(source, entry["Config"])
        layers = []
        for number, name in enumerate(entry["Layers"]):
            packed = folder / f"layer-{number}"
            with _member(source, name) as stream:
                layers.append(_pack_layer(stream, packed))
        if [layer.diff_id for layer in layers] != json.loads(config)["rootfs"]["diff_ids"]:
            raise ValueError("its layers are not those its configuration names")
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _descriptor(CONFIG, _digest(config), len(config)),
                "layers": [_descriptor(LAYER, it.digest, it.size) for it in layers],
            }
        )
        digest = _digest(manifest)
        about = {**_descriptor(MANIFEST, digest, len(manifest)), "annotations": {REFERENCE: tag}}
        _put(out, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _put(
            out, "index.json", _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [about]})
        )
        _put(out, _blob(digest), manifest)
        _put(out, _blob(_digest(config)), config)
        for number, layer in enumerate(layers):
            with (folder / f"layer-{number}").open("rb") as stream:
                _put_stream(out, _blob(layer.digest), stream, layer.size)
    return digest


@dataclass(frozen=True, slots=True)
class _Layer:
    diff_id: str
    digest: str
    size: int


def _pack_layer(stream: IO[bytes], packed: Path) -> _Layer:
    """Compress a layer, without a time or a name in it."""
    plain = hashlib.sha256()
    with packed.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as out:
        for chunk in _chunks(stream):
            plain.update(chunk)
            out.write(chunk)
    with packed.open("rb") as written:
        digest = _sum(written)
    return _Layer(f"sha256:{plain.hexdigest()}", digest, packed.stat().st_size)


class _Blobs:
    """The blobs of an OCI archive, each checked against its name as it is read."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar

    def document(self, descriptor: Mapping[str, Any]) -> bytes:
        content = _content(self.tar, _blob(descriptor["digest"]))
        if _digest(content) != descriptor["digest"]:
            raise ValueError(f"{descriptor['digest']} has other content")
        return content

    @contextmanager
    def layer(self, digest: str, diff_id: str) -> Iterator[Iterator[bytes]]:
        """A layer's content, unpacked; checked at the end, packed and unpacked."""
        with _member(self.tar, _blob(digest)) as stream:
            if _sum(stream) != digest:
                raise ValueError(f"{digest} has other content")
            stream.seek(0)
            plain = hashlib.sha256()

            def content() -> Iterator[bytes]:
                with gzip.GzipFile(fileobj=stream) as unpacked:
                    for chunk in _chunks(unpacked):
                        plain.update(chunk)
                        yield chunk

            yield content()
            if f"sha256:{plain.hexdigest()}" != diff_id:
                raise ValueError(f"{digest} unpacks to something else")


@dataclass(frozen=True, slots=True)
class _Found:
    """What an archive holds: digests of manifest, configuration, and of each layer unpacked."""

    tag: str
    digest: str
    config: str
    content: bytes
    packed: Sequence[str]
    layers: tuple[str, ...]


def _describe(blobs: _Blobs) -> _Found:
    """Read the archive's documents. Raises one of UNREADABLE."""
    if json.loads(_content(blobs.tar, "oci-layout"))["imageLayoutVersion"] != "1.0.0":
        raise ValueError("its layout is of another version")
    (about,) = json.loads(_content(blobs.tar, "index.json"))["manifests"]
    tag = about.get("annotations", {}).get(REFERENCE, "")
    if not TAG.fullmatch(tag):
        raise BuildError(f"it holds {tag or 'an image without a name'}, no image of Rexen")
    manifest = json.loads(blobs.document(about))
    config = blobs.document(manifest["config"])
    layers = tuple(json.loads(config)["rootfs"]["diff_ids"])
    packed = [layer["digest"] for layer in manifest["layers"]]
    if len(packed) != len(layers):
        raise ValueError("its layers are not those its configuration names")
    return _Found(tag, about["digest"], manifest["config"]["digest"], config, packed, layers)


def _unpack(blobs: _Blobs, found: _Found, dump: Path) -> None:
    """Write the tar that engines take."""
    config = f"{_hex(found.config)}.json"
    names = [f"{number}-{_hex(digest)}/layer.tar" for number, digest in enumerate(found.layers)]
    with tarfile.open(dump, "w") as out, tempfile.TemporaryFile(dir=dump.parent) as plain:
        _put(out, config, found.content)
        for name, digest, diff_id in zip(names, found.packed, found.layers, strict=True):
            plain.seek(0)
            plain.truncate()
            with blobs.layer(digest, diff_id) as content:
                for chunk in content:
                    plain.write(chunk)
            size = plain.tell()
            plain.seek(0)
            _put_stream(out, name, plain, size)
        entry = {"Config": config, "RepoTags": [found.tag], "Layers": names}
        _put(out, "manifest.json", _json([entry]))


@contextmanager
def _complaints(file: Path) -> Iterator[None]:
    """Whatever is wrong with an archive is one line that names it."""
    try:
        yield
    except BuildError as error:
        raise BuildError(f"{file}: {error.message}") from None
    except FileNotFoundError:
        raise BuildError(f"{file}: no such file") from None
    except UNREADABLE as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise BuildError(f"{file} is no whole OCI archive: {what.splitlines()[0]}") from None


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    stream = tar.extractfile(name)
    if stream is None:
        raise ValueError(f"{name} is no file")
    return stream


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    with _member(tar, name) as stream:
        content = stream.read(DOCUMENT_LIMIT + 1)
    if len(content) > DOCUMENT_LIMIT:
        raise ValueError(f"{name} is too long")
    return content


def _sum(stream: IO[bytes]) -> str:
    whole = hashlib.sha256()
    for chunk in _chunks(stream):
        whole.update(chunk)
    return f"sha256:{whole.hexdigest()}"


def _chunks(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _put(out: tarfile.TarFile, name: str, content: bytes) -> None:
    _put_stream(out, name, BytesIO(content), len(content))


def _put_stream(out: tarfile.TarFile, name: str, stream: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    out.addfile(info, stream)


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest, "size": size}


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _hex(digest: str) -> str:
    found = DIGEST.fullmatch(digest)
    if found is None:
        raise ValueError(f"{digest!r} is no digest")
    return found[1]


def _blob(digest: str) -> str:
    return f"blobs/sha256/{_hex(digest)}"
