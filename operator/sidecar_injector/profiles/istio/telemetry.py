"""OTEL_RESOURCE_ATTRIBUTES: how a proxy's traces name its service, by OpenTelemetry's conventions for Kubernetes.

Source: https://opentelemetry.io/docs/specs/semconv/non-normative/k8s-attributes/, and for how values are written
https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable.
"""

from collections.abc import Mapping
from urllib.parse import quote

from sidecar_injector.injection.view import Container, Pod, annotations, items, labels
from sidecar_injector.profiles.istio.reading import at, maps_at
from sidecar_injector.profiles.istio.vocabulary import (
    NAMESPACE_OF_NONE,
    OTEL_INSTANCE,
    OTEL_NAMESPACE,
    OTEL_VERSION,
    PROXY,
)

_CONVENTIONS = "OTEL_SEMANTIC_CONVENTIONS"
_VERSION_LABEL = "app.kubernetes.io/version"
_UNESCAPED = "!#$&'()*+/:<>?@[]^`{|}"
"""Beside letters, digits and `_.-~`: what a value may hold as it is."""


def names_by_conventions(mesh: Mapping[str, object]) -> bool:
    """Tell whether a provider in a MeshConfig's `extensionProviders` wants services to be named by the conventions."""
    providers = maps_at(mesh, "extensionProviders")
    return any(at(item, "opentelemetry", "serviceAttributeEnrichment") == _CONVENTIONS for item in providers)


def otel_resource_attributes(pod: Pod, namespace: str) -> str:
    """Return the attributes of a Pod's service, for a mesh whose `names_by_conventions` is true.

    Args:
        pod: without what was injected earlier.
        namespace: where the Pod is created.
    """
    notes, apps, home = annotations(pod), _apps(pod), namespace or NAMESPACE_OF_NONE
    attributes = {
        "service.namespace": notes.get(OTEL_NAMESPACE) or home,
        "service.version": notes.get(OTEL_VERSION) or labels(pod).get(_VERSION_LABEL) or _image_version(apps),
        "service.instance.id": notes.get(OTEL_INSTANCE) or _instance(home, apps),
    }
    return ",".join(f"{key}={quote(value, safe=_UNESCAPED)}" for key, value in attributes.items() if value)


def _apps(pod: Pod) -> list[Container]:
    """Return the app's containers; a gateway has none but the proxy, which then is the app."""
    containers = items(pod, "containers")
    return [item for item in containers if item.get("name") != PROXY] or containers


def _image_version(apps: list[Container]) -> str:
    """Return tag and digest of the app's image, empty if it has neither, or if there are several containers."""
    if len(apps) != 1:
        return ""
    image, _, digest = str(apps[0].get("image") or "").partition("@")
    _, _, tag = image.rpartition("/")[2].partition(":")
    return "@".join(part for part in (tag, digest) if part)


def _instance(namespace: str, apps: list[Container]) -> str:
    """Return what tells this Pod from others; the kubelet fills in the Pod's name."""
    return ".".join([namespace, "$(POD_NAME)", *(str(item.get("name")) for item in apps[:1])])
