"""The path of a review without HTTP, TLS and Kopf: from its bytes to those of the answer."""

from collections.abc import Callable
from typing import Any

from benchmarks import inputs
from benchmarks.workloads import Workload
from benchmarks.workloads.reviews import encoded, filled
from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.injection import respond
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import Request, parse_review
from sidecar_injector.profiles import profile_for
from sidecar_injector.serving.requests import decode

TWO_CONTAINERS = "checkout"
"""The workload whose Pods stand for `a Pod of two containers`: with probes, metrics, 16 variables and annotations."""


def answer(body: bytes, config: CompiledConfig, facts: ClusterFacts) -> bytes:
    """Answer a review."""
    request = parse_review(decode(body))
    return written(request, admit(request, config, profile_for(config), facts), config)


def written(request: Request, outcome: Outcome, config: CompiledConfig) -> bytes:
    """Return the answer in which an outcome is told."""
    return respond.answer(
        request.uid, respond.encode(respond.respond(outcome, config)), respond.document(outcome.patch)
    )


def pipeline(workload: Workload) -> Callable[[], Any]:
    """Return what takes a Pod of a workload through the pipeline under the stock config."""
    config, facts, request = inputs.stock(), inputs.facts(), inputs.request(workload)
    profile = profile_for(config)
    return lambda: admit(request, config, profile, facts)


def whole(workload: Workload) -> Callable[[], Any]:
    """Return what answers a review of a Pod of a workload under the stock config."""
    config, facts, body = inputs.stock(), inputs.facts(), encoded(filled(workload))
    return lambda: answer(body, config, facts)
