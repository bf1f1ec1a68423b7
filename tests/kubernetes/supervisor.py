"""A small process that owns a control plane's processes and files, so that nothing outlives whoever started it.

Run as `python supervisor.py PARENT_PID`. It makes the control plane's directory and prints its path. Then it reads
standard input: every line is a JSON object. `{"name": …, "argv": […]}` is a component to start, whose output goes to
`NAME.log` in the directory; when one exits, its exit code goes to `NAME.exit`. With `"inherit": […]` it gets these
file descriptors. `{"name": …, "signal": …}` sends a signal to one that runs. At the end of the input, on SIGTERM, or
when the parent is gone (whatever killed it), it kills every component and removes the directory.

It needs the standard library only and is started with `-I`, because nothing may stop it from cleaning up.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PREFIX = "sidecar-injector-"
PR_SET_PDEATHSIG = 1
CANNOT_RUN = 126


def main() -> None:
    """Own components until the parent has had enough of them."""
    exit_on_signals()
    # Unix sockets live in here and their paths may be 108 bytes long at most, so not under an arbitrary TMPDIR.
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    try:
        log_to(directory)
        print(directory, flush=True)
        own_components(directory, lines_while_alive(int(sys.argv[1])))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def exit_on_signals() -> None:
    """Make the signals that ask for an end raise SystemExit."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))


def log_to(directory: Path) -> None:
    """Send standard error to the supervisor's log."""
    os.dup2(os.open(directory / "supervisor.log", os.O_WRONLY | os.O_CREAT), sys.stderr.fileno())


def own_components(directory: Path, lines: Iterable[bytes]) -> None:
    """Do what the lines say. After the last one, or an exception, no component is left."""
    components: dict[str, Component] = {}
    try:
        for line in lines:
            command = json.loads(line)
            name = command["name"]
            if "signal" in command:
                components[name].process.send_signal(command["signal"])
            elif component := start(directory, name, command["argv"], command.get("inherit", ())):
                components[name] = component
    finally:
        for component in components.values():
            component.process.kill()
        for component in components.values():
            # They write their files before the directory is removed, not while it is.
            component.watcher.join()


def lines_while_alive(parent: int) -> Iterator[bytes]:
    """Yield the lines of standard input until it ends or the parent does.

    The end of the input alone does not tell: a process that the parent forked keeps the pipe open.
    """
    if hasattr(os, "pidfd_open"):
        try:
            yield from lines_until(os.pidfd_open(parent))
        except ProcessLookupError:
            return
    else:
        yield from lines_until()


def lines_until(*ended: int) -> Iterator[bytes]:
    """Yield the lines of standard input until it ends or one of these file descriptors has something to read."""
    source = sys.stdin.fileno()
    pending = b""
    while True:
        readable, _, _ = select.select([source, *ended], [], [])
        if readable != [source]:
            return
        read = os.read(source, 65536)
        if not read:
            return
        *lines, pending = (pending + read).split(b"\n")
        yield from lines


@dataclass(frozen=True)
class Component:
    """A process, and the thread that waits for its end."""

    process: subprocess.Popen[bytes]
    watcher: threading.Thread


def start(directory: Path, name: str, argv: list[str], inherit: Sequence[int] = ()) -> Component | None:
    """Start a component in the directory; it dies with this process. None if it cannot be run at all."""
    ended = directory / f"{name}.exit"
    # Kubernetes would call webhooks through the machine's HTTP proxy.
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    with (directory / f"{name}.log").open("ab") as log:
        try:
            process = subprocess.Popen(
                argv,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=inherit,
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            log.write(f"{error}\n".encode())
            ended.write_text(str(CANNOT_RUN))
            return None
    watcher = threading.Thread(target=record_exit, args=(ended, process), daemon=True)
    watcher.start()
    return Component(process, watcher)


def record_exit(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a process and write its exit code; whoever finds the file finds it complete."""
    unfinished = path.with_suffix(".exiting")
    unfinished.write_text(str(process.wait()))
    unfinished.rename(path)


def die_with_parent() -> None:
    """Ask Linux to kill this process as soon as the one that forked it is gone; harmless elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
