"""Pods that stand for replicas which run here as processes: with the status that a kubelet would report."""

import json
from typing import Any

from sidecar_injector import names
from tests.kubernetes.cluster import Cluster

KILLED: dict[str, Any] = {"terminated": {"exitCode": 137, "reason": "Error"}}
RUNNING: dict[str, Any] = {"running": {}}
WAITING: dict[str, Any] = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}}


def make(cluster: Cluster, name: str) -> None:
    """Create the Pod of a replica, which no node takes and which belongs to the Deployment."""
    uid = cluster.get("deployment", names.APP, "-n", names.APP)["metadata"]["uid"]  # type: ignore[index]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.APP, "uid": uid, "controller": True}
    confined = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "operator", "image": "example.org/operator:1", "securityContext": confined}
    found = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": names.APP}, "ownerReferences": [owner]},
        "spec": {"schedulerName": "nobody", "containers": [container], "terminationGracePeriodSeconds": 0},
    }
    cluster.kubectl("create", "-n", names.APP, "-f-", input=found)


def report(cluster: Cluster, name: str, state: dict[str, Any], last: dict[str, Any] | None = None) -> None:
    """Have the Pod's status say this of its container."""
    status = {
        "name": "operator",
        "image": "example.org/operator:1",
        "imageID": "",
        "ready": False,
        "restartCount": 2,
        "state": state,
        "lastState": last or {},
    }
    change = json.dumps({"status": {"phase": "Running", "containerStatuses": [status]}})
    cluster.kubectl("patch", "pod", name, "-n", names.APP, "--subresource=status", "--type=merge", "-p", change)


def uid(cluster: Cluster, name: str) -> str:
    """Return the Pod's uid, or nothing if it is not there."""
    query = ("get", "pod", name, "-n", names.APP, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
    return cluster.kubectl(*query).stdout


def remove(cluster: Cluster, *replicas: str) -> None:
    """Delete the Pods."""
    cluster.kubectl("delete", "pod", *replicas, "-n", names.APP, "--ignore-not-found", "--force", "--grace-period=0")
