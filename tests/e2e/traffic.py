"""An application that tells what it sees of a request, and how to watch its traffic."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.kubernetes.cluster import ClusterError, wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.images import PYTHON
from tests.kubernetes.node import Node

PROGRAM = (Path(__file__).parent / "mesh" / "app.py").read_text()
PORT = 8080
REACH_SECONDS = 20
ADMIN = "http://127.0.0.1:15000"
"""Envoy's own page, as seen from its Pod."""


def deployment(name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a Deployment of the application and its Service."""
    container = {
        "name": "app",
        "image": PYTHON,
        "command": ["python3", "-c", PROGRAM],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1},
    }
    spec = {"containers": [container], "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0}
    selector = {"app": name}
    template = {"metadata": {"labels": {**selector, **labels}, "annotations": dict(annotations)}, "spec": spec}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": selector}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": selector, "ports": [{"port": 80, "targetPort": PORT}]},
        },
    ]


@dataclass(frozen=True)
class Answer:
    """What came back for a request to the application; `body` is what the application saw of it."""

    headers: Mapping[str, str]
    body: Any

    @property
    def answered_through(self) -> str | None:
        """The listener of Envoy that the answer came through, if any."""
        return self.headers.get("x-answered-through")

    def seen(self, header: str) -> str | None:
        """Return a header of the request as it reached the application."""
        found: str | None = self.body["headers"].get(header)
        return found


class Application:
    """A running Deployment of the application."""

    def __init__(self, node: Node, namespace: str, name: str) -> None:
        self._node, self._namespace, self._name = node, namespace, name
        [self.pod] = json.loads(self._kubectl("get", "pod", "-l", f"app={name}", "-o", "json"))["items"]

    @property
    def url(self) -> str:
        """Where it is, by the name of its Service."""
        return f"http://{self._name}.{self._namespace}/echo"

    @property
    def ip(self) -> str:
        return str(self.pod["status"]["podIP"])

    @property
    def service(self) -> str:
        """Address and port of its Service."""
        return self._kubectl("get", "service", self._name, "-o", "jsonpath={.spec.clusterIP}") + ":80"

    @property
    def container(self) -> dict[str, Any]:
        """The application's container as it is stored."""
        [found] = [each for each in self.pod["spec"]["containers"] if each["name"] == "app"]
        return dict(found)

    def request(self, url: str, count: int = 1) -> list[Answer]:
        """Make requests, each over a connection of its own, from the application's container."""
        printed = self._exec("app", "python3", "-c", PROGRAM, url, str(count))
        return [Answer(**found) for found in json.loads(printed)]

    def reach(self, other: "Application") -> None:
        """Wait until the Service of another application leads there: it does so a moment after its Pod is ready."""
        wait_until(lambda: self._reaches(other.url), seconds=REACH_SECONDS, what=f"{other.url} answers")

    def _reaches(self, url: str) -> bool:
        try:
            return bool(self.request(url))
        except ClusterError:
            return False

    def let_request(self, other: "Application", url: str, count: int = 1) -> list[Answer]:
        """Ask another application to make requests, and return what it was answered."""
        [relayed] = self.request(f"http://{other._name}.{other._namespace}/fetch?count={count}&url={quote(url)}")
        return [Answer(**found) for found in relayed.body]

    def counted(self, proxy: str, direction: str, kind: str = "requests") -> int:
        """Return how many requests, of the application's clients or of the kubelet's `probes`, Envoy has counted."""
        name = f"vhost.{direction}.vcluster.{kind}.upstream_rq_total"
        printed = self._exec(proxy, "wget", "-q", "-O-", f"{ADMIN}/stats?filter=^{name}$")
        return int(printed.removeprefix(f"{name}:"))

    def rules(self) -> set[str]:
        """Return the rules for address translation in the Pod's network."""
        pod = self.pod["metadata"]["name"]
        saved = Faults(self._node).in_network_of(self._namespace, pod, "iptables-save", "-t", "nat")
        return {line for line in saved.splitlines() if line.startswith("-A")}

    def _exec(self, container: str, *command: str) -> str:
        return self._kubectl("exec", self.pod["metadata"]["name"], "-c", container, "--", *command)

    def _kubectl(self, *args: str) -> str:
        return self._node.kubectl("-n", self._namespace, *args).stdout
