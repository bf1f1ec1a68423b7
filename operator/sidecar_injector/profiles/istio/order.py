"""The order of a Pod's containers: the kubelet starts them one after the other.

With a native sidecar, the Pod's own init containers come after the proxy and have the network. Without, they come
before its rules are in force, which would send them to a proxy that does not run yet; a check of the rules that a CNI
plugin has set goes first all the same, as it fails the Pod for want of them.
"""

from collections.abc import Sequence

from sidecar_injector.injection.view import Container, Pod, items, names, with_spec
from sidecar_injector.profiles.istio.vocabulary import CORE_DUMP, INIT, PROXY, VALIDATION

_NATIVE_FIRST = (INIT, VALIDATION, PROXY, CORE_DUMP)


def order_containers(pod: Pod, hold: bool) -> Pod:
    """Return the Pod with its containers in the order in which they have to start.

    `hold` holds the app until the proxy is up: the proxy goes before it, else after it. A native sidecar is up before
    the app in any case.
    """
    native = PROXY in names(pod, "initContainers")
    ordered = {
        "initContainers": _ordered(pod, "initContainers", _NATIVE_FIRST, ())
        if native
        else _ordered(pod, "initContainers", (VALIDATION,), (INIT, CORE_DUMP)),
        "containers": _ordered(pod, "containers", (PROXY,), ()) if hold else _ordered(pod, "containers", (), (PROXY,)),
    }
    moved = {field: containers for field, containers in ordered.items() if containers is not None}
    return with_spec(pod, **moved) if moved else pod


def _ordered(pod: Pod, field: str, first: Sequence[str], last: Sequence[str]) -> list[Container] | None:
    """Return a list with these names first and those last, None if they stand so already."""
    present = items(pod, field)
    rank = {name: index - len(first) for index, name in enumerate(first)}
    rank |= {name: index + 1 for index, name in enumerate(last)}
    ordered = sorted(present, key=lambda item: rank.get(str(item.get("name")), 0))
    return None if all(new is old for new, old in zip(ordered, present, strict=True)) else ordered
