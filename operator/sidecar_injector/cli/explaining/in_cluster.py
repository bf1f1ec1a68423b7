"""What the cluster knows: objects, Namespaces, configs with their status, the webhook, nodes. It is only read."""

import asyncio
import difflib
from collections.abc import Awaitable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from sidecar_injector.cli.explaining.configs import from_cluster, in_calling_order
from sidecar_injector.cli.explaining.knowledge import Knowledge
from sidecar_injector.cli.explaining.objects import NAMESPACE, POD, WORKLOADS, Resource
from sidecar_injector.cli.explaining.registered import operator_namespace, webhook_of
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api
from sidecar_injector.cluster.facts import kubelet_version
from sidecar_injector.cluster.revisions import last_kept
from sidecar_injector.errors import ClusterError
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.view import Pod, annotations, labels, part
from sidecar_injector.injection.workload import workload_of
from sidecar_injector.names import APP, SYSTEM_NAMESPACES, WEBHOOK_DOMAIN
from sidecar_injector.profiles.explaining.model import Failure, Known, RunningPod
from sidecar_injector.profiles.explaining.running import is_running, running_pod, set_at

Object = Mapping[str, object]
Found = TypeVar("Found")

_NAMES_SHOWN = 5
_KNOWN_CONTROLLERS = frozenset(resource.kind for resource in WORKLOADS)


