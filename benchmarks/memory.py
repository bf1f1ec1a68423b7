"""Section `memory`: what of the operator is resident in memory, after its start and after many admissions."""

import time
from typing import Any

from benchmarks import inputs
from benchmarks.context import Bench
from benchmarks.load import Order
from benchmarks.processes import resident_mib
from benchmarks.servers import operators

CONNECTIONS = 8
STEPS = 5
SETTLE_SECONDS = 3.0
"""After readiness: reports to other replicas and the first writes are made by then."""


def measure(bench: Bench) -> dict[str, Any]:
    """Measure with few configs and with many, all of them copies of the stock config with a revision of its own."""
    few, many = bench.plan.configs
    found: dict[str, Any] = {"configs": {}, "admissions": {}}
    with operators.configs(bench.cluster, _copies(few)), operators.operator(bench.cluster, "memory") as running:
        bench.progress.say(f"{few} configs")
        operators.wait_for(bench.cluster)
        time.sleep(SETTLE_SECONDS)
        found["configs"][str(few)] = round(resident_mib(running.pid), 1)
        found["admissions"] = _under_load(bench, running)
    bench.progress.say(f"{many} configs: they are compiled one after the other")
    with operators.configs(bench.cluster, _copies(many)), operators.operator(bench.cluster, "many") as running:
        time.sleep(SETTLE_SECONDS)
        found["configs"][str(many)] = round(resident_mib(running.pid), 1)
    return found


def _under_load(bench: Bench, running: operators.Operator) -> dict[str, float]:
    target = operators.target(bench.cluster, running, "the operator")
    found = {"0": round(resident_mib(running.pid), 1)}
    step = bench.plan.admissions // STEPS
    for number in range(1, STEPS + 1):
        bench.progress.say(f"{number * step} admissions")
        order = Order(target, CONNECTIONS, requests=step, seed=1000 + number, latencies=False)
        bench.driver.load(order)
        found[str(number * step)] = round(resident_mib(running.pid), 1)
    return found


def _copies(number: int) -> list[dict[str, Any]]:
    others = [inputs.stock_resource(f"istio-{count}", f"r-{count}") for count in range(1, number)]
    return [inputs.stock_resource(), *others]
