"""What the user says of a container that is injected, too: it wins over the template, and is remembered in the Pod.

A user declares a container of the injected one's name, usually istio-proxy; with `image: auto` everything but the image
is theirs. The annotation `proxy.istio.io/overrides` keeps what they wrote for an injection to come.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from sidecar_injector.injection.overlay import template_containers
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.view import Container, Pod, is_placeholder, items, names, with_annotation, with_spec
from sidecar_injector.profiles.istio.view import Earlier
from sidecar_injector.profiles.istio.vocabulary import OVERRIDES

Overrides = Mapping[str, Sequence[Container]]
"""By the list in which the injected container is."""
_NONE: Overrides = MappingProxyType({})


def has_any_of(pod: Pod, overlays: Sequence[Overlay]) -> bool:
    """Tell whether the Pod has a container that templates give or change, too: most users customise nothing."""
    given = frozenset().union(*[overlay.names for overlay in overlays])
    return not (given.isdisjoint(names(pod, "containers")) and given.isdisjoint(names(pod, "initContainers")))


def overrides_of(pod: Pod, merged: Pod, earlier: Earlier, overlays: Sequence[Overlay]) -> Overrides:
    """Return what the user wrote of containers that templates give or change.

    pod    -- the Pod before the injection
    merged -- a Pod whose lists tell where each of those containers lives
    """
    if not earlier.overrides and not has_any_of(pod, overlays):
        return _NONE
    touched = dict.fromkeys([str(item.get("name")) for item in template_containers(overlays)])
    written = {
        name: item for field in CONTAINER_LISTS for item in items(pod, field) if (name := _name(item)) in touched
    }
    found: dict[str, list[Container]] = {}
    for field in CONTAINER_LISTS:
        recorded = {_name(item): item for item in earlier.overrides.get(field, ())}
        given = earlier.names.get(field, frozenset())
        theirs = {**{name: item for name, item in written.items() if name not in given}, **recorded}
        living = frozenset(names(merged, field)) if theirs else frozenset()
        found[field] = [theirs[name] for name in touched if name in theirs and name in living]
    return found


def _name(container: Container) -> str:
    return str(container.get("name"))


def with_overrides_noted(pod: Pod, overrides: Overrides, earlier: Earlier) -> Pod:
    """Return the Pod with the annotation that remembers what the user wrote; it stays as it is once there is one."""
    noted = {
        field: [_without_placeholder(item) for item in overrides[field]]
        for field in ("containers", "initContainers")
        if overrides.get(field)
    }
    if earlier.injected or not noted:
        return pod
    return with_annotation(pod, OVERRIDES, _SORTED.encode(noted))


_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _without_placeholder(container: Container) -> Container:
    if not is_placeholder(container):
        return container
    return {key: value for key, value in container.items() if key != "image"}


def without_auto_images(pod: Pod, names: Collection[str]) -> Pod:
    """Return the Pod without the placeholder images of these containers, which templates will fill."""
    for field in CONTAINER_LISTS:
        placeholders = filter(is_placeholder, items(pod, field))
        if any(item.get("name") in names for item in placeholders):
            filled = [_without_placeholder(item) if item.get("name") in names else item for item in items(pod, field)]
            pod = with_spec(pod, **{field: filled})
    return pod
