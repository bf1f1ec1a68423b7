"""Which kinds of objects make Pods, and where in them the Pod is described."""

from collections.abc import Mapping, Sequence
from typing import cast

from sidecar_injector.cli.files import Document, Object, join
from sidecar_injector.config.fields import describe

POD_TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    # API group, kind: path of the Pod or Pod template; () is the object itself
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("apps.openshift.io", "DeploymentConfig"): ("spec", "template"),
    ("argoproj.io", "Rollout"): ("spec", "template"),
}
_OURS_IN_METADATA = ("namespace", "ownerReferences", "generateName")


def template_path(workload: Object) -> tuple[str, ...] | None:
    """Return where in the object its Pod is described; None if it makes no Pods."""
    group, _, _ = str(workload["apiVersion"]).rpartition("/")
    return POD_TEMPLATES.get((group, str(workload["kind"])))


def pod_of(workload: Object, path: Sequence[str], namespace: str, at: str, document: Document) -> Object:
    """Return the Pod that a workload would make: in its namespace, with the workload as its owner, named after it.

    at -- the workload's path in the document. Raises InputFileError if there is no Pod template.
    """
    template = _walk(workload, path, at, document)
    metadata = {} if template.get("metadata") is None else template["metadata"]
    if not isinstance(metadata, Mapping):
        raise document.refuse(
            join(join(at, ".".join(path)), "metadata"), f"is {describe(metadata)}; an object is expected"
        )
    owner = _owner(workload)
    ours = {
        "namespace": namespace,
        **({"ownerReferences": [owner], "generateName": f"{owner['name']}-"} if path else {}),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {}} | {**template, "metadata": {**metadata, **ours}}


def with_pod(workload: Object, path: Sequence[str], pod: Object) -> Object:
    """Return the workload with the Pod (one that came of `pod_of`) put back into its place."""
    if path:
        child = cast("Object", workload[path[0]])
        return {**workload, path[0]: with_pod(child, path[1:], pod)}
    given = cast("Object", workload.get("metadata") or {})
    metadata = {
        key: given[key] if key in _OURS_IN_METADATA else value
        for key, value in cast("Object", pod["metadata"]).items()
        if key in given or key not in _OURS_IN_METADATA
    }
    described = {**pod, "metadata": metadata}
    added = {"apiVersion", "kind"} if metadata or "metadata" in workload else {"apiVersion", "kind", "metadata"}
    return {key: value for key, value in described.items() if key in workload or key not in added}


def _walk(workload: Object, path: Sequence[str], at: str, document: Document) -> Object:
    value: Object = workload
    for i, name in enumerate(path):
        child = value.get(name)
        where = join(at, ".".join(path[: i + 1]))
        if child is None:
            raise document.refuse(where, "is missing")
        if not isinstance(child, Mapping):
            raise document.refuse(where, f"is {describe(child)}; an object is expected")
        value = child
    return value


def _owner(workload: Object) -> Object:
    metadata = cast("Object", workload.get("metadata") or {})
    name = metadata.get("name") or str(metadata.get("generateName") or "").rstrip("-")
    return {"apiVersion": workload["apiVersion"], "kind": workload["kind"], "name": name, "uid": "", "controller": True}
