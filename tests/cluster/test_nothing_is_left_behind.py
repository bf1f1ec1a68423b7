"""However a program that uses a control plane ends, no process and no file of it is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kubernetes.cluster import wait_until

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal, sys
from tests.kubernetes.control_plane import ControlPlane
signal.signal(signal.SIGINT, signal.default_int_handler)  # even if whoever runs the tests ignores it
with ControlPlane() as control_plane:
    print(control_plane.directory, flush=True)
"""
WAIT = "    sys.stdin.readline()\n"
RAISE = "    raise RuntimeError('as a failing test does')\n"
FORK = """
    if os.fork() == 0:
        sys.stdin.readline()  # meanwhile it has a copy of the pipe at whose end the supervisor cleans up
        os._exit(0)
"""


def processes(*words: str) -> list[str]:
    """Return the command lines of all running processes that contain one of the words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(word in line for word in words):
            found.append(line)
    return found


def supervisor_of(process: subprocess.Popen[str]) -> str:
    return f"supervisor.py {process.pid} "


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def directory_of_control_plane(process: subprocess.Popen[str]) -> Path:
    """Wait until it is up and return its directory, having made sure that there is something that could be left."""
    assert process.stdout
    directory = Path(process.stdout.readline().strip())
    assert directory.is_absolute()
    assert directory.is_dir()
    # etcd, kube-apiserver, egress proxy, kube-controller-manager, kube-scheduler, fake nodes.
    assert len(processes(str(directory))) == 6
    assert len(processes(supervisor_of(process))) == 1
    return directory


def assert_nothing_is_left(directory: Path, process: subprocess.Popen[str]) -> None:
    words = (str(directory), supervisor_of(process))
    wait_until(lambda: not processes(*words) and not directory.exists(), seconds=5, what=f"{directory} is gone")


@pytest.mark.parametrize(
    ("rest", "message"), [("", ""), (RAISE, "as a failing test does")], ids=["success", "exception"]
)
def test_nothing_is_left_after(rest: str, message: str) -> None:
    with running(PROGRAM + WAIT + rest) as process:
        directory = directory_of_control_plane(process)
        _, errors = process.communicate("go on\n")
        # At once: whoever uses a control plane waits until it is gone.
        assert not processes(str(directory), supervisor_of(process))
        assert not directory.exists()
    assert message in errors
    assert process.returncode == (1 if message else 0)


def test_nothing_is_left_after_ctrl_c() -> None:
    with running(PROGRAM + WAIT) as process:
        directory = directory_of_control_plane(process)
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert not processes(str(directory), supervisor_of(process))
        assert not directory.exists()
    assert process.returncode == -signal.SIGINT


def test_nothing_is_left_after_sigkill_even_if_a_forked_child_lives_on() -> None:
    with running(PROGRAM + FORK + WAIT) as process:
        directory = directory_of_control_plane(process)
        process.kill()
        assert_nothing_is_left(directory, process)


def test_nothing_is_left_after_sigkill_during_the_start() -> None:
    with running(PROGRAM) as process:
        directory = wait_until(lambda: directory_of_supervisor(process), seconds=10, what="the supervisor runs")
        wait_until(lambda: processes(f"{directory}/etcd.sock"), seconds=10, what="the first component runs")
        process.kill()
        assert_nothing_is_left(directory, process)


def directory_of_supervisor(process: subprocess.Popen[str]) -> Path | None:
    """Return the directory where the supervisor of this process has its log, once it has one."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if supervisor_of(process) in (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                log = Path(os.readlink(path / "fd" / "2"))
                return log.parent if log.name == "supervisor.log" else None
        except OSError:
            continue
    return None
