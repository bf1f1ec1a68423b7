"""What is known about the cluster while a request is served; kept current by watches, never asked for on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar_injector.names import SYSTEM_NAMESPACES

NATIVE_SIDECARS_SINCE = (1, 29)
"""Version of the kubelet that runs init containers with `restartPolicy: Always` by default.

Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
"""


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True)
class NamespaceFacts:
    """A Namespace as templates see it."""

    name: str
    labels: Mapping[str, str] = field(default_factory=_nothing)
    annotations: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True)
class ClusterFacts:
    """The cluster: version (`v1.36.3`; empty: unknown), whether every node runs native sidecars, Namespaces."""

    version: str = ""
    native_sidecars: bool = True
    namespaces: Mapping[str, NamespaceFacts] = field(default_factory=lambda: MappingProxyType({}))
    excluded_namespaces: frozenset[str] = frozenset(SYSTEM_NAMESPACES)

    def namespace(self, name: str) -> NamespaceFacts:
        """Return what is known about a Namespace: just its name if no watch has seen it yet."""
        return self.namespaces.get(name) or NamespaceFacts(name)
