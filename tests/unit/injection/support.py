"""A config and a Pod in few words, for tests of the pipeline."""

from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import parse_review
from sidecar_injector.names import API_VERSION, KIND
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.acceptance import accept

LOG = """
spec:
  sidecars:
  - name: log
    image: {{ values.image }}
    args: [--level, "{{ pod.metadata.annotations['example.com/level'] | default('info') }}"]
    volumeMounts:
    - {name: logs, mountPath: /logs}
  volumes:
  - name: logs
    emptyDir: {}
"""


def config(template=LOG, name="logging", templates=None, **spec):
    """A compiled config of one template called main, or of several (a list of entries of spec.templates)."""
    entries = templates or [{"name": "main", "template": template}]
    resource = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {"profile": "Generic", "values": {"image": "registry.example/log:1"}, "templates": entries, **spec},
    }
    return accept(resource)


def pod(*containers, labels=None, annotations=None, **spec):
    """A Pod of these containers: names, or whole containers."""
    made = [
        c if isinstance(c, dict) else {"name": c, "image": f"registry.example/{c}:1"} for c in containers or ("app",)
    ]
    metadata = {"name": "pod", "namespace": "shop"}
    if labels is not None:
        metadata["labels"] = labels
    if annotations is not None:
        metadata["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": made, **spec}}


def review(obj, operation="CREATE", namespace="shop", resource="pods", **request):
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1",
            "operation": operation,
            "namespace": namespace,
            "resource": {"group": "", "version": "v1", "resource": resource},
            "object": obj,
            **request,
        },
    }


def outcome(obj, compiled, facts=None, namespace_labels=None, **request):
    asked = parse_review(review(obj, **request))
    return admit(asked, compiled, profile_for(compiled), facts or ClusterFacts(), namespace_labels)


def injected(obj, compiled, **kwargs):
    return outcome(obj, compiled, **kwargs).pod


def container_names(obj, field="containers"):
    return [container["name"] for container in obj["spec"].get(field, [])]


def container(obj, name):
    for field in ("initContainers", "containers"):
        for item in obj["spec"].get(field, []):
            if item["name"] == name:
                return item
    raise AssertionError(f"no container {name}")
