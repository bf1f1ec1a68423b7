"""Creates Pods one after the other, while something is done to the operator, and notes every failure."""

import itertools
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.e2e.workloads import SIDECAR, pod
from tests.kubernetes.node import Node
from tests.kubernetes.node_components import ON_FAKE_NODES

PAUSE_SECONDS = 0.02


@dataclass
class Admissions:
    """A thread that creates Pods in a namespace, which the config is for, until the `with` block ends.

    The Pods are for fake nodes and are deleted at once. `failures` says what went wrong with a creation, "not injected"
    among it; `slowest` is the longest that one took, in seconds.
    """

    node: Node
    namespace: str
    created: int = 0
    slowest: float = 0
    failures: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        for number in itertools.count():
            if self._ended.wait(PAUSE_SECONDS):
                return
            self._create(pod(f"created-{number}", **ON_FAKE_NODES))

    def _create(self, wanted: dict[str, Any]) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        started = time.monotonic()
        try:
            answer = self.node.request("POST", path, wanted)
        except OSError as error:
            self.failures.append(f"no answer: {error}")
            return
        self.slowest = max(self.slowest, time.monotonic() - started)
        self.created += 1
        if answer.status != 201:
            self.failures.append(f"{answer.status}: {answer.body.get('message')}")
            return
        if SIDECAR not in [each["name"] for each in answer.body["spec"].get("initContainers", [])]:
            self.failures.append(f"{wanted['metadata']['name']} was not injected")
        self.node.request("DELETE", f"{path}/{wanted['metadata']['name']}", {"gracePeriodSeconds": 0})
