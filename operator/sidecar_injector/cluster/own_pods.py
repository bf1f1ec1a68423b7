"""The operator's own Pods, as their nodes report them: which replicas are stopped, and which are kept waiting."""

from collections.abc import Callable
from typing import Any

from sidecar_injector import names
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api, Object

KILLED = 128 + 9
"""Exit code of a container whose process was killed, by somebody or because memory ran out."""
_SELECTOR = f"app.kubernetes.io/name={names.APP}"


def is_stopped(pod: Object) -> bool:
    """Tell whether the operator's container has run and does not run now."""
    ended = pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
    return ended or any(_ended(status) for status in _statuses(pod))


def is_kept_waiting(pod: Object) -> bool:
    """Tell whether the container was killed, and its node puts off starting it again (CrashLoopBackOff).

    One that ended by itself is not meant: another Pod would fare no better.
    """
    return any(
        _at(status, "state", "waiting", "reason") == "CrashLoopBackOff"
        and _at(status, "lastState", "terminated", "exitCode") == KILLED
        for status in _statuses(pod)
    )


def has_controller(pod: Object) -> bool:
    """Tell whether somebody makes a new Pod when this one is deleted."""
    return any(owner.get("controller") for owner in pod["metadata"].get("ownerReferences") or [])


class OwnPods:
    """The Pods by name. While no watch is open, and where the operator runs outside a cluster, none is known."""

    def __init__(self) -> None:
        self._pods: dict[str, Object] = {}
        self._deleted: set[str] = set()

    async def follow(self, api: Api, namespace: str, changed: Callable[[], None]) -> None:
        """List and watch the Pods until the API server ends the watch, or fails (ClusterError); tell of changes."""
        query = {"labelSelector": _SELECTOR}
        path = paths.pods(namespace)
        try:
            listing = await api.list(path, query)
            self._pods = {pod["metadata"]["name"]: pod for pod in listing.items}
            changed()
            async for event in api.watch(path, {**query, "resourceVersion": listing.version}):
                self._see(event)
                changed()
        finally:
            self._pods, self._deleted = {}, set()

    def runs(self, replica: str) -> bool:
        """Tell whether a replica runs, as far as is known: one of which nothing is known does."""
        pod = self._pods.get(replica)
        return replica not in self._deleted and not (pod and is_stopped(pod))

    def kept_waiting(self, replica: str) -> list[Object]:
        """Return the Pods that a new one would get ahead of, provided that this replica is one of the Pods itself."""
        if replica not in self._pods:
            return []
        return [pod for pod in self._pods.values() if is_kept_waiting(pod) and has_controller(pod)]

    def _see(self, event: Object) -> None:
        pod = event["object"]
        name = pod["metadata"]["name"]
        if event["type"] == "DELETED":
            self._pods.pop(name, None)
            self._deleted.add(name)
        else:
            self._pods[name] = pod


def _ended(status: dict[str, Any]) -> bool:
    state = status.get("state") or {}
    return "terminated" in state or ("waiting" in state and bool(status.get("lastState")))


def _statuses(pod: Object) -> list[dict[str, Any]]:
    return pod.get("status", {}).get("containerStatuses") or []


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
