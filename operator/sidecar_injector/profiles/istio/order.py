"""The order of a Pod's containers: the kubelet starts them one after the other.

With a native sidecar, the Pod's own init containers come after the proxy and have the network. Without, they come
before its rules are in force, which would send them to a proxy that does not run yet; a check of the rules that a CNI
plugin has set goes first all the same, as it fails the Pod for want of them.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType

from sidecar_injector.injection.view import Pod, items, names, with_spec
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
    init = names(pod, "initContainers")
    pod = _ordered(pod, "initContainers", init, _NATIVE if PROXY in init else _CLASSIC)
    return _ordered(pod, "containers", names(pod, "containers"), _PROXY_FIRST if hold else _PROXY_LAST)


def _ordered(pod: Pod, field: str, present: Sequence[str], ranks: Ranks) -> Pod:
    """Return the Pod with the containers of a list, whose names are given, by their ranks."""
    if len(present) < 2:
        return pod
    found = [ranks.get(name, 0) for name in present]
    if found == sorted(found):
        return pod
    ranked = sorted(zip(found, items(pod, field), strict=True), key=itemgetter(0))
    return with_spec(pod, **{field: [item for _, item in ranked]})
