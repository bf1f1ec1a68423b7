"""Objects as users name them, in the ways of kubectl: `deployment/web`, `deploy web`, `web` for a Pod."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import click


@dataclass(frozen=True)
class Resource:
    """A kind of objects that can be explained; `root` is where its API begins."""

    kind: str
    root: str
    plural: str
    short: tuple[str, ...] = ()

    def path(self, namespace: str, name: str = "") -> str:
        """Return where in the API an object is, or without a name all of a Namespace."""
        within = f"/namespaces/{namespace}" if self.kind != "Namespace" else ""
        return f"{self.root}{within}/{self.plural}{f'/{name}' if name else ''}"


_CORE, _APPS, _BATCH = "/api/v1", "/apis/apps/v1", "/apis/batch/v1"
POD = Resource("Pod", _CORE, "pods", ("po",))
NAMESPACE = Resource("Namespace", _CORE, "namespaces", ("ns",))
WORKLOADS = (
    Resource("Deployment", _APPS, "deployments", ("deploy",)),
    Resource("StatefulSet", _APPS, "statefulsets", ("sts",)),
    Resource("DaemonSet", _APPS, "daemonsets", ("ds",)),
    Resource("CronJob", _BATCH, "cronjobs", ("cj",)),
    Resource("Job", _BATCH, "jobs"),
    Resource("ReplicaSet", _APPS, "replicasets", ("rs",)),
    Resource("ReplicationController", _CORE, "replicationcontrollers", ("rc",)),
)

RESOURCES: Mapping[str, Resource] = MappingProxyType(
    {
        word: resource
        for resource in (POD, NAMESPACE, *WORKLOADS)
        for word in (resource.kind.lower(), resource.plural, *resource.short)
    }
)
"""By each word for them."""


def named(words: Sequence[str]) -> tuple[Resource, str] | None:
    """Return what the arguments of the command line name; None: nothing. Raises click.UsageError."""
    match [part for word in words for part in word.split("/", 1)]:
        case []:
            return None
        case [name] if name.lower() in RESOURCES:
            raise click.UsageError(f"Which {RESOURCES[name.lower()].kind}? Write {name}/NAME.")
        case [name]:
            return POD, name
        case [kind, name] if name:
            return _resource(kind), name
    raise click.UsageError(f"{' '.join(words)!r} is not one object; write TYPE/NAME, such as deployment/web.")


def _resource(word: str) -> Resource:
    found = RESOURCES.get(word.lower().partition(".")[0])
    if found is None:
        known = ", ".join(dict.fromkeys(resource.kind.lower() for resource in RESOURCES.values()))
        raise click.UsageError(f"{word!r} is no type that makes Pods; known are {known}. Of others, explain a Pod.")
    return found
