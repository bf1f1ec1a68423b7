"""Arithmetic on measurements. All of it is plain, so that a reader can check it."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spread:
    """What several rounds have found of one thing; `lowest` is nearest to what it takes, for noise only adds."""

    lowest: float
    median: float
    highest: float
    rounds: int

    @property
    def noise(self) -> float:
        """How far the highest is from the lowest, as a share of the lowest."""
        return self.highest / self.lowest - 1 if self.lowest else 0.0

    def as_json(self) -> dict[str, float]:
        """Return it as it stands in the file of results."""
        return {
            "lowest": round(self.lowest, 3),
            "median": round(self.median, 3),
            "highest": round(self.highest, 3),
            "rounds": self.rounds,
        }


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(min(values), statistics.median(values), max(values), len(values))


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that this share of values does not exceed (nearest rank); 0 if there are none."""
    if not ordered:
        return 0.0
    rank = -int(-len(ordered) * share // 1)
    return ordered[max(rank, 1) - 1]


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median, over rounds, of ours by theirs: what disturbs one round disturbs both sides of it."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True) if other)


def slope(points: Mapping[int, float]) -> float:
    """Return the growth for one more of the size, by least squares."""
    return statistics.linear_regression(list(points), list(points.values())).slope


def micros(functions: Sequence[Callable[[], Any]], seconds: float) -> float:
    """Return the processor time of one call, on average over whole turns that last so long together."""
    turns, started = 0, time.process_time_ns()
    while (taken := time.process_time_ns() - started) < seconds * 1e9:
        turns += 1
        for function in functions:
            function()
    return taken / turns / len(functions) / 1000
