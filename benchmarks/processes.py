"""What Linux tells about processes: the processor time they have taken, their memory, and where they may run."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """Return the processor time of all threads of a process: exact where the kernel keeps scheduler statistics.

    What threads that have ended had taken is missing then. Raises OSError if there is no such process.
    """
    found = [_on_cpu(task) for task in (PROC / str(pid) / "task").iterdir()]
    if any(found):
        return sum(found) / 1e9
    ticks = (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def _on_cpu(task: Path) -> int:
    try:
        return int((task / "schedstat").read_text().split()[0])
    except (OSError, IndexError):  # the thread has ended, or the kernel keeps no such figures
        return 0


def resident_mib(pid: int) -> float:
    """Return how much memory of a process is resident, in MiB."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", (PROC / str(pid) / "status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def processors() -> tuple[int, ...]:
    """Return the processors that this process may use."""
    return tuple(sorted(os.sched_getaffinity(0)))


def split() -> tuple[set[int], set[int]]:
    """Return the processors for a server, and those for what puts load on it: one and the rest, where there are two."""
    first, *rest = processors()
    return {first}, set(rest) or {first}


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    children: dict[int, list[int]] = {}
    for status in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(status.read_text().rpartition(") ")[2].split()[1])
            children.setdefault(parent, []).append(int(status.parent.name))
    found: list[int] = []
    queue = [pid]
    while queue:
        found += (own := children.get(queue.pop(), []))
        queue += own
    return found


def pin(pid: int, where: set[int]) -> None:
    """Let a process, all of its threads, run on these processors only; no matter if it has ended."""
    with contextlib.suppress(OSError):
        for task in (PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(int(task.name), where)


@contextlib.contextmanager
def pinned(pids: Sequence[int], where: set[int]) -> Iterator[None]:
    """Confine processes for a while; those that have ended do not matter."""
    before: dict[int, set[int]] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            before[pid] = os.sched_getaffinity(pid)
            pin(pid, where)
    try:
        yield
    finally:
        for pid, earlier in before.items():
            pin(pid, earlier)


def started(command: Sequence[str], directory: Path, **more: object) -> "subprocess.Popen[str]":
    """Start a program of the checkout, which ends with this process; it is spoken with in lines of text."""
    from tests.kubernetes.supervisor import die_with_parent

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(directory / "operator"), str(directory)))}
    process: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, *command],
        cwd=directory,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,
        **more,  # type: ignore[call-overload]
    )
    return process


def ended(process: "subprocess.Popen[str]", seconds: float = 10) -> None:
    """End a process that was started: by asking, then by force."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()
