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
    owners = maps_in(metadata.get("ownerReferences")) if metadata.get("generateName") else ()
    owner = next((item for item in owners if item.get("controller") is True), None)
    if owner is None:
        return Workload("v1", "Pod", _own_name(metadata))
    version, kind, name = _refined(pod, owner)
    return Workload(version, kind, name or _own_name(metadata))


def _own_name(metadata: Mapping[str, object]) -> str:
    return str(metadata.get("name") or str(metadata.get("generateName") or "").rstrip("-"))


def _refined(pod: Pod, owner: Container) -> tuple[str, str, str]:
    """Return the owner, or the owner's owner where the owner's name tells it: version, kind, name."""
    version, kind, name = [str(owner.get(key) or "") for key in ("apiVersion", "kind", "name")]
    if kind == "ReplicaSet":
        if deployment := _without_hash(pod, name, "pod-template-hash"):
            return version, "Deployment", deployment
        if rollout := _without_hash(pod, name, "rollouts-pod-template-hash"):
            return "v1alpha1", "Rollout", rollout
    if kind == "ReplicationController" and (deployment := labels(pod).get("deploymentconfig", "")):
        return version, "DeploymentConfig", deployment
    if kind == "Job" and (run := _CRONJOB_RUN.fullmatch(name)):
        return "batch/v1", "CronJob", run[1]
    return version, kind, name


def _without_hash(pod: Pod, name: str, label: str) -> str:
    """Return a name without the hash that ends it, empty if it does not end with the hash in this label."""
    suffix = f"-{labels(pod).get(label, '')}"
    return name.removesuffix(suffix) if suffix != "-" and name.endswith(suffix) else ""
