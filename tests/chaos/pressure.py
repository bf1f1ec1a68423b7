"""Takes resources from a container of a Pod, through the files of its cgroup: version 1 or version 2."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.kubernetes import cgroups

PERIOD = 100_000
"""Microseconds, over which the kernel counts the time on a processor."""


@contextlib.contextmanager
def starved(process: int, cores: float) -> Iterator[None]:
    """Let the container of a process have that much of a processor for a while, such as 0.05."""
    directory, version = _directory(process, "cpu")
    quota = round(cores * PERIOD)
    file, value, before = {
        1: ("cpu.cfs_quota_us", str(quota), "-1"),
        2: ("cpu.max", f"{quota} {PERIOD}", f"max {PERIOD}"),
    }[version]
    (directory / file).write_text(value)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):  # the container may have ended
            (directory / file).write_text(before)


def limit_memory(process: int, more: int) -> None:
    """Let the container of a process have only so many bytes more than it has now."""
    directory, version = _directory(process, "memory")
    usage, limit = {
        1: ("memory.usage_in_bytes", "memory.limit_in_bytes"),
        2: ("memory.current", "memory.max"),
    }[version]
    used = int((directory / usage).read_text())
    (directory / limit).write_text(str(used + more))


def _directory(process: int, controller: str) -> tuple[Path, int]:
    """Return the directory of a process's cgroup for a controller, and which version of cgroups that is."""
    mounted = {each.controllers: each.mount for each in cgroups.hierarchies()}
    for line in Path(f"/proc/{process}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") and controllers in mounted:
            return Path(f"{mounted[controllers]}{path}"), 1
        if not controllers and "" in mounted and Path(f"{mounted['']}{path}", f"{controller}.max").exists():
            return Path(f"{mounted['']}{path}"), 2
    raise LookupError(f"Process {process} has no cgroup with the controller {controller}.")
