"""What is known about the cluster while a request is served; kept current by watches, never asked for on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar_injector.names import SYSTEM_NAMESPACES

Version = tuple[int, int]
"""Major and minor version of Kubernetes."""

NATIVE_SIDECARS_SINCE: Version = (1, 29)
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
    """The cluster.

    version        -- of the API server (`v1.36.3`; empty: unknown)
    kubelets       -- version of each node's kubelet, by the node's name; (0, 0) where it cannot be read
    oldest_kubelet -- the lowest of them; None if there is no node
    """

    version: str = ""
    kubelets: Mapping[str, Version] = field(default_factory=lambda: MappingProxyType({}))
    oldest_kubelet: Version | None = None
    namespaces: Mapping[str, NamespaceFacts] = field(default_factory=lambda: MappingProxyType({}))
    excluded_namespaces: frozenset[str] = frozenset(SYSTEM_NAMESPACES)

    def namespace(self, name: str) -> NamespaceFacts:
        """Return what is known about a Namespace: just its name if no watch has seen it yet."""
        return self.namespaces.get(name) or NamespaceFacts(name)

    def about(self, namespace: str, node: str) -> "ClusterFacts":
        """Return what concerns a Pod in this Namespace and on this node (empty: on none yet), and nothing else."""
        return ClusterFacts(
            version=self.version,
            kubelets={node: self.kubelets[node]} if node in self.kubelets else {},
            oldest_kubelet=self.oldest_kubelet,
            namespaces={namespace: self.namespaces[namespace]} if namespace in self.namespaces else {},
            excluded_namespaces=self.excluded_namespaces,
        )

    def runs_native_sidecars(self, since: Version, node: str = "") -> bool:
        """Tell whether native sidecars run, for kubelets from `since` on: on this node if it is known, else on all.

        Where there are no nodes yet they run: the first ones will be as new as the API server.
        """
        kubelet = self.kubelets.get(node, self.oldest_kubelet)
        return kubelet is None or kubelet >= since
