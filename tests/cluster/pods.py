"""Pods of the tests: made in numbers, and looked at."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client, config

from tests.kubernetes.cluster import Cluster

IMAGE = "example.org/app:1"


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "app", "image": IMAGE}], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


def make(cluster: Cluster, namespace: str, found: dict[str, Any]) -> dict[str, Any]:
    """Create a Pod and return it as it was stored."""
    stored: dict[str, Any] = json.loads(
        cluster.kubectl("create", "-n", namespace, "-o", "json", "-f-", input=found).stdout
    )
    return stored


def images(found: dict[str, Any]) -> list[str]:
    return [container["image"] for container in found["spec"]["containers"]]


@dataclass
class Made:
    """Pods that were created one after the other: when each was asked for, and what came of it."""

    pods: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    answered: dict[str, float] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def after(self, moment: float) -> list[dict[str, Any]]:
        return [found for asked, found in list(self.pods) if asked >= moment]


class Maker:
    """Creates Pods over connections of its own, as controllers do."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._api = client.CoreV1Api(config.new_client_from_config(str(cluster.kubeconfig)))
        self._namespace = namespace

    def make(self, made: Made, name: str) -> None:
        """Create one Pod and note what came of it."""
        asked = time.monotonic()
        try:
            answer = self._api.create_namespaced_pod(self._namespace, pod(name), _preload_content=False)
            made.answered[name] = time.monotonic()
            made.pods.append((asked, json.loads(answer.data)))
        except client.ApiException as error:
            made.refusals.append(f"{name}: {error.body}")

    def close(self) -> None:
        self._api.api_client.close()


@contextmanager
def making(cluster: Cluster, namespace: str, *, threads: int = 4, pause: float = 0.02) -> Iterator[Made]:
    """Create Pods all the time."""
    made, enough = Made(), threading.Event()

    def work(number: int) -> None:
        maker = Maker(cluster, namespace)
        count = 0
        while not enough.is_set():
            maker.make(made, f"p-{number}-{count}")
            count += 1
            enough.wait(pause)
        maker.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield made
    finally:
        enough.set()
        for worker in workers:
            worker.join()
