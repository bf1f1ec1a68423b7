"""What requests need to know about the cluster, kept current by watch events: Namespaces, nodes, version."""

import re
from collections import Counter
from types import MappingProxyType

from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api, Listing, Object
from sidecar_injector.cluster.versions import Newest
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts, Version
from sidecar_injector.names import SYSTEM_NAMESPACES


class FactsCache:
    """Holds one ClusterFacts. Its Namespaces and kubelets are live, read-only views, so an event costs one assignment,
    however many there are; everything runs on one thread, so a request cannot see half of a change."""

    def __init__(self, own_namespace: str) -> None:
        self._own_namespace = own_namespace
        self.own_namespace_uid = ""
        """Uid of the operator's Namespace; empty until it was seen."""
        self._excluded = frozenset({*SYSTEM_NAMESPACES, own_namespace})
        self._namespaces: dict[str, NamespaceFacts] = {}
        self._newest_namespaces = Newest()
        self._kubelets: dict[str, Version] = {}
        self._nodes_by_kubelet: Counter[Version] = Counter()
        self._newest_nodes = Newest()
        self._version = ""
        self._refresh()

    async def load(self, api: Api) -> None:
        """Read everything from the API server, forgetting what is there no longer. Raises ClusterError."""
        self._version = (await api.get(paths.VERSION))["gitVersion"]
        namespaces = await api.list(paths.NAMESPACES)
        for resource in namespaces.items:
            self.namespace_seen(resource)
        for name in self._newest_namespaces.gone(_names(namespaces), namespaces.version):
            self._namespaces.pop(name, None)
        nodes = await api.list(paths.NODES)
        for resource in nodes.items:
            self.node_seen(resource)
        for name in self._newest_nodes.gone(_names(nodes), nodes.version):
            self._set_kubelet(name, None)
        self._refresh()

    def namespace_seen(self, resource: Object) -> None:
        """Note a Namespace that exists."""
        if self._newest_namespaces.is_news(*_identity(resource)):
            self._namespaces[resource["metadata"]["name"]] = _namespace(resource)
            if resource["metadata"]["name"] == self._own_namespace:
                self.own_namespace_uid = resource["metadata"]["uid"]

    def namespace_gone(self, resource: Object) -> None:
        """Note that a Namespace was deleted."""
        if self._newest_namespaces.is_news(*_identity(resource)):
            self._namespaces.pop(resource["metadata"]["name"], None)

    def node_seen(self, resource: Object) -> None:
        """Note a node that exists."""
        if self._newest_nodes.is_news(*_identity(resource)):
            self._set_kubelet(resource["metadata"]["name"], _kubelet(resource))

    def node_gone(self, resource: Object) -> None:
        """Note that a node was deleted."""
        if self._newest_nodes.is_news(*_identity(resource)):
            self._set_kubelet(resource["metadata"]["name"], None)

    def _set_kubelet(self, node: str, version: Version | None) -> None:
        """Note a node's version (None: it is gone). A cluster has few versions at a time, however many nodes."""
        before = self._kubelets.pop(node, None)
        if before is not None:
            self._nodes_by_kubelet[before] -= 1
        if version is not None:
            self._kubelets[node] = version
            self._nodes_by_kubelet[version] += 1
        if before != version:
            self._nodes_by_kubelet += Counter()  # drops the versions that no node has any more
            self._refresh()

    def _refresh(self) -> None:
        self.facts = ClusterFacts(
            version=self._version,
            kubelets=MappingProxyType(self._kubelets),
            oldest_kubelet=min(self._nodes_by_kubelet, default=None),
            namespaces=MappingProxyType(self._namespaces),
            excluded_namespaces=self._excluded,
        )


def kubelet_version(text: str) -> Version:
    """Return (1, 36) for `v1.36.3`; (0, 0), older than any feature, for what cannot be read."""
    found = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _identity(resource: Object) -> tuple[str, str]:
    return resource["metadata"]["name"], resource["metadata"]["resourceVersion"]


def _names(listing: Listing) -> frozenset[str]:
    return frozenset(resource["metadata"]["name"] for resource in listing.items)


def _kubelet(node: Object) -> Version:
    return kubelet_version(node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", ""))


def _namespace(resource: Object) -> NamespaceFacts:
    metadata = resource["metadata"]
    return NamespaceFacts(
        metadata["name"],
        MappingProxyType(dict(metadata.get("labels") or {})),
        MappingProxyType(dict(metadata.get("annotations") or {})),
    )
