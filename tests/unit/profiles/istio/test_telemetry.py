"""How a service is named in traces."""

import pytest

from sidecar_injector.profiles.istio.telemetry import names_by_conventions, otel_resource_attributes

CONVENTIONS = {"name": "otel", "opentelemetry": {"serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}}
ISTIO_NAMES = {"name": "otel", "opentelemetry": {"serviceAttributeEnrichment": "ISTIO_CANONICAL"}}
OTHER = {"name": "prometheus", "prometheus": {}}
PREFIX = "resource.opentelemetry.io/service."


def pod(*images, notes=None, labels=None):
    names = ["app", "other", "third"]
    return {
        "metadata": {"labels": labels or {}, "annotations": {f"{PREFIX}{k}": v for k, v in (notes or {}).items()}},
        "spec": {"containers": [{"name": name, "image": image} for name, image in zip(names, images, strict=False)]},
    }


def attributes(namespace="shop", version="", instance="shop.$(POD_NAME).app"):
    pairs = {"service.namespace": namespace, "service.version": version, "service.instance.id": instance}
    return ",".join(f"{key}={value}" for key, value in pairs.items() if value)


V1 = {"app.kubernetes.io/version": "v1.2.3"}
PROXY = {"name": "istio-proxy", "image": "auto"}
CASES = {
    "a version by label": (pod("a:2", labels=V1), attributes(version="v1.2.3")),
    "a version by annotation": (pod("a:2", labels=V1, notes={"version": "9"}), attributes(version="9")),
    "a version by tag": (pod("a:2"), attributes(version="2")),
    "a version by tag, with a registry": (pod("example.org:5000/a/b:2.0"), attributes(version="2.0")),
    "a version by digest": (pod("a@sha256:12ab"), attributes(version="sha256:12ab")),
    "a version by tag and digest": (pod("r:5000/a:2@sha256:12ab"), attributes(version="2@sha256:12ab")),
    "an image without a tag": (pod("example.org:5000/a"), attributes()),
    "no image": (pod(""), attributes()),
    "several containers": (pod("a:1", "b:2"), attributes()),
    "several containers and a label": (pod("a:1", "b:2", labels=V1), attributes(version="v1.2.3")),
    "a namespace by annotation": (
        pod("a:2", notes={"namespace": "payments"}), attributes(namespace="payments", version="2")
    ),
    "an instance by annotation": (pod("a:2", notes={"instance.id": "one"}), attributes(version="2", instance="one")),
    "all by annotation": (
        pod("a:2", labels=V1, notes={"namespace": "n", "version": "v", "instance.id": "i"}), attributes("n", "v", "i")
    ),
    "empty annotations": (
        pod("a:2", notes={"namespace": "", "version": "", "instance.id": ""}), attributes(version="2")
    ),
    "the user's own proxy is no app": (
        {"spec": {"containers": [PROXY, {"name": "app", "image": "a:2"}]}}, attributes(version="2")
    ),
    "a gateway": ({"spec": {"containers": [PROXY]}}, attributes(instance="shop.$(POD_NAME).istio-proxy")),
    "signs that separate attributes": (
        pod("a:2", notes={"version": 'a,b=c;d "e" \\ é'}),
        attributes(version="a%2Cb%3Dc%3Bd%20%22e%22%20%5C%20%C3%A9"),
    ),
    "signs that a value may hold": (
        pod("a:2", notes={"version": "a+b/c:d@e_f~g"}), attributes(version="a+b/c:d@e_f~g")
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_service_is_named_by_the_conventions(given, expected):
    assert otel_resource_attributes(given, "shop") == expected


def test_services_are_named_by_the_conventions_if_one_provider_asks_for_it():
    assert names_by_conventions({"extensionProviders": [OTHER, CONVENTIONS]})


@pytest.mark.parametrize(
    "mesh",
    [
        {},
        {"extensionProviders": None},
        {"extensionProviders": []},
        {"extensionProviders": [OTHER]},
        {"extensionProviders": [ISTIO_NAMES]},
        {"extensionProviders": [{"name": "otel", "opentelemetry": None}]},
        {"extensionProviders": [{"name": "z", "zipkin": {"serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}}]},
    ],
)
def test_nothing_is_said_if_no_provider_asks_for_it(mesh):
    assert not names_by_conventions(mesh)


def test_a_pod_of_no_namespace_is_in_the_default_one():
    assert otel_resource_attributes(pod("a:2"), "") == attributes("default", "2", "default.$(POD_NAME).app")
