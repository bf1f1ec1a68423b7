"""Section `start`: from the start of the operator's process until it is ready, with the stock config to be served."""

import time
from typing import Any

from benchmarks import inputs
from benchmarks.context import Bench
from benchmarks.figures import spread
from benchmarks.servers import operators


def measure(bench: Bench) -> dict[str, Any]:
    """Start and stop one replica several times."""
    cluster = bench.cluster
    taken = []
    with operators.configs(cluster, [inputs.stock_resource()]), operators.operator(cluster, "start") as running:
        operators.wait_for(cluster)  # the first one registers the webhook, and makes the CA
        for turn in range(bench.plan.starts):
            bench.progress.say(f"start {turn + 1} of {bench.plan.starts}")
            running.stop()
            started = time.perf_counter()
            running.start(wait=False)
            running.wait()
            taken.append(time.perf_counter() - started)
    return {"seconds": spread(taken).as_json()}
