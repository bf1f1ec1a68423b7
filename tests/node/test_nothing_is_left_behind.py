"""However a program that uses a whole node ends, nothing of it is left on the machine, and nothing there is changed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kubernetes.cluster import wait_until
from tests.kubernetes.sandbox import CGROUPS_FILE, PID_FILE
from tests.kubernetes.sandbox_init import SWITCHED_ON, WRITTEN_BY_THE_KUBELET

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("possible_node")]

ROOT = Path(__file__).parents[2]
SECONDS = 15
PROGRAM = """
import signal, sys
from tests.kubernetes.images import BUSYBOX, PAUSE, ensure_images
from tests.kubernetes.node import Node
signal.signal(signal.SIGINT, signal.default_int_handler)  # even if whoever runs the tests ignores it
with Node(ensure_images([PAUSE, BUSYBOX]).values()) as node:
    node.kubectl("run", "app", f"--image={BUSYBOX}", "--", "sleep", "3600")
    node.kubectl("wait", "--for=condition=Ready", "pod/app", "--timeout=60s")
    print(node.directory, flush=True)
"""
WAIT = "    sys.stdin.readline()\n"
RAISE = "    raise RuntimeError('as a failing test does')\n"


@dataclass(frozen=True)
class Traces:
    """What a node makes on the machine."""

    directory: Path
    cgroups: list[Path]
    processes: set[int]

    @classmethod
    def of(cls, directory: Path) -> "Traces":
        own = [Path(line) for line in (directory / CGROUPS_FILE).read_text().splitlines()]
        return cls(directory, own, {pid for path in own for pid in members(path)})

    def left(self) -> list[str]:
        """Return what there still is of it."""
        paths = [str(path) for path in (self.directory, *self.cgroups) if path.exists()]
        processes = [f"process {pid}" for pid in self.processes if Path(f"/proc/{pid}").exists()]
        return paths + processes


def members(cgroup: Path) -> Iterator[int]:
    """Yield the processes in a cgroup and in those below it."""
    for path, _, _ in os.walk(cgroup):
        yield from map(int, Path(path, "cgroup.procs").read_text().split())


def machine() -> dict[str, object]:
    """Return what a node could change by mistake."""
    settings = {name: Path("/proc/sys", name).read_text() for name in (*WRITTEN_BY_THE_KUBELET, *SWITCHED_ON)}
    links = sorted(path.name for path in Path("/sys/class/net").iterdir())
    mounts = Path("/proc/self/mountinfo").read_text().count("\n")
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True).stdout
    files = [path.exists() for path in map(Path, ("/etc/cni/net.d", "/run/containerd", "/var/lib/kubelet"))]
    return {
        "settings": settings,
        "links": links,
        "mounts": mounts,
        "rules": [line for line in rules.splitlines() if not line.startswith("#")],
        "files": files,
        "hostname": os.uname().nodename,
    }


@pytest.fixture(autouse=True)
def unchanged_machine() -> Iterator[None]:
    before = machine()
    yield
    assert machine() == before


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def traces_of_node(process: subprocess.Popen[str]) -> Traces:
    """Wait until it is up and return its traces, having made sure that there is something that could be left."""
    assert process.stdout
    traces = Traces.of(Path(process.stdout.readline().strip()))
    assert traces.directory.is_dir()
    assert all(path.is_dir() for path in traces.cgroups)
    # The sandbox's init and supervisor, nine components, a shim, and two containers.
    assert len(traces.processes) >= 14
    return traces


@pytest.mark.parametrize(
    ("rest", "message"), [("", ""), (RAISE, "as a failing test does")], ids=["success", "exception"]
)
def test_nothing_is_left_after(rest: str, message: str) -> None:
    with running(PROGRAM + WAIT + rest) as process:
        traces = traces_of_node(process)
        _, errors = process.communicate("go on\n")
        # At once: whoever uses a node waits until it is gone.
        assert traces.left() == []
    assert message in errors
    assert process.returncode == (1 if message else 0)


def test_nothing_is_left_after_ctrl_c() -> None:
    with running(PROGRAM + WAIT) as process:
        traces = traces_of_node(process)
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
        assert traces.left() == []
    assert process.returncode == -signal.SIGINT


def test_nothing_is_left_after_sigkill() -> None:
    with running(PROGRAM + WAIT) as process:
        traces = traces_of_node(process)
        process.kill()
        wait_until(lambda: not traces.left(), seconds=SECONDS, what=f"{traces.directory} and all else is gone")


def test_nothing_is_left_after_sigkill_during_the_start() -> None:
    with running(PROGRAM) as process:
        directory = wait_until(lambda: directory_of(process), seconds=SECONDS, what="the sandbox is made")
        wait_until((directory / "etcd.sock").exists, seconds=SECONDS, what="the first component runs")
        traces = Traces.of(directory)
        process.kill()
        wait_until(lambda: not traces.left(), seconds=SECONDS, what=f"{directory} and all else is gone")


def test_when_even_the_owner_of_the_sandbox_is_killed_the_next_start_removes_what_is_left() -> None:
    with running(PROGRAM + WAIT) as process:
        traces = traces_of_node(process)
        init = int((traces.directory / PID_FILE).read_text())
        os.kill(parent_of(init), signal.SIGKILL)
        wait_until(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in traces.processes),
            seconds=SECONDS,
            what="every process of the sandbox is gone",
        )
        process.kill()
    assert traces.left(), "the directory and empty cgroups are left"
    with running(PROGRAM) as process:
        process.communicate()
    assert traces.left() == []


def directory_of(process: subprocess.Popen[str]) -> Path | None:
    """Return the directory of the node that this process is starting, once there is one with all that it may leave."""
    for path in Path("/tmp").glob(f"sidecar-injector-*/{PID_FILE}"):
        text = path.read_text()
        if text and parent_of(parent_of(int(text))) == process.pid:
            return path.parent
    return None


def parent_of(process: int) -> int:
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("PPid:")), 0)
