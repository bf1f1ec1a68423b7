"""Replaces a Pod of the operator's own whose container was killed repeatedly, and which its node keeps waiting.

A kubelet waits 10 s, 20 s, 40 s and so on before it starts a container once more. When several replicas are killed
again and again, nobody would answer for as long, and Pods of namespaces that fail closed would have to wait. A new Pod
starts at once. Only the leader does this, so one replica at least is there meanwhile.
"""

import logging
import time
from collections import deque

from sidecar_injector import names
from sidecar_injector.cluster import events, paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.cluster.own_pods import OwnPods
from sidecar_injector.errors import ClusterError

REPLACEMENTS = 6
PERIOD_SECONDS = 300.0
"""How many Pods are replaced in this time; if that does not help, it is for the node to wait and for people to look."""

logger = logging.getLogger(__name__)


class Replacer:
    """Deletes Pods that are kept waiting, a few at most."""

    def __init__(self, namespace: str, replica: str, writer: Api, pods: OwnPods) -> None:
        self._namespace = namespace
        self._replica = replica
        self._api = writer
        self._pods = pods
        self._replaced: deque[float] = deque()
        self._uids: set[str] = set()

    async def replace(self) -> None:
        """Delete the Pods that are kept waiting now. Raises ClusterError."""
        for pod in self._pods.kept_waiting(self._replica):
            if pod["metadata"]["uid"] not in self._uids and self._may():
                await self._replace(pod)

    def _may(self) -> bool:
        now = time.monotonic()
        while self._replaced and now - self._replaced[0] > PERIOD_SECONDS:
            self._replaced.popleft()
        return len(self._replaced) < REPLACEMENTS

    async def _replace(self, pod: Object) -> None:
        metadata = pod["metadata"]
        try:
            await self._api.delete(f"{paths.pods(self._namespace)}/{metadata['name']}", metadata["uid"])
        except ClusterError as error:
            if error.status not in (404, 409):
                raise
        self._uids.add(metadata["uid"])
        self._replaced.append(time.monotonic())
        note = f"Pod {metadata['name']} was killed repeatedly, and is replaced instead of waiting in CrashLoopBackOff"
        logger.warning("%s", note)
        await events.post(self._api, {"apiVersion": "v1", "kind": "Pod", **pod}, names.POD_REPLACED, note, warning=True)
