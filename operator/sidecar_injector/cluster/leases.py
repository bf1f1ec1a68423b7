"""Leases (coordination.k8s.io/v1) in the operator's namespace, written with optimistic concurrency."""

import datetime
from collections.abc import Mapping
from typing import Any

from sidecar_injector import names
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api, Object


def lease(
    namespace: str,
    name: str,
    spec: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Object:
    """Return a Lease."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": names.APP, **(labels or {})},
            "annotations": dict(annotations or {}),
        },
        "spec": dict(spec),
    }


async def put(api: Api, wanted: Object, version: str) -> Object:
    """Write a Lease over the one of this resourceVersion, or make it if `version` is empty.

    Raises ClusterError; its status 409 says that somebody else has written it, 404 that it is gone.
    """
    metadata = wanted["metadata"]
    collection = paths.leases(metadata["namespace"])
    if not version:
        return await api.create(collection, wanted)
    return await api.replace(
        f"{collection}/{metadata['name']}", {**wanted, "metadata": {**metadata, "resourceVersion": version}}
    )


def timestamp(now: datetime.datetime) -> str:
    """Return a moment in the form of a Lease's times (MicroTime)."""
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def age(lease: Object, now: datetime.datetime) -> float:
    """Return how many seconds ago a Lease was renewed, if the clock of who did that agrees with ours; 0 if unknown."""
    try:
        renewed = datetime.datetime.fromisoformat(lease["spec"]["renewTime"])
        return max(0.0, (now - renewed).total_seconds())
    except (KeyError, TypeError, ValueError):
        return 0.0
