"""What every section works with: how long to measure, where to tell of progress, and a cluster if there can be one."""

import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TextIO

from benchmarks.load.driver import Driver
from benchmarks.load.orders import Target
from tests.kubernetes.control_plane import ControlPlane


class SkippedError(Exception):
    """A section cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    seconds -- of each measurement in each round
    """

    seconds: float = 2.0
    rounds: int = 5
    connections: tuple[int, ...] = (1, 8, 64)
    edits: int = 15
    starts: int = 5
    admissions: int = 50_000
    configs: tuple[int, ...] = (10, 200)
    quick: bool = False


QUICK = Plan(0.2, 2, (1, 8), edits=2, starts=1, admissions=500, configs=(2, 4), quick=True)


class Progress:
    """Tells what is being measured, a line each, with the time since the beginning."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._began = time.monotonic()

    def section(self, title: str) -> None:
        """Begin with a section."""
        self._line(title)

    def say(self, text: str) -> None:
        """Tell what is done now."""
        self._line(f"  {text}")

    def _line(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        print(f"{minutes:2d}:{seconds:02d}  {text}", file=self._stream, flush=True)


@dataclass
class Bench:
    """One run. The cluster and the process that makes load are started by who wants them first."""

    plan: Plan
    progress: Progress
    start_cluster: Callable[[contextlib.ExitStack, Progress], ControlPlane]
    other: Target | None = None
    """Another injector, to be compared with."""
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _cluster: ControlPlane | None = None
    _driver: Driver | None = None
    _no_cluster: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def driver(self) -> Driver:
        """The process that makes load."""
        if self._driver is None:
            self._driver = self._stack.enter_context(Driver())
        return self._driver

    @property
    def cluster(self) -> ControlPlane:
        """The cluster, with the operator's manifest applied; raises SkippedError."""
        if self._no_cluster:
            raise SkippedError(self._no_cluster)
        if self._cluster is None:
            try:
                self._cluster = self.start_cluster(self._stack, self.progress)
            except SkippedError as error:
                self._no_cluster = str(error)
                raise
        return self._cluster
