"""Section `pipeline`: the path of one Pod without HTTP and Kopf, in microseconds of processor time, step by step."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks import inputs
from benchmarks.context import Bench
from benchmarks.counting import count
from benchmarks.figures import micros, spread
from benchmarks.path import TWO_CONTAINERS, written
from benchmarks.stages import REST, STAGES, watching
from benchmarks.workloads import WORKLOADS, Workload
from benchmarks.workloads.reviews import encoded, filled
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import parse_review
from sidecar_injector.profiles import profile_for
from sidecar_injector.serving.interpreter import settle
from sidecar_injector.serving.requests import decode


def measure(bench: Bench) -> dict[str, Any]:
    """Measure; the figures are for one admission."""
    found: dict[str, Any] = {}
    two = [workload for workload in WORKLOADS if workload.name == TWO_CONTAINERS]
    for title, key, workloads in (("one Pod of two containers", "two", two), ("every workload", "all", WORKLOADS)):
        bench.progress.say(f"{title}: {len(workloads)} admissions at a time")
        found[key] = _measured(bench, workloads)
    return {**found, "counts": asdict(count(two[0]))}


def _measured(bench: Bench, workloads: Sequence[Workload]) -> dict[str, Any]:
    config, facts = inputs.stock(), inputs.facts()
    profile = profile_for(config)
    requests = [inputs.request(workload) for workload in workloads]
    outcomes = [admit(request, config, profile, facts) for request in requests]
    bodies = [encoded(filled(workload)) for workload in workloads]
    reviews = [decode(body) for body in bodies]
    answers = list(zip(requests, outcomes, strict=True))
    whole: dict[str, Callable[[], Any]] = {
        "decode the review": lambda: [decode(body) for body in bodies],
        "read the review": lambda: [parse_review(review) for review in reviews],
        "pipeline": lambda: [admit(request, config, profile, facts) for request in requests],
        "answer": lambda: [written(request, outcome, config) for request, outcome in answers],
    }
    share = bench.plan.seconds / 4
    rounds: dict[str, list[float]] = {name: [] for name in (*whole, *STAGES, REST)}
    settle()
    for _ in range(bench.plan.rounds):
        for name, function in whole.items():
            rounds[name].append(micros([function], share) / len(requests))
        staged = _staged(profile, requests, share)
        for name, taken in staged.items():
            rounds[name].append(taken)
    return {
        "requests": len(requests),
        "review_bytes": round(sum(map(len, bodies)) / len(bodies)),
        "patch_bytes": round(sum(len(encoded(list(outcome.patch))) for outcome in outcomes) / len(outcomes)),
        "operations": round(sum(len(outcome.patch) for outcome in outcomes) / len(outcomes), 1),
        "micros": {name: spread(values).as_json() for name, values in rounds.items()},
    }


def _staged(profile: Any, requests: Sequence[Any], seconds: float) -> dict[str, float]:
    """Return the microseconds of each stage."""
    config, facts = inputs.stock(), inputs.facts()
    with watching(profile) as (watch, watched):
        turns, started = 0, time.thread_time_ns()
        while (taken := time.thread_time_ns() - started) < seconds * 1e9:
            turns += 1
            for request in requests:
                admit(request, config, watched, facts)
    each = turns * len(requests) * 1000
    found = {stage: nanos / each for stage, nanos in watch.taken.items()}
    return {**found, REST: taken / each - sum(found.values())}
