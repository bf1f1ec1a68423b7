"""The operator's image, built from the Dockerfile of the project by buildah: no daemon, no registry."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.kubernetes.images.debian import PYTHON
from tests.kubernetes.images.pip import pip_volumes
from tests.kubernetes.images.recipe import ImageError, Recipe, images_directory
from tests.kubernetes.progress import run

PROJECT = Path(__file__).parents[3]
COPIED = ("Dockerfile", "requirements.lock", "requirements-build.lock", "pyproject.toml", "README.md", "LICENSE")
SOURCES = "operator"
BUILD_STAGE = "build"
"""The stage of the Dockerfile that is given a name, else pruning would take it and everything be built again."""
TRUST_LOCAL = '{"default": [{"type": "insecureAcceptAnything"}]}'
"""Nothing is pulled, so there is no signature to ask for."""


def project_version() -> str:
    """Return the version of the project, which is the image's tag."""
    path = PROJECT / "operator" / "sidecar_injector" / "__init__.py"
    match = re.search(r'^__version__ = "(.+)"$', path.read_text(), re.MULTILINE)
    if not match:
        raise ImageError(f"{path} does not set __version__.")
    return match[1]


def _made_of() -> Iterator[Path]:
    yield Path(__file__)
    yield PYTHON.ensure()
    for name in COPIED:
        yield PROJECT / name
    for path in (PROJECT / SOURCES).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _copy_sources(target: Path) -> Path:
    """Copy what the image is built from: an edit meanwhile must not end up under the name of what was before."""
    target.mkdir()
    for name in COPIED:
        shutil.copy2(PROJECT / name, target)
    shutil.copytree(PROJECT / SOURCES, target / SOURCES, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def _build(archive: Path, scratch: Path) -> None:
    if os.geteuid() != 0:
        raise ImageError("The operator's image is built in a chroot, which takes root: run this as root.")
    buildah = Buildah(images_directory() / "buildah", scratch)
    sources = str(_copy_sources(scratch / "sources"))
    volumes = [f"--volume={volume}" for volume in pip_volumes(scratch / "pip")]
    arguments = [*volumes, f"--build-arg=BASE_IMAGE=docker-archive:{PYTHON.ensure()}"]
    # A build that failed or was killed has left its containers.
    buildah.run("rm", "--all")
    buildah.bud(*arguments, f"--target={BUILD_STAGE}", f"--tag={BUILD_STAGE}:1", sources)
    buildah.bud(*arguments, f"--tag={OPERATOR.tag}", sources)
    buildah.run(
        "push", f"--signature-policy={buildah.policy}", OPERATOR.tag, f"docker-archive:{archive}:{OPERATOR.tag}"
    )
    buildah.run("rmi", "--prune")


class Buildah:
    """Debian's buildah with its own storage, without registries and without this machine's settings."""

    def __init__(self, storage: Path, scratch: Path) -> None:
        self.policy = scratch / "policy.json"
        self.policy.write_text(TRUST_LOCAL)
        registries = scratch / "registries.conf"
        registries.write_text("")
        settings = scratch / "storage.conf"
        settings.write_text(f'[storage]\ndriver = "{_storage_driver(storage)}"\n')
        self._scratch = scratch
        settings_of_its_own = {"CONTAINERS_CONF": os.devnull, "CONTAINERS_STORAGE_CONF": str(settings)}
        self._env = {**os.environ, **settings_of_its_own, "TMPDIR": str(scratch)}
        # Its mounts end with it, whatever ends it.
        self._command = [
            *("unshare", "--mount", "buildah", f"--root={storage}", f"--runroot={scratch / 'run'}"),
            f"--registries-conf={registries}",
        ]

    def bud(self, *arguments: str) -> None:
        """Build by a Dockerfile; raises CommandError."""
        self.run("bud", "--isolation=chroot", f"--signature-policy={self.policy}", "--layers", *arguments)

    def run(self, *arguments: str) -> None:
        """Run a buildah command; raises CommandError."""
        run([*self._command, *arguments], cwd=self._scratch, env=self._env, describe=_last_step)


def _storage_driver(storage: Path) -> str:
    """Return the storage driver: overlay, unless the storage is itself on an overlay, as in most containers."""
    storage.mkdir(parents=True, exist_ok=True)
    kind = subprocess.run(["stat", "--file-system", "--format=%T", storage], capture_output=True, text=True).stdout
    return "vfs" if kind.strip() == "overlayfs" else "overlay"


def _last_step(lines: Sequence[str]) -> str:
    return next((line for line in reversed(lines) if "STEP" in line), "starting")[:120]


OPERATOR = Recipe(f"sidecar-injector:{project_version()}", _made_of, _build, ("buildah",))
