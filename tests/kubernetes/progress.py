"""Long commands that say how they are getting on."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.kubernetes.supervisor import die_with_parent

EVERY_SECONDS = 20
NICENESS = 10


class CommandError(Exception):
    """A command failed; the message has the command, and `lines` what it printed."""

    def __init__(self, message: str, lines: Sequence[str]) -> None:
        super().__init__(message)
        self.lines = lines


def say(text: str) -> None:
    """Tell whoever is waiting."""
    print(text, file=sys.stderr, flush=True)


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], describe: Callable[[Sequence[str]], str]
) -> list[str]:
    """Run a command at low priority and return the lines it printed; raises CommandError.

    Meanwhile a line a few times a minute tells the time it has taken and what `describe` makes of the lines so far.
    An exception, Ctrl-C above all, ends the command and everything it has started.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=_prepare,
    )
    lines: list[str] = []
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    started = time.monotonic()
    try:
        while True:
            reader.join(EVERY_SECONDS)
            if not reader.is_alive():
                break
            say(f"  {time.monotonic() - started:4.0f} s: {describe(lines)}")
        code = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if code != 0:
        raise CommandError(f"{' '.join(command[:2])} … failed with exit code {code}", lines)
    return lines


def _read(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdout
    lines.extend(line.rstrip("\n") for line in process.stdout)


def _prepare() -> None:
    die_with_parent()
    os.nice(NICENESS)
