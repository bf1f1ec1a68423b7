"""Debian packages that the whole node and its images need: there, installed, or asked for."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.kubernetes.progress import CommandError, run, say

PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
PROGRAMS = {
    "buildah": "buildah",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "nftables": "nft",
    "runc": "runc",
}
"""What a package is wanted for. Where the program is there already, it does not matter who brought it."""
LOCK_SECONDS = 300
"""How long to wait for another apt-get."""
ERROR_LINES = 15


class PackageError(Exception):
    """A Debian package is missing and was not installed; the message has the command to run."""


def ensure_packages(*names: str) -> None:
    """Make sure that these Debian packages, or the programs they are wanted for, are on this machine.

    Missing ones are installed if this is root on a machine with apt-get. Raises PackageError otherwise.
    """
    missing = missing_packages(names)
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    listed = ", ".join(missing)
    if not shutil.which("apt-get"):
        programs = ", ".join(PROGRAMS.get(name, name) for name in missing)
        raise PackageError(f"Missing: {programs}. Install them; Debian has them as {listed}.")
    if os.geteuid() != 0:
        raise PackageError(f"Missing Debian packages: {listed}. Run: sudo {' '.join(command)}")
    say(f"Installing missing Debian packages: {listed}")
    _install(command)
    if still := missing_packages(missing):
        raise PackageError(f"After apt-get has installed {listed}, there is still no {' or '.join(still)}.")


def missing_packages(names: Sequence[str]) -> list[str]:
    """Return those of these packages that are not there."""
    return [name for name in names if not _is_there(name)]


def _is_there(name: str) -> bool:
    if program := PROGRAMS.get(name):
        return shutil.which(program, path=PLACES) is not None
    try:
        shown = subprocess.run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", name], capture_output=True)
    except FileNotFoundError:
        return False
    return shown.stdout == b"installed"


def _install(command: Sequence[str]) -> None:
    """Install, with the lists of packages as they are or, if that fails, brought up to date."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    waiting = ["-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}"]
    install = [command[0], *waiting, *command[1:]]
    try:
        try:
            run(install, cwd=Path("/"), env=env, describe=_last)
        except CommandError:
            run([command[0], *waiting, "update"], cwd=Path("/"), env=env, describe=_last)
            run(install, cwd=Path("/"), env=env, describe=_last)
    except CommandError as error:
        end = "\n".join(error.lines[-ERROR_LINES:])
        raise PackageError(f"{error}. The end of what it said:\n{end}\nRun: {' '.join(command)}") from None


def _last(lines: Sequence[str]) -> str:
    return lines[-1] if lines else "apt-get has said nothing yet"