class Cluster:
    """Reads, with the rights that the user has; what may not be read is noted, and done without."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.notes: list[str] = []

    # --- what every answer depends on

    async def knowledge(self, namespaces: Collection[str], configs: tuple[Known, ...] | None = None) -> Knowledge:
        """Return what is known about these Namespaces and the cluster.

        configs -- to be explained by instead of the cluster's own; its webhook is not looked at then
        """
        found, facts, given = await asyncio.gather(
            asyncio.gather(*(self._namespace(name) for name in namespaces)), self._facts(), self._configs(configs)
        )
        operator = given.operator or APP
        return replace(
            given,
            facts=replace(facts, excluded_namespaces=frozenset({*SYSTEM_NAMESPACES, operator})),
            namespaces={name: _facts_of(value) for name, value in zip(namespaces, found, strict=True)},
            labelled={
                name: set_at(value, "metadata", "labels")
                for name, value in zip(namespaces, found, strict=True)
                if value is not None
            },
            notes=tuple(sorted(self.notes)),
        )

    async def _namespace(self, name: str) -> Object | None:
        return await self._api.find(NAMESPACE.path(name, name))

    async def _facts(self) -> ClusterFacts:
        version = (await self._api.get(paths.VERSION)).get("gitVersion", "")
        nodes = await self._if_allowed(self._api.list(paths.NODES), "nodes are not known: native sidecars are assumed")
        kubelets = {
            node["metadata"]["name"]: kubelet_version(node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion"))
            for node in (nodes.items if nodes else ())
        }
        return ClusterFacts(version, kubelets, min(kubelets.values(), default=None))

    async def _configs(self, given: tuple[Known, ...] | None) -> Knowledge:
        if given is not None:
            self.notes.append("the configs are those of the files; what is registered in the cluster is not looked at")
            return Knowledge(given, ClusterFacts())
        try:
            listed = (await self._api.list(paths.CONFIGS)).items
        except ClusterError as error:
            if error.status != 404:
                raise
            return Knowledge((), ClusterFacts(), installed=False)
        live = await self._if_allowed(
            self._webhook(), "the webhook is not known: what the API server calls for is assumed to be as it should"
        )
        operator = operator_namespace(live) if live else ""
        known = [from_cluster(resource, {}) for resource in listed]
        if any(config.problems or config.status for config in known):
            last_good = await self._kept(operator or APP)
            known = [from_cluster(resource, last_good) for resource in listed]
        configs = in_calling_order(known)
        webhook = None if live is None else webhook_of(live, configs, operator)
        return Knowledge(configs, ClusterFacts(), webhook=webhook, operator=operator)

    async def _webhook(self) -> Object:
        return await self._api.find(paths.MUTATING_WEBHOOK) or {}

    async def _kept(self, operator: str) -> Mapping[str, Object]:
        note = f"earlier versions of configs, in namespace {operator}, may not be read"
        return await self._if_allowed(last_kept(self._api, operator), note) or {}

    async def _if_allowed(self, reading: Awaitable[Found], note: str) -> Found | None:
        try:
            return await reading
        except ClusterError as error:
            if error.status != 403:
                raise
            self.notes.append(f"{note} ({error})")
            return None

    # --- objects

    async def read(self, resource: Resource, namespace: str, name: str) -> Object:
        """Return an object as the API has it, with the apiVersion and kind of its own."""
        found = await self._api.find(resource.path(namespace, name))
        if found is None:
            raise ClusterError(await self._absent(resource, namespace, name), 404)
        return found

    async def pods_of(self, workload: Object, namespace: str) -> list[RunningPod]:
        """Return the Pods of a workload that run."""
        note = f"Pods of namespace {namespace} may not be read"
        listed = await self._if_allowed(self._api.list(POD.path(namespace)), note)
        return pods_among(workload, listed.items if listed else ())

    async def owner_of(self, pod: Pod, namespace: str) -> Object | None:
        """Return the workload that a Pod belongs to, if it is one of those that are known, and may be read."""
        owner = workload_of(pod)
        resource = next((each for each in WORKLOADS if each.kind == owner.kind), None)
        if resource is None:
            return None
        return await self._if_allowed(
            self._api.find(resource.path(namespace, owner.name)), f"{owner.kind} {owner.name} may not be read"
        )

    async def failure_of(self, workload: Object, namespace: str) -> Failure | None:
        """Return the last failure of our webhook to let a Pod of a workload be created, as the Events tell."""
        selected = {"fieldSelector": "reason=FailedCreate"}
        note = f"Events of namespace {namespace} may not be read"
        listed = await self._if_allowed(self._api.list(f"/api/v1/namespaces/{namespace}/events", selected), note)
        name = str(part(workload, "metadata").get("name"))
        failures = [
            Failure(" ".join(str(event.get("message")).split()), _time_of(event))
            for event in (listed.items if listed else ())
            if WEBHOOK_DOMAIN in str(event.get("message")) and _is_about(event, str(workload.get("kind")), name)
        ]
        return max(failures, key=lambda failure: failure.time, default=None)

    async def workloads(self, namespace: str) -> list[tuple[Object, list[RunningPod]]]:
        """Return what makes Pods in a Namespace, and is made by nothing known itself, each with its Pods that run."""
        listings = await asyncio.gather(
            *(
                self._if_allowed(self._listed(resource, namespace), f"{resource.plural} may not be read")
                for resource in (*WORKLOADS, POD)
            )
        )
        pods = listings[-1] or []
        found = [item for listing in listings for item in listing or [] if _is_its_own(item)]
        return [(item, pods_among(item, pods)) for item in found if item["kind"] != POD.kind or is_running(item)]

    async def _listed(self, resource: Resource, namespace: str) -> list[Object]:
        api_version = resource.root.removeprefix("/apis/").removeprefix("/api/")
        listing = await self._api.list(resource.path(namespace))
        items = sorted(listing.items, key=lambda item: str(item["metadata"]["name"]))
        return [{"apiVersion": api_version, "kind": resource.kind, **item} for item in items]

    async def _absent(self, resource: Resource, namespace: str, name: str) -> str:
        """Return what to say about an object that does not exist."""
        if await self._namespace(namespace) is None:
            return f"namespace {namespace} does not exist{await self._others(NAMESPACE, namespace, namespace)}"
        what = f"{resource.kind} {namespace}/{name} does not exist{await self._others(resource, namespace, name)}"
        if resource is POD:
            what += ". If it could not be created, explain its workload (deployment/NAME) or its file (-f FILE)"
        return what

    async def _others(self, resource: Resource, namespace: str, name: str) -> str:
        path = paths.NAMESPACES if resource is NAMESPACE else resource.path(namespace)
        listing = await self._if_allowed(self._api.list(path), f"{resource.plural} may not be listed")
        names = sorted(str(item["metadata"]["name"]) for item in (listing.items if listing else ()))
        close = difflib.get_close_matches(name, names, n=1) or [each for each in names if each.startswith(name)][:1]
        if close:
            return f"; did you mean {close[0]}?"
        shown = ", ".join(names[:_NAMES_SHOWN])
        return f"; there are: {shown}{', …' if len(names) > _NAMES_SHOWN else ''}" if names else "; there is none"


def pods_among(workload: Object, pods: Iterable[Pod]) -> list[RunningPod]:
    """Return those of these Pods that run and belong to a workload."""
    return [running_pod(pod) for pod in pods if is_running(pod) and _belongs(pod, workload)]


def _belongs(pod: Pod, workload: Object) -> bool:
    kind, name = str(workload.get("kind")), str(part(workload, "metadata").get("name"))
    if kind == POD.kind:
        return part(pod, "metadata").get("name") == name
    owner, controller = workload_of(pod), _controller(pod)
    return (kind, name) in ((owner.kind, owner.name), (controller.get("kind"), controller.get("name")))


def _is_its_own(value: Object) -> bool:
    return _controller(value).get("kind") not in _KNOWN_CONTROLLERS


def _controller(value: Object) -> Object:
    owners = part(value, "metadata").get("ownerReferences")
    found = owners if isinstance(owners, list) else []
    return next((owner for owner in found if isinstance(owner, Mapping) and owner.get("controller")), {})


def _is_about(event: Object, kind: str, name: str) -> bool:
    """Tell whether an Event is about a workload, or about what a workload makes its Pods by."""
    about = part(event, "involvedObject")
    of_it = str(about.get("name")).rpartition("-")[0] == name
    return (about.get("kind"), about.get("name")) == (kind, name) or (
        of_it and about.get("kind") in ("ReplicaSet", "Job")
    )


def _time_of(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or part(event, "metadata").get("creationTimestamp"))


def _facts_of(namespace: Object | None) -> NamespaceFacts | None:
    if namespace is None:
        return None
    return NamespaceFacts(str(part(namespace, "metadata").get("name")), labels(namespace), annotations(namespace))
