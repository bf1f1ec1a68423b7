"""The demo, run as its readers run it: it proves its claims, says so when one does not hold, and cleans up."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.test_nothing_is_left_behind import directory_of_supervisor, processes
from tests.kubernetes.cluster import wait_until

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 180

CLAIMS = [
    "Deployment, StatefulSet, Job and bare Pod: each has the sidecar once",
    "A Pod labelled sidecarinjector.dev/inject=false is as it was written",
    "So is a Pod in a namespace without the label",
    "None was refused, none is half done.",
    "Refused, and the message names the line",
    "Nothing that worked stopped working",
    "The text is still that text, one string",
    "No intruder, nothing privileged",
    "The new Pod equals the old one, field by field",
    "The refused edit left no trace in the status",
    "The next Pod has no sidecar, and nothing refused it",
]

EXPECTS_ANOTHER_SIDECAR = """
import sys, demo.__main__, demo.story
demo.story.OLD = "example.org/proxy:0.9"
sys.exit(demo.__main__.main())
"""


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    command = [sys.executable, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def children(process: subprocess.Popen[str]) -> list[Path]:
    """Return the entries of /proc of what a process has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if f"PPid:\t{process.pid}\n" in status.read_text():
                found.append(status.parent)
        except OSError:
            continue
    return found


def is_running(entry: Path) -> bool:
    """Tell whether the process of an entry of /proc runs. One that has ended and was not reaped has no words left."""
    try:
        return bool((entry / "cmdline").read_bytes())
    except OSError:
        return False


def test_the_demo_proves_every_claim_and_shows_what_it_measured() -> None:
    with running("-m", "demo") as demo:
        output, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 0, output
    assert [claim for claim in CLAIMS if f"ok {claim}" not in output] == []
    summary = output.partition("Summary, as measured just now")[2]
    assert re.search(r"control plane ready +\d+\.\d s", summary)
    assert re.search(r"edit to first Pod with the new sidecar +\d+ ms", summary)
    assert "\x1b[" not in output


def test_a_claim_that_does_not_hold_fails_the_demo_and_says_what_was_found() -> None:
    with running("-c", EXPECTS_ANOTHER_SIDECAR) as demo:
        output, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 1, output
    failure = output.partition("The demo failed: ")[2]
    assert "this does not hold: Deployment, StatefulSet, Job and bare Pod" in failure
    assert "debug" in failure


def test_ctrl_c_ends_the_demo_and_leaves_nothing_behind() -> None:
    with running("-m", "demo") as demo:
        assert demo.stdout
        for line in demo.stdout:
            if "Ready after" in line:
                break
        directory = directory_of_supervisor(demo)
        assert directory
        started = children(demo)
        assert any("sidecar_injector" in (entry / "cmdline").read_text() for entry in started)
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(SECONDS) == 130, rest
    assert "interrupted. Everything it had started is stopped and removed." in rest
    # The supervisor outlives the demo by a moment: it cleans up once the demo is gone.
    wait_until(lambda: not any(is_running(entry) for entry in started), seconds=5, what="all that it started has ended")
    assert processes(str(directory)) == []
    assert not directory.exists()
