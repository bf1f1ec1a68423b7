"""What the pipeline works on: the stock config of profile Istio, Pods of every workload, a cluster."""

import functools
from types import MappingProxyType
from typing import Any

import yaml

from benchmarks.workloads import NAMESPACES, Workload
from benchmarks.workloads.reviews import Values, filled
from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.review import Request, parse_review
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.istio.stock import stock_config

NAMESPACE_LABELS = {"istio-injection": "enabled", "team": "benchmark"}
KUBELET = (1, 36)
VERSION = "v1.36.0"


@functools.cache
def _stock_text() -> str:
    return stock_config()


def stock_resource(name: str = "istio", revision: str = "default") -> dict[str, Any]:
    """Return the stock config as the API server would hand it over."""
    found: dict[str, Any] = yaml.load(_stock_text(), yaml.CSafeLoader)
    found["metadata"] = {"name": name, "uid": f"uid-{name}", "generation": 1, "resourceVersion": "1"}
    found["spec"]["revision"] = revision
    return found


@functools.cache
def stock() -> CompiledConfig:
    """Return the stock config, accepted."""
    return accept(stock_resource())


def facts(namespaces: int = 0, nodes: int = 0) -> ClusterFacts:
    """Return a cluster with the Namespaces of the workloads, and with so many more, and nodes."""
    every = (*NAMESPACES, *(f"namespace-{number}" for number in range(namespaces)))
    labels = MappingProxyType(NAMESPACE_LABELS)
    return ClusterFacts(
        version=VERSION,
        kubelets=MappingProxyType({f"node-{number}": KUBELET for number in range(nodes)}),
        oldest_kubelet=KUBELET,
        namespaces=MappingProxyType({name: NamespaceFacts(name, labels) for name in every}),
    )


def request(workload: Workload, values: Values | None = None) -> Request:
    """Return the request for a Pod of a workload."""
    return parse_review(filled(workload, values))
