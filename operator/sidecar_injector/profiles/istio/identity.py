"""The workload that a Pod is part of, as Istio's telemetry names it.

Unlike `injection.workload`, whose answer is shown to people, this one is read by programs: the names and versions are
those that Istio's telemetry has for the same Pod.

Source: what the controllers write. A ReplicaSet of a Deployment is named `<deployment>-<pod-template-hash>`, one of an
Argo Rollout `<rollout>-<rollouts-pod-template-hash>`, a Job of a CronJob `<cronjob>-<minutes since 1970>`, and the Pods
of a DeploymentConfig of OpenShift have a label with its name.
"""

import re
from collections.abc import Mapping

from sidecar_injector.injection.view import Container, Pod, labels, part
from sidecar_injector.injection.workload import Workload
from sidecar_injector.profiles.istio.reading import maps_in

_CRONJOB_RUN = re.compile(r"(.+)-[0-9]{8,10}")


def workload_of(pod: Pod) -> Workload:
    """Return the workload of a Pod: the Pod itself where no controller gave it its name."""
    metadata = part(pod, "metadata")
    owner = _controller(metadata) if metadata.get("generateName") else None
    if owner is None:
        return Workload("v1", "Pod", _own_name(metadata))
    version, kind, name = _refined(labels(pod), owner)
    return Workload(version, kind, name or _own_name(metadata))


def _controller(metadata: Mapping[str, object]) -> Container | None:
    for owner in maps_in(metadata.get("ownerReferences")):
        if owner.get("controller") is True:
            return owner
    return None


def _own_name(metadata: Mapping[str, object]) -> str:
    return str(metadata.get("name") or str(metadata.get("generateName") or "").rstrip("-"))


def _refined(notes: Mapping[str, str], owner: Container) -> tuple[str, str, str]:
    """Return the owner, or the owner's owner where the owner's name tells it: version, kind, name."""
    version, kind, name = str(owner.get("apiVersion") or ""), str(owner.get("kind") or ""), str(owner.get("name") or "")
    if kind == "ReplicaSet":
        if deployment := _without_hash(name, notes.get("pod-template-hash")):
            return version, "Deployment", deployment
        if rollout := _without_hash(name, notes.get("rollouts-pod-template-hash")):
            return "v1alpha1", "Rollout", rollout
    if kind == "ReplicationController" and (deployment := notes.get("deploymentconfig", "")):
        return version, "DeploymentConfig", deployment
    if kind == "Job" and (run := _CRONJOB_RUN.fullmatch(name)):
        return "batch/v1", "CronJob", run[1]
    return version, kind, name


def _without_hash(name: str, found: str | None) -> str:
    """Return a name without the hash that ends it, empty if there is no hash or it does not end with it."""
    return name.removesuffix(f"-{found}") if found and name.endswith(f"-{found}") else ""
