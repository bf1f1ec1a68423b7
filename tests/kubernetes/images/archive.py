"""Writes an image as a docker-archive, the tarball that `docker load` and `ctr images import` read.

No container engine and no registry are needed: an image is a few tarballs and two JSON documents.
Source: https://github.com/moby/docker-image-spec/blob/main/spec.md, "Combined Image JSON".
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
LONG_AGO = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class File:
    """A file in a layer: its content, or the path of a file that has it."""

    content: bytes | Path
    mode: int = 0o644


@dataclass(frozen=True)
class Link:
    """A symbolic link in a layer."""

    target: str


@dataclass(frozen=True)
class Folder:
    """A directory in a layer, where its mode matters."""

    mode: int = 0o755


Entry = File | Link | Folder


def write_layer(layer: Path, entries: Mapping[str, Entry]) -> Path:
    """Write a layer that consists of these entries, by path in the image, and return its path; root owns everything."""
    with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as tar:
        for path, entry in entries.items():
            match entry:
                case Link(target):
                    member = tarfile.TarInfo(path)
                    member.type, member.linkname, member.mode = tarfile.SYMTYPE, target, 0o777
                    tar.addfile(member)
                case Folder(mode):
                    member = tarfile.TarInfo(path)
                    member.type, member.mode = tarfile.DIRTYPE, mode
                    tar.addfile(member)
                case File(bytes() as content, mode):
                    _add(tar, path, content, mode)
                case File(Path() as source, mode):
                    _add_file(tar, path, source, mode)
    return layer


def write_archive(archive: Path, tag: str, settings: Mapping[str, object], layers: Sequence[Path]) -> None:
    """Write the image `tag` that has these layers, the lowest first.

    `settings` is what a Dockerfile would say: Entrypoint, Cmd, Env, User, WorkingDir, ExposedPorts.
    """
    digests = [_digest(layer) for layer in layers]
    image = {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "created": LONG_AGO,
        "config": dict(settings),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        "history": [{"created": LONG_AGO} for _ in layers],
    }
    content = json.dumps(image).encode()
    name = f"{hashlib.sha256(content).hexdigest()}.json"
    names = [f"{digest}/layer.tar" for digest in digests]
    manifest = [{"Config": name, "RepoTags": [tag], "Layers": names}]
    with tarfile.open(archive, "w") as tar:
        _add(tar, name, content, 0o644)
        _add(tar, "manifest.json", json.dumps(manifest).encode(), 0o644)
        for path, layer in zip(names, layers, strict=True):
            _add_file(tar, path, layer, 0o644)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add(tar: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, path: str, source: Path, mode: int) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mode = source.stat().st_size, mode
    with source.open("rb") as file:
        tar.addfile(member, file)
