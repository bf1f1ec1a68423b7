"""The proxy's container in a Pod, an ordinary one or a native sidecar, and its environment."""

from collections.abc import Callable, Mapping, Sequence

from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.view import Container, Pod, items, names, names_of, with_spec
from sidecar_injector.profiles.istio.reading import maps_in
from sidecar_injector.profiles.istio.vocabulary import PROXY

Variable = Mapping[str, object]


def sidecar_of(pod: Pod) -> Container | None:
    """Return the proxy's container, None if the Pod has none."""
    for field in CONTAINER_LISTS:
        present = names(pod, field)
        if PROXY in present:
            return items(pod, field)[present.index(PROXY)]
    return None


def with_sidecar(pod: Pod, sidecar: Container, **lists: list[Container]) -> Pod:
    """Return the Pod with another proxy in the place of the one that `sidecar_of` finds.

    lists -- what becomes of lists of containers otherwise, in which the proxy stands where it did
    """
    for field in CONTAINER_LISTS:
        names_in = names(pod, field)
        if PROXY in names_in:
            present, index = lists.pop(field, None) or items(pod, field), names_in.index(PROXY)
            return with_spec(pod, **lists, **{field: [*present[:index], sidecar, *present[index + 1 :]]})
    return pod


def environment(container: Container) -> list[Variable]:
    """Return the entries of a container's environment."""
    return maps_in(container.get("env"))


def variable(container: Container, name: str) -> object:
    """Return the value of a variable: the last entry of a name is the one in force. None if it has no literal value."""
    variables = environment(container)
    index = _last(variables, name)
    return None if index is None else variables[index].get("value")


def with_variable(container: Container, name: str, value: Callable[[object], str]) -> Container:
    """Return the container with a variable set: where it stands, or at the end.

    value -- tells what it becomes, given its value as `variable` returns it
    """
    variables = [*environment(container)]
    index = _last(variables, name)
    if index is None:
        variables.append({"name": name, "value": value(None)})
    else:
        variables[index] = {"name": name, "value": value(variables[index].get("value"))}
    return {**container, "env": variables}


def _last(variables: Sequence[Variable], name: str) -> int | None:
    """Return where the last variable of a name stands."""
    present = names_of(variables)
    return len(present) - 1 - present[::-1].index(name) if name in present else None
