"""The order of a Pod's containers: the kubelet starts them one after the other.

With a native sidecar, the Pod's own init containers come after the proxy and have the network. Without, they come
before its rules are in force, which would send them to a proxy that does not run yet; a check of the rules that a CNI
plugin has set goes first all the same, as it fails the Pod for want of them.
"""

from collections.abc import Mapping
from operator import itemgetter
from types import MappingProxyType

from sidecar_injector.injection.view import Container, Pod, items, names, with_spec
from sidecar_injector.profiles.istio.vocabulary import CORE_DUMP, INIT, PROXY, VALIDATION

Ranks = Mapping[str, int]
"""By the names of containers; all others have rank 0."""

_NATIVE: Ranks = MappingProxyType({INIT: -4, VALIDATION: -3, PROXY: -2, CORE_DUMP: -1})
_CLASSIC: Ranks = MappingProxyType({VALIDATION: -1, INIT: 1, CORE_DUMP: 2})
_PROXY_FIRST: Ranks = MappingProxyType({PROXY: -1})
_PROXY_LAST: Ranks = MappingProxyType({PROXY: 1})


def order_containers(pod: Pod, hold: bool) -> Pod:
    """Return the Pod with its containers in the order in which they have to start.

    `hold` holds the app until the proxy is up: the proxy goes before it, else after it. A native sidecar is up before
    the app in any case.
    """
    native = PROXY in names(pod, "initContainers")
    ordered = {
        "initContainers": _ordered(items(pod, "initContainers"), _NATIVE if native else _CLASSIC),
        "containers": _ordered(items(pod, "containers"), _PROXY_FIRST if hold else _PROXY_LAST),
    }
    moved = {field: containers for field, containers in ordered.items() if containers is not None}
    return with_spec(pod, **moved) if moved else pod


def _ordered(present: list[Container], ranks: Ranks) -> list[Container] | None:
    """Return the containers by their ranks, None if they stand so already."""
    found = [ranks.get(str(item.get("name")), 0) for item in present]
    if found == sorted(found):
        return None
    return [item for _, item in sorted(zip(found, present, strict=True), key=itemgetter(0))]
