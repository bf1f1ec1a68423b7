"""What is demanded, and whether it holds: each bar is one row, and its figure comes from the results alone."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import paired_ratio
from benchmarks.results import Results, section
from benchmarks.tables import Table, number

CONNECTIONS = "8"
"""At which load servers are compared: enough to keep one busy, as an API server does when a Deployment is scaled."""
ALIKE = 1.1
"""What is allowed where nothing may grow: more than figures of the same thing differ by."""


@dataclass(frozen=True)
class Bar:
    """A figure that may be `limit` at most; None: it was not measured."""

    what: str
    limit: float
    figure: Callable[[Results], float | None]
    unit: str = ""
    digits: int = 2


@dataclass(frozen=True)
class Judged:
    """A bar and what was found."""

    bar: Bar
    found: float | None

    @property
    def holds(self) -> bool | None:
        """None if nothing was found."""
        return None if self.found is None else self.found <= self.bar.limit


def judged(results: Results) -> list[Judged]:
    """Return every bar with what was found."""
    return [Judged(bar, bar.figure(results)) for bar in BARS]


def table(results: Results) -> Table:
    """Return the bars as a table; those that compare with another injector only where there was one."""
    rows = [
        (each.bar.what, _shown(each.found, each.bar), f"≤ {_shown(each.bar.limit, each.bar)}", _verdict(each))
        for each in judged(results)
        if each.found is not None or each.bar not in AGAINST
    ]
    return Table("What is demanded", ("", "found", "bar", ""), rows)


def _shown(value: float | None, bar: Bar) -> str:
    if value is None:
        return "–"
    return f"{number(value, bar.digits)} {bar.unit}".rstrip()


def _verdict(each: Judged) -> str:
    return {None: "not measured", True: "holds", False: "missed"}[each.holds]


def cpu_ratio(ours: str, theirs: str) -> Callable[[Results], float | None]:
    """Return what compares processor time for an admission: the median over rounds."""

    def figure(results: Results) -> float | None:
        servers = (section(results, "http") or {}).get("servers", {})
        one, other = (servers.get(key, {}).get(CONNECTIONS, {}) for key in (ours, theirs))
        if not one.get("cpu_micros") or not other.get("cpu_micros"):
            return None
        return paired_ratio(one["cpu_rounds"], other["cpu_rounds"])

    return figure


def p99_ratio(ours: str, theirs: str) -> Callable[[Results], float | None]:
    """Return what compares the 99th percentile of the time to an answer: the median over rounds."""

    def figure(results: Results) -> float | None:
        servers = (section(results, "http") or {}).get("servers", {})
        one, other = (servers.get(key, {}).get(CONNECTIONS, {}).get("p99_rounds") for key in (ours, theirs))
        return paired_ratio(one, other) if one and other else None

    return figure


def _growth(what: str, small: int = 0, large: int = 0) -> Callable[[Results], float | None]:
    """Return what compares the largest size with the smallest, or the two that are given."""

    def figure(results: Results) -> float | None:
        points = (section(results, "growth") or {}).get(what)
        if not points:
            return None
        first, last = str(small) if small else next(iter(points)), str(large) if large else list(points)[-1]
        if first not in points or last not in points:
            return None
        return float(points[last]["lowest"] / points[first]["lowest"])

    return figure


def _pipeline(results: Results) -> float | None:
    found = section(results, "pipeline")
    return found["two"]["micros"]["pipeline"]["lowest"] if found else None


def _memory(results: Results) -> float | None:
    found = section(results, "memory")
    return found["configs"].get("10") if found else None


def _leak(results: Results) -> float | None:
    found = section(results, "memory")
    if not found:
        return None
    after = list(found["admissions"].values())
    return float(after[-1] - after[0])


def _live(results: Results) -> float | None:
    found = section(results, "live")
    return found["live_millis"]["median"] if found else None


AGAINST = (
    Bar("processor time, nothing remembered, by the other injector's", 0.15, cpu_ratio("plain", "other")),
    Bar("processor time, decisions remembered, by the other injector's", 0.10, cpu_ratio("operator", "other")),
    Bar(
        "99th percentile of the time to an answer, 8 connections, by the other injector's",
        0.3,
        p99_ratio("operator", "other"),
    ),
)
BARS = (
    *AGAINST,
    Bar(
        "processor time, nothing remembered, by that of Kopf's stock server doing nothing",
        1.2,
        cpu_ratio("plain", "kopf"),
    ),
    Bar(
        "processor time, decisions remembered, by that of Kopf's stock server doing nothing",
        0.8,
        cpu_ratio("operator", "kopf"),
    ),
    Bar("processor time, nothing remembered, by that of our server doing nothing", 1.9, cpu_ratio("plain", "own")),
    Bar("pipeline for a Pod of two containers", 400, _pipeline, "µs", 0),
    Bar("2,000 variables by 20 variables", 12, _growth("variables of the Pod", 20, 2000), digits=1),
    Bar("200 configs by 1", ALIKE, _growth("configs")),
    Bar("5,000 Namespaces by 1", ALIKE, _growth("Namespaces")),
    Bar("5,000 nodes by 1", ALIKE, _growth("nodes")),
    Bar("resident after the start with 10 configs", 120, _memory, "MiB", 0),
    Bar("resident more after 50,000 admissions", 5, _leak, "MiB", 1),
    Bar("edit to the first Pod served with it, median", 300, _live, "ms", 0),
)
