"""Which workload a Pod belongs to, from its owner reference alone: no request is made to find out.

Source: what the workload controllers write. A ReplicaSet of a Deployment is named `<deployment>-<pod-template-hash>`,
a Job of a CronJob `<cronjob>-<minutes since 1970>`.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, cast

_CRONJOB_RUN = re.compile(r"(.+)-\d{8,10}")


class Workload(NamedTuple):
    """The object that a user wrote and that the Pod came of: the Pod itself where nothing controls it."""

    api_version: str
    kind: str
    name: str


def workload_of(pod: Mapping[str, object]) -> Workload:
    """Return the workload of a Pod as it was sent for creation."""
    metadata = cast("Mapping[str, object]", pod.get("metadata") or {})
    itself = Workload("v1", "Pod", str(metadata.get("name") or str(metadata.get("generateName") or "").rstrip("-")))
    owner = _controller(metadata)
    if owner is None:
        return itself
    kind, name = str(owner.get("kind")), str(owner.get("name"))
    labels = cast("Mapping[str, str]", metadata.get("labels") or {})
    hash_suffix = f"-{labels.get('pod-template-hash', '')}"
    if kind == "ReplicaSet" and hash_suffix != "-" and name.endswith(hash_suffix):
        return Workload("apps/v1", "Deployment", name.removesuffix(hash_suffix))
    run = _CRONJOB_RUN.fullmatch(name)
    if kind == "Job" and run:
        return Workload("batch/v1", "CronJob", run[1])
    return Workload(str(owner.get("apiVersion")), kind, name)


def _controller(metadata: Mapping[str, object]) -> Mapping[str, object] | None:
    owners = metadata.get("ownerReferences")
    if not isinstance(owners, list):
        return None
    return next((owner for owner in owners if isinstance(owner, Mapping) and owner.get("controller") is True), None)
