"""Sample Pods on which a config is tried before it is accepted: ordinary ones and awkward ones."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Sample(NamedTuple):
    """What is said of it to people, the Pod, and the annotations of its Namespace."""

    title: str
    pod: Mapping[str, object]
    namespace: Mapping[str, str] = MappingProxyType({})


NAMESPACE = "sample"

_APP: dict[str, object] = {"name": "sample-app", "image": "registry.example/app:1"}
_OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "sample-5d8f", "uid": "0", "controller": True}


def _pod(metadata: Mapping[str, object], spec: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": NAMESPACE, **metadata},
        "spec": {"containers": [_APP], **spec},
    }


SAMPLES: tuple[Sample, ...] = (
    Sample("a bare Pod", _pod({"name": "sample"}, {})),
    Sample(
        "a Pod of a Deployment",
        _pod(
            {
                "generateName": "sample-5d8f-",
                "labels": {"app": "sample", "pod-template-hash": "5d8f"},
                "annotations": {"example.com/note": "any"},
                "ownerReferences": [_OWNER],
            },
            {
                "containers": [
                    {
                        **_APP,
                        "ports": [{"containerPort": 8080, "name": "http"}],
                        "env": [{"name": "SAMPLE", "value": "1"}],
                        "volumeMounts": [{"name": "sample-data", "mountPath": "/sample"}],
                        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                    },
                    {"name": "sample-helper", "image": "registry.example/helper:1"},
                ],
                "initContainers": [{"name": "sample-init", "image": "registry.example/init:1"}],
                "volumes": [{"name": "sample-data", "emptyDir": {}}],
                "serviceAccountName": "default",
            },
        ),
    ),
    Sample(
        "a Job's Pod on the host's network",
        _pod({"generateName": "sample-"}, {"restartPolicy": "Never", "hostNetwork": True}),
    ),
    Sample(
        "a Pod whose labels, annotations and lists are null",
        _pod({"name": "sample", "labels": None, "annotations": None}, {"initContainers": None, "volumes": None}),
    ),
)
