"""Section `http`: admissions over HTTPS with keep-alive, against servers that do next to nothing, in turns.

A server has one processor, and what makes the load the other ones, the API server among them. In each round everybody
is measured with each number of connections, each time in another order, so that what disturbs a round disturbs all.
"""

import contextlib
import os
from dataclasses import dataclass, field
from typing import Any

from benchmarks import inputs
from benchmarks.context import Bench, SkippedError
from benchmarks.figures import percentile, spread
from benchmarks.load import Order, Report, Target
from benchmarks.noise import Calibration
from benchmarks.processes import descendants, pinned, resident_mib, split
from benchmarks.servers import operators
from benchmarks.servers.running import FLOORS, floor
from benchmarks.workloads import WORKLOADS

OPERATOR, PLAIN, OTHER = "operator", "plain", "other"
TITLES = {
    OPERATOR: "the operator",
    PLAIN: "the operator, nothing remembered",
    OTHER: "the other injector",
    **{each.kind: each.title for each in FLOORS},
}
LEVELS = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


@dataclass
class _Contender:
    target: Target
    reports: dict[int, list[Report]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {str(connections): _told(reports) for connections, reports in self.reports.items()}


def measure(bench: Bench) -> dict[str, Any]:
    """Measure; the figures are for one admission."""
    found: dict[str, Any] = {"workloads": len(WORKLOADS)}
    calibration = Calibration()
    with contextlib.ExitStack() as stack:
        contenders = {each.kind: _Contender(stack.enter_context(floor(each))) for each in FLOORS}
        running: dict[str, operators.Operator] = {}
        try:
            running = _operators(bench, stack)
        except SkippedError as error:
            found["skipped"] = str(error)
        for key, replica in running.items():
            contenders[key] = _Contender(operators.target(bench.cluster, replica, TITLES[key]))
        if bench.other:
            contenders[OTHER] = _Contender(bench.other)
        _settle(bench, stack, contenders)
        _rounds(bench, contenders, calibration)
        found["servers"] = {key: contender.as_json() for key, contender in contenders.items()}
        found["remembered"] = running[OPERATOR].remembered() if OPERATOR in running else {}
        found["resident_mib"] = {key: round(resident_mib(each.pid), 1) for key, each in running.items()}
    return {**found, "noise": calibration.as_json()}


def _operators(bench: Bench, stack: contextlib.ExitStack) -> dict[str, operators.Operator]:
    """Start the replicas that are compared: as it is, and with nothing remembered, if it remembers at all."""
    cluster = bench.cluster
    stack.enter_context(operators.configs(cluster, [inputs.stock_resource()]))
    wanted: dict[str, dict[str, Any]] = {PLAIN: {operators.REMEMBERED: 0}}
    if operators.remembers():
        wanted[OPERATOR] = {}
    found = {key: stack.enter_context(operators.operator(cluster, key, **settings)) for key, settings in wanted.items()}
    operators.wait_for(cluster)
    return found


def _settle(bench: Bench, stack: contextlib.ExitStack, contenders: dict[str, _Contender]) -> None:
    """See that everybody answers as they should, then give each side its processors."""
    for contender in contenders.values():
        bench.progress.say(f"{contender.target.name}: each of {len(WORKLOADS)} workloads once")
        wrong = bench.driver.verify(contender.target, strictly=contender.target is not bench.other)
        for workload, what in wrong.items():
            bench.progress.say(f"  {workload} counts as an error each time: {what}")
    servers = [contender.target.pid for contender in contenders.values() if contender.target.pid]
    others = [pid for pid in descendants(os.getpid()) if pid not in servers]
    stack.enter_context(pinned(others, split()[1]))
    stack.enter_context(pinned(servers, split()[0]))


def _rounds(bench: Bench, contenders: dict[str, _Contender], calibration: Calibration) -> None:
    plan = bench.plan
    for turn in range(plan.rounds):
        bench.progress.say(f"round {turn + 1} of {plan.rounds}: {len(contenders)} servers, each {plan.seconds:g} s")
        calibration.sample()
        order = list(contenders.values())
        order = order[turn % len(order) :] + order[: turn % len(order)]
        for connections in plan.connections:
            for contender in order:
                report = bench.driver.load(
                    Order(
                        contender.target,
                        connections,
                        plan.seconds,
                        warm_up=max(2 * connections, len(WORKLOADS)),
                        seed=turn * 100 + connections + 1,
                    )
                )
                contender.reports.setdefault(connections, []).append(report)


def _told(reports: list[Report]) -> dict[str, Any]:
    latencies = sorted(micros for report in reports for micros in report.latencies)
    p99 = [percentile(sorted(report.latencies), LEVELS["p99"]) / 1000 for report in reports]
    cpu = [report.cpu_micros for report in reports]
    errors: dict[str, int] = {}
    for report in reports:
        for what, times in report.errors.items():
            errors[what] = errors.get(what, 0) + times
    return {
        "admissions": sum(report.requests for report in reports),
        "errors": errors,
        "rate": spread([report.rate for report in reports]).as_json(),
        "cpu_micros": spread(cpu).as_json() if all(cpu) else None,
        "cpu_rounds": [round(each, 1) for each in cpu],
        "millis": {name: round(percentile(latencies, share) / 1000, 3) for name, share in LEVELS.items()},
        "p99_rounds": [round(each, 3) for each in p99],
        "client_micros": round(sum(r.client_cpu for r in reports) * 1e6 / sum(r.requests for r in reports), 1),
    }
