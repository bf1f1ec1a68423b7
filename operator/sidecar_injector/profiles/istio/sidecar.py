"""The proxy's container in a Pod, an ordinary one or a native sidecar, and its environment."""

from collections.abc import Mapping

from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.view import Container, Pod, items, with_spec
from sidecar_injector.profiles.istio.reading import maps_at
from sidecar_injector.profiles.istio.vocabulary import PROXY

Variable = Mapping[str, object]


def sidecar_of(pod: Pod) -> Container | None:
    """Return the proxy's container, None if the Pod has none."""
    return next((item for field in CONTAINER_LISTS for item in items(pod, field) if item.get("name") == PROXY), None)


def with_sidecar(pod: Pod, sidecar: Container) -> Pod:
    """Return the Pod with another proxy in the place of the one that `sidecar_of` finds."""
    current = sidecar_of(pod)
    for field in CONTAINER_LISTS:
        present = items(pod, field)
        if any(item is current for item in present):
            return with_spec(pod, **{field: [sidecar if item is current else item for item in present]})
    return pod


def environment(container: Container) -> list[Variable]:
    """Return the entries of a container's environment."""
    return maps_at(container, "env")


def variable(container: Container, name: str) -> object:
    """Return the value of a variable: the last entry of a name is the one in force. None if it has no literal value."""
    return next((entry.get("value") for entry in reversed(environment(container)) if entry.get("name") == name), None)


def with_variable(container: Container, name: str, value: str) -> Container:
    """Return the container with a variable set: where it stands, or at the end."""
    entry: Variable = {"name": name, "value": value}
    present = environment(container)
    stands = [index for index, item in enumerate(present) if item.get("name") == name]
    if not stands:
        return {**container, "env": [*present, entry]}
    last = stands[-1]
    return {**container, "env": [*present[:last], entry, *present[last + 1 :]]}
