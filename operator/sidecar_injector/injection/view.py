"""Reading a Pod: its parts as they always are, whether the Pod spells them out or not."""

from collections.abc import Mapping, Sequence
from operator import itemgetter, methodcaller
from types import MappingProxyType
from typing import Any

from sidecar_injector.names import AUTO_IMAGE

Pod = Mapping[str, object]
Container = Mapping[str, object]
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def part(parent: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return a map of the parent's, empty if it is absent or null."""
    return parent.get(key) or _NOTHING  # type: ignore[return-value]


def labels(pod: Pod) -> Mapping[str, str]:
    """Return the Pod's labels."""
    return (pod.get("metadata") or _NOTHING).get("labels") or _NOTHING  # type: ignore[attr-defined]


def annotations(pod: Pod) -> Mapping[str, str]:
    """Return the Pod's annotations."""
    return (pod.get("metadata") or _NOTHING).get("annotations") or _NOTHING  # type: ignore[attr-defined]


def items(pod: Pod, field: str) -> list[Container]:
    """Return a list of the Pod's spec, such as `containers`."""
    return (pod.get("spec") or _NOTHING).get(field) or []  # type: ignore[attr-defined]


def names(pod: Pod, field: str) -> list[str]:
    """Return the names of the items of a list of the Pod's spec."""
    return names_of(items(pod, field))


def names_of(found: Sequence[Container]) -> list[str]:
    """Return the names of containers, volumes and the like; a directive in a template's list may have none."""
    try:
        return list(map(_name_of, found))
    except KeyError:
        return [str(item.get("name")) for item in found]


_name_of = itemgetter("name")


def containers(pod: Pod) -> list[Container]:
    """Return the Pod's init containers, and after them its containers."""
    spec: Mapping[str, Any] = pod.get("spec") or _NOTHING  # type: ignore[assignment]
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def with_spec(pod: Pod, **fields: object) -> Pod:
    """Return the Pod with these fields of its spec; None leaves a field out."""
    spec = dict(part(pod, "spec"))
    for key, value in fields.items():
        spec.pop(key, None)
        if value is not None:
            spec[key] = value
    return {**pod, "spec": spec}


def with_labels(pod: Pod, values: Mapping[str, str]) -> Pod:
    """Return the Pod with these labels, and no others."""
    return {**pod, "metadata": {**part(pod, "metadata"), "labels": values}}


def with_annotations(pod: Pod, values: Mapping[str, str]) -> Pod:
    """Return the Pod with these annotations, and no others."""
    return {**pod, "metadata": {**part(pod, "metadata"), "annotations": values}}


def with_annotation(pod: Pod, key: str, value: str) -> Pod:
    """Return the Pod with one annotation set."""
    return with_annotations(pod, {**annotations(pod), key: value})


def node_of(pod: Pod) -> str:
    """Return the node that the Pod is bound to, empty if it is to none yet."""
    return str(part(pod, "spec").get("nodeName") or "")


def is_placeholder(container: Container) -> bool:
    """Tell whether a container is there only to customise the injected one of its name."""
    return container.get("image") == AUTO_IMAGE


def has_placeholders(pod: Pod) -> bool:
    """Tell whether any of the Pod's containers is there only to customise an injected one."""
    return AUTO_IMAGE in map(_image_of, containers(pod))


_image_of = methodcaller("get", "image")


def for_templates(pod: Pod) -> Pod:
    """Return the Pod as templates see it: labels, annotations, containers and volumes are there even when empty.

    The bookkeeping of server-side apply is not: the webhook does without it, as there are times in it.
    """
    metadata, spec = dict(part(pod, "metadata")), dict(part(pod, "spec"))
    metadata.pop("managedFields", None)
    for field in ("labels", "annotations"):
        metadata[field] = metadata.get(field) or _NOTHING
    for field in ("containers", "initContainers", "volumes"):
        spec[field] = spec.get(field) or []
    return {**pod, "metadata": metadata, "spec": spec}
