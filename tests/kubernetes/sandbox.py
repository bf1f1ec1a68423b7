"""Owns the sandbox of a whole node: namespaces and cgroups of its own, and one directory.

Run as root, as `python sandbox.py PARENT_PID NODE_ADDRESS [FILE_DESCRIPTOR…]`. It makes the directory and prints its
path. In the sandbox runs `sandbox_init.py`, which starts components as `supervisor.py` does, as told by standard input;
the file descriptors are for components to inherit. At the end of the input, on SIGTERM, or when the parent is gone,
every process in the sandbox is killed, and the cgroups and the directory are removed. When this process is killed, the
sandbox dies with it; what is left then is removed at the next start.

It needs the standard library only and is started with `-I`.
"""

import ctypes
import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.kubernetes import cgroups, supervisor

INIT = Path(__file__).with_name("sandbox_init.py")
PID_FILE = "sandbox.pid"
CGROUPS_FILE = "cgroups"
# From linux/sched.h.
CLONE_NEWPID = 0x20000000
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWNET = 0x08000000, 0x40000000
OTHERS = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET


def main() -> None:
    """Own the sandbox until the parent has had enough of it."""
    supervisor.exit_on_signals()
    remove_leftovers()
    directory = Path(tempfile.mkdtemp(prefix=supervisor.PREFIX, dir="/tmp"))
    own: list[Path] = []
    init = None
    try:
        own += cgroups.create(f"{supervisor.PREFIX}{os.getpid()}")
        (directory / CGROUPS_FILE).write_text("\n".join(map(str, own)))
        init = start_init(directory, own, address=sys.argv[2], inherit=[int(each) for each in sys.argv[3:]])
        (directory / PID_FILE).write_text(str(init.pid))
        print(directory, flush=True)
        select.select([os.pidfd_open(int(sys.argv[1])), os.pidfd_open(init.pid)], [], [])
    finally:
        if init:
            # Its end is the end of its PID namespace: the kernel has killed every process in it when `wait` returns.
            init.kill()
            init.wait()
        cgroups.remove(own)
        shutil.rmtree(directory, ignore_errors=True)


def start_init(directory: Path, own: list[Path], *, address: str, inherit: list[int]) -> subprocess.Popen[bytes]:
    """Start the sandbox's first process in new namespaces and in these cgroups."""
    # For the children only; this process remains outside, where it can clean up.
    unshare(CLONE_NEWPID)

    def enter() -> None:
        supervisor.die_with_parent()
        cgroups.join(own)
        unshare(OTHERS)

    command = [sys.executable, "-I", str(INIT), str(directory), address]
    return subprocess.Popen(command, cwd=directory, pass_fds=inherit, preexec_fn=enter)


def unshare(flags: int) -> None:
    """Call unshare(2); raises OSError."""
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: unshare {flags:#x}")


def remove_leftovers() -> None:
    """Remove the cgroups and directories of those of these processes that were killed with SIGKILL."""
    for hierarchy in cgroups.hierarchies():
        for parent in {hierarchy.directory, hierarchy.mount}:
            cgroups.remove(path for path in parent.glob(f"{supervisor.PREFIX}*") if not is_alive(path.name))
    for directory in Path("/tmp").glob(f"{supervisor.PREFIX}*"):
        file = directory / CGROUPS_FILE
        if file.exists() and not any(map(os.path.exists, file.read_text().splitlines())):
            shutil.rmtree(directory, ignore_errors=True)


def is_alive(name: str) -> bool:
    """Tell whether the process whose id a cgroup's name ends with is still there, and one of these."""
    try:
        return Path(__file__).name.encode() in Path("/proc", name.rpartition("-")[2], "cmdline").read_bytes()
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
