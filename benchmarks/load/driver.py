"""The process that makes load, seen from the one that measures: one order a line, one report a line."""

import json
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.load.orders import Order, Report, Target
from benchmarks.processes import ended, pin, split, started
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[2]


class LoadError(Exception):
    """A target could not be called, or does not do what an injector does."""


class Driver:
    """The process, from this side. It runs on the processors that the servers do not run on."""

    def __enter__(self) -> Self:
        self._process = started(["-m", "benchmarks.load"], ROOT)
        pin(self._process.pid, split()[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended(self._process)

    def verify(self, target: Target, *, strictly: bool = True) -> dict[str, str]:
        """Send one Pod of each workload and look closely at each answer; return what is wrong, by workload.

        Raises LoadError if anything is wrong or, not so strictly, if everything is.
        """
        found: dict[str, str] = json.loads(self._ask(f"verify {Order(target, 1).line()}"))
        if len(found) >= (1 if strictly else len(WORKLOADS)):
            shown = "\n".join(f"  {name}: {wrong}" for name, wrong in found.items())
            raise LoadError(f"{target.name} does not answer as an injector does:\n{shown}")
        return found

    def load(self, order: Order) -> Report:
        """Have load made; raises LoadError when the target fails. What it answers amiss is in the report."""
        report = Report.of(self._ask(f"load {order.line()}"))
        if not report.requests:
            raise LoadError(f"{order.target.name} has answered nothing well: {report.errors}")
        return report

    def _ask(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except OSError as error:
            raise LoadError(f"the process that makes load has ended: {error}") from None
        if not answer:
            raise LoadError("the process that makes load has ended")
        if answer.startswith("failed "):
            raise LoadError(json.loads(answer.removeprefix("failed ")))
        return answer
