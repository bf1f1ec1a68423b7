"""What an image is made of, and the cache: an image is built once, and anew when any of it has changed."""

import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.kubernetes.binary import cache_directory, lock
from tests.kubernetes.packages import ensure_packages
from tests.kubernetes.progress import CommandError, say

KEPT = 3
"""Archives of an image that stay in the cache: the ones last used, such as those of several branches."""
ERROR_LINES = 25


class ImageError(Exception):
    """An image could not be built."""


@dataclass(frozen=True)
class Recipe:
    """One image.

    tag -- its name and version
    made_of -- returns the files that it depends on, the recipe's own module among them
    build -- writes the archive; its second argument is a directory for what is in between
    packages -- the Debian packages that building takes
    """

    tag: str
    made_of: Callable[[], Iterable[Path]]
    build: Callable[[Path, Path], None]
    packages: tuple[str, ...] = ()

    def ensure(self) -> Path:
        """Return the path of the archive, building it first if the cache does not have it; raises ImageError."""
        directory = images_directory()
        archive = directory / self._file_name()
        if not archive.exists():
            directory.mkdir(parents=True, exist_ok=True)
            with lock(directory / f"{self._stem()}.lock"):
                if not archive.exists():
                    self._build(archive)
        os.utime(archive)
        return archive

    def _stem(self) -> str:
        return self.tag.rpartition("/")[2].replace(":", "-")

    def _file_name(self) -> str:
        content = hashlib.sha256(self.tag.encode())
        for path in sorted(self.made_of()):
            content.update(f"\0{path.name}\0".encode() + path.read_bytes())
        return f"{self._stem()}-{platform.machine()}-{content.hexdigest()[:12]}.tar"

    def _build(self, archive: Path) -> None:
        ensure_packages(*self.packages)
        say(f"Building the image {self.tag} for the tests, once.")
        started = time.monotonic()
        scratch = archive.parent / f"{self._stem()}.build"
        # Whoever was here before and was killed left it.
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        try:
            self.build(scratch / archive.name, scratch)
            (scratch / archive.name).replace(archive)
        except CommandError as error:
            end = "\n".join(error.lines[-ERROR_LINES:])
            raise ImageError(
                f"The image {self.tag} could not be built: {error}. The end of what it said:\n{end}"
            ) from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        self._forget_old(archive)
        size = archive.stat().st_size / 1e6
        say(f"Built {archive} ({size:.0f} MB) in {time.monotonic() - started:.0f} s.")

    def _forget_old(self, archive: Path) -> None:
        archives = archive.parent.glob(f"{self._stem()}-{platform.machine()}-*.tar")
        for old in sorted(archives, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
            old.unlink()


def images_directory() -> Path:
    """Return the directory of the archives."""
    return cache_directory() / "images"
