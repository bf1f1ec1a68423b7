"""Cgroups of one's own, in every hierarchy of this machine: version 1, version 2, or both at once.

Standard library only: the processes that use it are started with `-I`.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOUNTED_AT = Path("/sys/fs/cgroup")
REMOVE_SECONDS = 5
COPIED = ("cpuset.cpus", "cpuset.mems")
"""What a new cpuset of version 1 lacks, and without which no process can join it."""


@dataclass(frozen=True)
class Hierarchy:
    """A mounted hierarchy, and the cgroup of this process in it."""

    controllers: str
    """As in /proc/PID/cgroup: "cpu,cpuacct", "name=systemd"; "" for version 2."""
    mount: Path
    directory: Path


def hierarchies() -> list[Hierarchy]:
    """Return the mounted hierarchies."""
    return list(parse(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text()))


def parse(memberships: str, mounts: str) -> Iterator[Hierarchy]:
    """Yield the hierarchies that /proc/PID/cgroup and /proc/PID/mountinfo tell of."""
    own = dict(_memberships(memberships))
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        root, mount = before.split()[3:5]
        kind, _, options = after.split(maxsplit=2)
        for key in (key for key in own if _is_of(key, kind, options.split(","))):
            # In a container, often only a part of the hierarchy is mounted.
            inside = own[key].removeprefix(root.rstrip("/")) if own[key].startswith(root) else ""
            yield Hierarchy(key, Path(mount), Path(mount + inside.rstrip("/")))


def create(name: str) -> list[Path]:
    """Make a cgroup of this name in every hierarchy, next to what this process starts, and return their directories."""
    made = []
    for hierarchy in hierarchies():
        # In version 2, a cgroup with processes in it cannot give controllers to its children, except for the root.
        parent = hierarchy.directory if hierarchy.controllers else hierarchy.mount
        directory = parent / name
        directory.mkdir()
        made.append(directory)
        if hierarchy.controllers == "cpuset":
            for file in COPIED:
                (directory / file).write_text((parent / file).read_text())
            (directory / "cgroup.clone_children").write_text("1")
    return made


def join(directories: Iterable[Path]) -> None:
    """Move this process into these cgroups."""
    for directory in directories:
        (directory / "cgroup.procs").write_text(str(os.getpid()))


def remove(directories: Iterable[Path]) -> None:
    """Remove these cgroups and those in them. The processes in them have been killed, but may still be dying."""
    deadline = time.monotonic() + REMOVE_SECONDS
    for directory in directories:
        while directory.exists() and time.monotonic() < deadline:
            for path, _, _ in os.walk(directory, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
            if directory.exists():
                time.sleep(0.02)


def mount_own() -> None:
    """In a cgroup namespace: mount every hierarchy anew, so that its root is this process's cgroup."""
    own = [key for key, _ in _memberships(Path("/proc/self/cgroup").read_text())]
    _run("umount", "--recursive", str(MOUNTED_AT))
    if own == [""]:
        _run("mount", "-t", "cgroup2", "cgroup2", str(MOUNTED_AT))
        _delegate()
        return
    _run("mount", "-t", "tmpfs", "tmpfs", str(MOUNTED_AT), "-o", "mode=755")
    for key in own:
        directory = MOUNTED_AT / (key.removeprefix("name=") or "unified")
        directory.mkdir()
        options = f"none,{key}" if key.startswith("name=") else key
        kind = ("cgroup", "cgroup", "-o", options) if key else ("cgroup2", "cgroup2")
        _run("mount", "-t", *kind, str(directory))


def _delegate() -> None:
    """Give all controllers to the cgroups below; for that, no process may be left in this one."""
    leaf = MOUNTED_AT / "init"
    leaf.mkdir()
    join([leaf])
    controllers = (MOUNTED_AT / "cgroup.controllers").read_text().split()
    (MOUNTED_AT / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))


def _memberships(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        yield controllers, path


def _is_of(key: str, kind: str, options: Iterable[str]) -> bool:
    if key:
        return kind == "cgroup" and set(key.split(",")) <= set(options)
    return kind == "cgroup2"


def _run(*command: str) -> None:
    status = os.spawnvp(os.P_WAIT, command[0], command)
    if status != 0:
        raise OSError(f"{' '.join(command)} failed with exit code {status}")
