"""A Pod of a workload as webhooks get to see it: what its controller wrote, and the defaults of the API server.

Defaults: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/; the volume of the token is
what the API server's ServiceAccount plugin adds before any webhook is called. What differs between Pods of one workload
is left open: `Hole` has its marks, all as long as what takes their place.
"""

import uuid
from collections.abc import Iterator
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from benchmarks.workloads.environment import environment
from benchmarks.workloads.managed import managed_fields
from benchmarks.workloads.model import Container, Owner, Workload

Object = dict[str, Any]

SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""Of what Kubernetes makes the random ends of names."""
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
API_VERSIONS = {
    Owner.REPLICA_SET: ("apps/v1", "ReplicaSet"),
    Owner.STATEFUL_SET: ("apps/v1", "StatefulSet"),
    Owner.DAEMON_SET: ("apps/v1", "DaemonSet"),
    Owner.JOB: ("batch/v1", "Job"),
    Owner.CRON_JOB: ("batch/v1", "Job"),
}


class Hole(StrEnum):
    """What is different for each Pod, as it stands in the Pod until a real value takes its place."""

    UID = "00000000-aaaa-4000-8000-00000000aaaa"
    """Of the review."""
    SUFFIX = "ZZZZZ"
    """End of the name of the volume with the token."""
    TIME = "2001-01-01T01:01:01Z"
    """When the controller wrote the Pod."""
    ORDINAL = "9999990"
    """Number of the Pod in its StatefulSet, which is a long one: then all numbers have one length."""
    NODE = "node-99999"
    """Node for which a DaemonSet made the Pod."""
    RUN = "99999999"
    """Minute for which a CronJob made its Job, in minutes since 1970."""


def pod(workload: Workload) -> Object:
    """Return the Pod, with holes."""
    metadata = _metadata(workload)
    spec = _spec(workload)
    # A controller writes neither the token's volume nor the defaults, but managedFields tell of the defaults, too.
    metadata["managedFields"] = managed_fields(metadata, spec, Hole.TIME.value, _manager(workload))
    if workload.mounts_token:
        _add_token(spec)
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {}}


def hashed(text: str, length: int = 10) -> str:
    """Return letters as of a pod-template-hash, always the same for one text."""
    return "".join(SAFE[byte % len(SAFE)] for byte in blake2b(text.encode(), digest_size=length).digest())


def uid_of(text: str) -> str:
    """Return a uid, always the same for one text."""
    return str(uuid.UUID(bytes=blake2b(text.encode(), digest_size=16).digest(), version=4))


def _metadata(workload: Workload) -> Object:
    owner = _owner_name(workload)
    labels = {"app": workload.name, "app.kubernetes.io/name": workload.name, "app.kubernetes.io/part-of": "benchmark"}
    metadata: Object = {"namespace": workload.namespace, "labels": {**labels, **workload.labels, **_own(workload)}}
    if workload.owner is Owner.NOBODY:
        metadata["name"] = workload.name
    elif workload.owner is Owner.STATEFUL_SET:
        metadata["name"] = f"{owner}-{Hole.ORDINAL.value}"
        metadata["generateName"] = f"{owner}-"
    else:
        metadata["generateName"] = f"{owner}-"
    if workload.annotations:
        metadata["annotations"] = dict(workload.annotations)
    if workload.owner is not Owner.NOBODY:
        api_version, kind = API_VERSIONS[workload.owner]
        metadata["ownerReferences"] = [
            {
                "apiVersion": api_version,
                "kind": kind,
                "name": owner,
                "uid": uid_of(workload.name),
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
    return metadata


def _owner_name(workload: Workload) -> str:
    if workload.owner is Owner.REPLICA_SET:
        return f"{workload.name}-{hashed(workload.name)}"
    if workload.owner is Owner.CRON_JOB:
        return f"{workload.name}-{Hole.RUN.value}"
    return workload.name


def _own(workload: Workload) -> dict[str, str]:
    """Return the labels that the controller adds."""
    name = _owner_name(workload)
    match workload.owner:
        case Owner.REPLICA_SET:
            return {"pod-template-hash": hashed(workload.name)}
        case Owner.STATEFUL_SET:
            return {
                "apps.kubernetes.io/pod-index": Hole.ORDINAL.value,
                "controller-revision-hash": f"{name}-{hashed(name)}",
                "statefulset.kubernetes.io/pod-name": f"{name}-{Hole.ORDINAL.value}",
            }
        case Owner.DAEMON_SET:
            return {"controller-revision-hash": hashed(name), "pod-template-generation": "3"}
        case Owner.JOB | Owner.CRON_JOB:
            uid = uid_of(workload.name)
            return {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name, "job-name": name}
    return {}


def _manager(workload: Workload) -> str:
    return "kubectl-create" if workload.owner is Owner.NOBODY else "kube-controller-manager"


def _spec(workload: Workload) -> Object:
    ends = workload.owner in (Owner.JOB, Owner.CRON_JOB)
    spec: Object = {}
    if workload.volumes:
        spec["volumes"] = [_volume(workload, *item) for item in workload.volumes.items()]
    if workload.init:
        spec["initContainers"] = [_container(workload, each) for each in workload.init]
    spec |= {
        "containers": [_container(workload, each) for each in workload.containers],
        "restartPolicy": "Never" if ends else "Always",
        "terminationGracePeriodSeconds": workload.grace_seconds,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": workload.account,
        "serviceAccount": workload.account,
        "securityContext": {} if workload.group is None else {"fsGroup": workload.group, "runAsNonRoot": True},
        "schedulerName": "default-scheduler",
        "tolerations": list(_tolerations(workload)),
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }
    return spec | dict(_if_wanted(workload))


def _if_wanted(workload: Workload) -> Iterator[tuple[str, object]]:
    same = {"matchLabels": {"app": workload.name}}
    if not workload.mounts_token:
        yield "automountServiceAccountToken", False
    if workload.node_selector:
        yield "nodeSelector", dict(workload.node_selector)
    if workload.priority_class:
        yield "priorityClassName", workload.priority_class
    if workload.pull_secret:
        yield "imagePullSecrets", [{"name": workload.pull_secret}]
    if workload.spread:
        constraint = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
        yield "topologySpreadConstraints", [{**constraint, "labelSelector": same}]
    if workload.anti_affinity:
        term = {"labelSelector": same, "topologyKey": "kubernetes.io/hostname"}
        wish = [{"weight": 100, "podAffinityTerm": term}]
        yield "affinity", {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wish}}
    if workload.owner is Owner.DAEMON_SET:
        field = {"key": "metadata.name", "operator": "In", "values": [Hole.NODE.value]}
        must = {"nodeSelectorTerms": [{"matchFields": [field]}]}
        yield "affinity", {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": must}}


def _tolerations(workload: Workload) -> Iterator[Object]:
    always = workload.owner is Owner.DAEMON_SET
    for problem in ("not-ready", "unreachable"):
        toleration: Object = {"key": f"node.kubernetes.io/{problem}", "operator": "Exists", "effect": "NoExecute"}
        yield toleration if always else {**toleration, "tolerationSeconds": 300}
    if always:
        for problem in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"):
            yield {"key": f"node.kubernetes.io/{problem}", "operator": "Exists", "effect": "NoSchedule"}


def _volume(workload: Workload, name: str, kind: str) -> Object:
    called = f"{workload.name}-{name}"
    sources: dict[str, Object] = {
        "config": {"configMap": {"name": called, "defaultMode": 420}},
        "secret": {"secret": {"secretName": called, "defaultMode": 420}},
        "empty": {"emptyDir": {}},
        "memory": {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
        "claim": {"persistentVolumeClaim": {"claimName": f"{called}-{hashed(called, 5)}"}},
        "host": {"hostPath": {"path": f"/{name}", "type": ""}},
    }
    return {"name": name, **sources[kind]}


def _container(workload: Workload, container: Container) -> Object:
    found: Object = {"name": container.name, "image": container.image}
    if container.command:
        found["command"] = list(container.command)
    if container.args:
        found["args"] = list(container.args)
    if container.ports:
        found["ports"] = [{"name": n, "containerPort": p, "protocol": "TCP"} for n, p in container.ports.items()]
    if container.env_from:
        found["envFrom"] = [{"configMapRef": {"name": name}} for name in container.env_from]
    if variables := environment(container):
        found["env"] = variables
    found["resources"] = _resources(container)
    if mounts := {name: container.mounts.get(name, f"/mnt/{name}") for name in workload.volumes}:
        found["volumeMounts"] = [{"name": name, "mountPath": path} for name, path in mounts.items()]
    for field in ("liveness", "readiness", "startup"):
        if kind := getattr(container, field):
            found[f"{field}Probe"] = _probe(container, kind, slow=field == "startup")
    if container.hook:
        found["lifecycle"] = {"preStop": _handler(container, container.hook, "/drain")}
    if container.sidecar:
        found["restartPolicy"] = "Always"
    found |= {
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }
    if security := _security(container):
        found["securityContext"] = security
    return found


def _resources(container: Container) -> Object:
    requests = {name: value for name, value in (("cpu", container.cpu), ("memory", container.memory)) if value}
    return (
        {"limits": {name: _twice(value) for name, value in requests.items()}, "requests": requests} if requests else {}
    )


def _twice(quantity: str) -> str:
    """Return twice a quantity, in the form that the API server gives to it: with the largest unit that is whole."""
    digits = quantity.rstrip("mMGi")
    number, unit = int(digits) * 2, quantity[len(digits) :]
    smaller, larger = {"m": (1000, ""), "Mi": (1024, "Gi")}.get(unit, (0, unit))
    return f"{number // smaller}{larger}" if smaller and number % smaller == 0 else f"{number}{unit}"


def _probe(container: Container, kind: str, *, slow: bool) -> Object:
    times = {"initialDelaySeconds": 5} if slow else {}
    return {
        **_handler(container, kind, "/healthz"),
        **times,
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 30 if slow else 3,
    }


def _handler(container: Container, kind: str, path: str) -> Object:
    name, number = next(iter(container.ports.items()), ("http", 8080))
    if kind == "exec":
        return {"exec": {"command": ["/bin/sh", "-c", f"check {path[1:]} && sleep 1"]}}
    if kind == "tcp":
        return {"tcpSocket": {"port": number}}
    if kind == "grpc":
        return {"grpc": {"port": number, "service": ""}}
    port = name if kind == "named" else number
    return {"httpGet": {"path": path, "port": port, "scheme": "HTTPS" if kind == "https" else "HTTP"}}


def _security(container: Container) -> Object:
    found: Object = {}
    if container.hardened:
        found |= {
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    if container.user is not None:
        found["runAsUser"] = container.user
    return found


def _add_token(spec: Object) -> None:
    name = f"kube-api-access-{Hole.SUFFIX.value}"
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    spec.setdefault("volumes", []).append({"name": name, "projected": {"sources": sources, "defaultMode": 420}})
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        mount = {"name": name, "readOnly": True, "mountPath": TOKEN_PATH}
        container.setdefault("volumeMounts", []).append(mount)
