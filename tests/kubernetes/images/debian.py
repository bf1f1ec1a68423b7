"""Root file systems from Debian's packages, and the image of Python that the project's image is based on."""

import os
from collections.abc import Sequence
from pathlib import Path

from tests.kubernetes.images.archive import write_archive
from tests.kubernetes.images.recipe import ImageError, Recipe
from tests.kubernetes.progress import run

SUITE = "bookworm"
BASE = ("base-files", "netbase")
# The merged /usr that packages of this suite take for granted and that only the installer makes.
MERGED_USR = (
    'mkdir -p "$1"/usr/bin "$1"/usr/sbin "$1"/usr/lib "$1"/usr/lib64; '
    'for name in bin sbin lib lib64; do ln -s usr/$name "$1"/$name; done'
)


def debian_root(target: Path, packages: Sequence[str]) -> Path:
    """Write a tarball of a root file system with these packages and what they depend on, and return its path.

    The packages are unpacked and not configured: what their scripts would have made, such as alternatives, is missing.
    Raises ImageError, CommandError.
    """
    if os.geteuid() != 0:
        raise ImageError("Images from Debian packages are built as root: run this as root.")
    command = [
        *("mmdebstrap", "--variant=extract", "--format=tar", f"--include={','.join((*BASE, *packages))}"),
        *(f"--setup-hook={MERGED_USR}", SUITE, str(target)),
    ]
    run(
        command,
        cwd=target.parent,
        env={**os.environ, "TMPDIR": str(target.parent)},
        describe=lambda lines: lines[-1] if lines else "starting",
    )
    return target


def _build_python(archive: Path, scratch: Path) -> None:
    # A shell and venv's wheels for the Dockerfile of the project, which builds on it.
    root = debian_root(scratch / "root", ("python3", "python3-venv", "dash"))
    write_archive(archive, PYTHON.tag, {"Cmd": ["python3"], "Env": ["PATH=/usr/bin:/usr/sbin"]}, [root])


PYTHON = Recipe("test.local/python:1", lambda: (Path(__file__),), _build_python, ("mmdebstrap",))
