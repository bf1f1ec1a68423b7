"""How steady this machine is: the same small piece of work, again and again, in processor time and by the clock."""

import os
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import spread
from benchmarks.processes import processors, split

LOOPS = 300_000


@dataclass
class Calibration:
    """Collects samples, one for each round; `stolen` is the time by the clock that the work did not get."""

    micros: list[float] = field(default_factory=list)
    stolen: list[float] = field(default_factory=list)

    def sample(self) -> None:
        """Do the work once, on the processor of the servers."""
        os.sched_setaffinity(0, split()[0])
        try:
            clock, cpu = time.perf_counter(), time.thread_time()
            _work()
            cpu, clock = time.thread_time() - cpu, time.perf_counter() - clock
        finally:
            os.sched_setaffinity(0, _EVERYWHERE)
        self.micros.append(cpu * 1e6)
        self.stolen.append(max(1 - cpu / clock, 0.0))

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in the file of results."""
        return {"micros": spread(self.micros).as_json(), "stolen": round(max(self.stolen), 3)} if self.micros else {}


_EVERYWHERE = set(processors())


def _work() -> int:
    total = 0
    for number in range(LOOPS):
        total += number & 7
    return total
