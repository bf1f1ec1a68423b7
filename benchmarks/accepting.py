"""Section `accept`: what judging a config takes before it serves: parse, compile, render on every sample Pod."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks import inputs
from benchmarks.context import Bench
from benchmarks.figures import spread
from benchmarks.templates import generic_resource
from sidecar_injector.config.compile import compile_config
from sidecar_injector.config.parse import parse_config
from sidecar_injector.profiles.acceptance import accept

LINES = 2000


def measure(bench: Bench) -> dict[str, Any]:
    """Measure the stock config, and one whose template is long."""
    resources: dict[str, Callable[[int], dict[str, Any]]] = {
        "stock config": _stock,
        f"template of {LINES} lines": lambda number: generic_resource("long", LINES, number),
    }
    return {title: _judged(bench, title, resource) for title, resource in resources.items()}


def _judged(bench: Bench, title: str, resource: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    bench.progress.say(title)
    compiled, whole = [], []
    for number in range(max(bench.plan.rounds, 2)):
        # Another text each time: what is kept of the one before must not help.
        first, second = resource(2 * number), resource(2 * number + 1)
        started = time.process_time()
        compile_config(parse_config(first))
        compiled.append((time.process_time() - started) * 1000)
        started = time.process_time()
        accept(second)
        whole.append((time.process_time() - started) * 1000)
    return {"compile_millis": spread(compiled).as_json(), "accept_millis": spread(whole).as_json()}


def _stock(number: int) -> dict[str, Any]:
    found = inputs.stock_resource()
    for template in found["spec"]["templates"]:
        template["template"] += f"\n# {number}\n"
    return found
