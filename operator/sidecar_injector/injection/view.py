"""Reading a Pod: its parts as they always are, whether the Pod spells them out or not."""

from collections.abc import Mapping
from typing import cast

from sidecar_injector.names import AUTO_IMAGE

Pod = Mapping[str, object]
Container = Mapping[str, object]


def part(parent: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return a map of the parent's, empty if it is absent or null."""
    return cast("Mapping[str, object]", parent.get(key) or {})


def labels(pod: Pod) -> Mapping[str, str]:
    """Return the Pod's labels."""
    return cast("Mapping[str, str]", part(part(pod, "metadata"), "labels"))


def annotations(pod: Pod) -> Mapping[str, str]:
    """Return the Pod's annotations."""
    return cast("Mapping[str, str]", part(part(pod, "metadata"), "annotations"))


def items(pod: Pod, field: str) -> list[Container]:
    """Return a list of the Pod's spec, such as `containers`."""
    return cast("list[Container]", part(pod, "spec").get(field) or [])


def names(pod: Pod, field: str) -> list[str]:
    """Return the names of the items of a list of the Pod's spec."""
    return [str(item.get("name")) for item in items(pod, field)]


def with_spec(pod: Pod, **fields: object) -> Pod:
    """Return the Pod with these fields of its spec; None leaves a field out."""
    spec = {key: value for key, value in part(pod, "spec").items() if key not in fields}
    return {**pod, "spec": {**spec, **{key: value for key, value in fields.items() if value is not None}}}


def with_labels(pod: Pod, values: Mapping[str, str]) -> Pod:
    """Return the Pod with these labels, and no others."""
    return {**pod, "metadata": {**part(pod, "metadata"), "labels": values}}


def with_annotations(pod: Pod, values: Mapping[str, str]) -> Pod:
    """Return the Pod with these annotations, and no others."""
    return {**pod, "metadata": {**part(pod, "metadata"), "annotations": values}}


def with_annotation(pod: Pod, key: str, value: str) -> Pod:
    """Return the Pod with one annotation set."""
    return with_annotations(pod, {**annotations(pod), key: value})


def is_placeholder(container: Container) -> bool:
    """Tell whether a container is there only to customise the injected one of its name."""
    return container.get("image") == AUTO_IMAGE


def for_templates(pod: Pod) -> Pod:
    """Return the Pod as templates see it: labels, annotations, containers and volumes are there even when empty."""
    metadata = {**part(pod, "metadata"), "labels": labels(pod), "annotations": annotations(pod)}
    lists = {field: items(pod, field) for field in ("containers", "initContainers", "volumes")}
    return {**pod, "metadata": metadata, "spec": {**part(pod, "spec"), **lists}}
