"""Section `growth`: how the processor time of an admission grows with what there is more of.

An admission is here: decode the review, the function that the Kopf handler calls, and encode the answer; with the
snapshot of configs and the cache of Namespaces and nodes that the operator keeps. There is no HTTP around it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from benchmarks import inputs
from benchmarks.context import Bench
from benchmarks.figures import micros, spread
from benchmarks.templates import generic_resource
from benchmarks.workloads import WORKLOADS, Container, Workload
from benchmarks.workloads.reviews import encoded, filled
from sidecar_injector.cluster.facts import FactsCache
from sidecar_injector.config import Snapshot
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.respond import answer
from sidecar_injector.injection.review import parse_review
from sidecar_injector.names import APP, Reason
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.serving.admission import inject
from sidecar_injector.serving.interpreter import settle
from sidecar_injector.serving.requests import decode

Admission = Callable[[], Any]

SIZES: Mapping[str, tuple[int, ...]] = {
    "containers of the Pod": (1, 2, 5, 10, 20, 30),
    "variables of the Pod": (0, 20, 200, 1000, 2000),
    "configs": (1, 10, 50, 200),
    "Namespaces": (1, 100, 1000, 5000),
    "nodes": (1, 100, 1000, 5000),
    "lines of the template": (50, 100, 500, 1000, 2000),
}
FRONTEND = next(workload for workload in WORKLOADS if workload.name == "frontend")
SHORT_TEMPLATE = 30


def measure(bench: Bench) -> dict[str, Any]:
    """Measure every size of everything, in turns; the figures are microseconds for one admission."""
    found: dict[str, Any] = {}
    for what, sizes in SIZES.items():
        chosen = (sizes[0], sizes[1], sizes[-1]) if bench.plan.quick else sizes
        bench.progress.say(f"{what}: {chosen[0]} to {chosen[-1]}")
        admissions = {size: ADMISSIONS[what](size) for size in chosen}
        rounds: dict[int, list[float]] = {size: [] for size in chosen}
        settle()
        for _ in range(bench.plan.rounds):
            for size, admission in admissions.items():
                rounds[size].append(micros([admission], bench.plan.seconds / 8))
        found[what] = {str(size): spread(values).as_json() for size, values in rounds.items()}
    return found


def _containers(number: int) -> Admission:
    first = FRONTEND.containers[0]
    containers = (first, *(_another(first, count) for count in range(1, number)))
    return _admission(replace(FRONTEND, containers=containers))


def _another(container: Container, number: int) -> Container:
    return replace(container, name=f"{container.name}-{number}", ports={f"http-{number}": 8100 + number})


def _variables(number: int) -> Admission:
    return _admission(replace(FRONTEND, containers=(replace(FRONTEND.containers[0], env=number),)))


def _configs(number: int) -> Admission:
    snapshot = Snapshot().with_accepted(inputs.stock())
    for count in range(1, number):
        snapshot = snapshot.with_accepted(accept(generic_resource(f"config-{count}", SHORT_TEMPLATE, count)))
    return _admission(FRONTEND, snapshot=snapshot)


def _namespaces(number: int) -> Admission:
    cache = FactsCache(APP)
    for count in range(number):
        name = FRONTEND.namespace if count == 0 else f"namespace-{count}"
        labels = inputs.NAMESPACE_LABELS
        cache.namespace_seen({"metadata": {"name": name, "uid": name, "resourceVersion": "1", "labels": labels}})
    return _admission(FRONTEND, facts=cache.facts)


def _nodes(number: int) -> Admission:
    cache = FactsCache(APP)
    status = {"nodeInfo": {"kubeletVersion": inputs.VERSION}}
    for count in range(number):
        cache.node_seen({"metadata": {"name": f"node-{count}", "resourceVersion": "1"}, "status": status})
    return _admission(FRONTEND, facts=cache.facts)


def _lines(number: int) -> Admission:
    compiled = accept(generic_resource("istio", number))
    return _admission(FRONTEND, snapshot=Snapshot().with_accepted(compiled))


def _admission(workload: Workload, snapshot: Snapshot | None = None, facts: ClusterFacts | None = None) -> Admission:
    """Return what admits a Pod of the workload, which has to be injected."""
    body = encoded(filled(workload))
    served = snapshot or Snapshot().with_accepted(inputs.stock())
    known = facts or inputs.facts()

    def admit() -> bytes:
        request = parse_review(decode(body))
        decided = inject(request, served, "istio", known, {})
        if decided.reason != Reason.INJECTED or not isinstance(decided.body, bytes):
            raise AssertionError(f"{decided.reason}: {decided.message}")
        return answer(request.uid, decided.body, decided.patch)

    return admit


ADMISSIONS: Mapping[str, Callable[[int], Admission]] = {
    "containers of the Pod": _containers,
    "variables of the Pod": _variables,
    "configs": _configs,
    "Namespaces": _namespaces,
    "nodes": _nodes,
    "lines of the template": _lines,
}
