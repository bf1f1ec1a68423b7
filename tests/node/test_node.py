"""The whole node does what the end-to-end tests rely on: Pods really run, and things can be made to go wrong."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.kubernetes.binary import kubernetes_version
from tests.kubernetes.cluster import ClusterError, wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.fixture import FAKE_NODES, MakeNamespace
from tests.kubernetes.images import BUSYBOX
from tests.kubernetes.node import Node
from tests.kubernetes.node_components import NAME, NODE, ON_FAKE_NODES

pytestmark = pytest.mark.e2e

PORT = 8080
SLEEP = ["sleep", "3600"]
STAY_CONNECTED = ["sh", "-c", "sleep 3600 | nc kubernetes.default 443"]
"""To the API server, as an operator with a watch does."""


def pod(name: str, command: list[str] = SLEEP, **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "image": BUSYBOX, "command": command}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec},
    }


class Place:
    """A namespace of the node with Pods in it."""

    def __init__(self, node: Node, namespace: str) -> None:
        self.node, self.namespace = node, namespace
        self.where = ("--namespace", namespace)

    def run(self, *pods: dict[str, Any], seconds: int = 60) -> None:
        self.node.kubectl("create", *self.where, "-f-", input=list(pods))
        self.node.kubectl("wait", "--for=condition=Ready", *self.where, "pods", "--all", f"--timeout={seconds}s")

    def exec(self, pod: str, *command: str) -> str:
        return self.node.kubectl("exec", *self.where, pod, "--", *command).stdout

    def connects(self, pod: str, address: str, port: int) -> bool:
        """Tell whether a Pod can connect to a port."""
        tried = ("exec", *self.where, pod, "--", "nc", "-w", "2", address, str(port))
        return self.node.kubectl(*tried, check=False).returncode == 0

    def restarts(self, pod: str) -> int:
        status: Any = self.node.get("pod", pod, *self.where)["status"]
        return int(status["containerStatuses"][0]["restartCount"])


@pytest.fixture
def place(node: Node, node_namespace: MakeNamespace) -> Place:
    return Place(node, node_namespace("node"))


@pytest.fixture
def faults(node: Node) -> Iterator[Faults]:
    yield Faults(node)
    node.wait_until_ready()
    node.check()


def test_there_is_one_real_node_and_the_fake_ones_beside_it(node: Node) -> None:
    items: Any = node.get("nodes")["items"]
    runtimes = {each["metadata"]["name"]: each["status"]["nodeInfo"]["containerRuntimeVersion"] for each in items}
    assert runtimes.pop(NAME).startswith("containerd://")
    assert len(runtimes) == FAKE_NODES
    assert {each["status"]["nodeInfo"]["kubeletVersion"] for each in items} == {kubernetes_version()}


def test_pods_reach_each_other_through_a_service_by_its_name(place: Place) -> None:
    listen = ["nc", "-ll", "-p", str(PORT), "-e", "echo", "hello"]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "greeter"},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": PORT}]},
    }
    place.node.kubectl("create", *place.where, "-f-", input=service)
    place.run(pod("server", listen), pod("client"))
    said = wait_until(
        lambda: place.node.kubectl("exec", *place.where, "client", "--", "nc", "greeter", "80", check=False).stdout,
        seconds=20,
        what="the server says something",
    )
    assert said == "hello\n"
    unknown = place.node.kubectl("exec", *place.where, "client", "--", "nslookup", "nobody.default", check=False)
    assert "NXDOMAIN" in unknown.stdout + unknown.stderr


def test_there_is_no_way_out_of_the_node(place: Place) -> None:
    place.run(pod("inside"))
    assert place.connects("inside", NODE.first_service, 443)
    # An address for documentation (RFC 5737), and the machine's own loopback interface.
    assert not place.connects("inside", "192.0.2.1", 80)
    assert not place.connects("inside", "127.0.0.1", int(place.node.server.rpartition(":")[2]))


def test_pods_for_fake_nodes_only_seem_to_run(place: Place) -> None:
    place.run(*(pod(f"pod-{number}", **ON_FAKE_NODES) for number in range(100)), seconds=30)
    pods: Any = place.node.get("pods", *place.where)["items"]
    assert NAME not in {each["spec"]["nodeName"] for each in pods}


def test_forty_pods_run_at_the_same_time(place: Place) -> None:
    place.run(*(pod(f"pod-{number}") for number in range(40)), seconds=90)


def test_a_killed_container_is_started_again(place: Place, faults: Faults) -> None:
    place.run(pod("victim"))
    faults.kill(place.namespace, "victim")
    wait_until(lambda: place.restarts("victim") == 1, seconds=30, what="the container is started again")


def test_a_container_that_does_not_run_cannot_be_killed(place: Place, faults: Faults) -> None:
    place.run(pod("victim"))
    with pytest.raises(ClusterError, match=r"container 'other' is not running; there are \{'app': 'running'\}"):
        faults.kill(place.namespace, "victim", "other")


def test_a_frozen_container_does_nothing_until_it_is_thawed(place: Place, faults: Faults) -> None:
    place.run(pod("counting", ["sh", "-c", "while true; do date +%s; sleep 0.1; done"]))

    def lines() -> int:
        return len(place.node.kubectl("logs", *place.where, "counting").stdout.splitlines())

    with faults.frozen(place.namespace, "counting"):
        before = lines()
        time.sleep(1)
        assert lines() == before
    wait_until(lambda: lines() > before, seconds=10, what="it counts again")


def test_the_connections_of_a_pod_can_be_cut(place: Place, faults: Faults) -> None:
    place.run(pod("connected", STAY_CONNECTED))

    def connections() -> int:
        shown = faults.in_network_of(place.namespace, "connected", "ss", "--no-header", "--tcp", "state", "established")
        return len(shown.splitlines())

    wait_until(lambda: connections() == 1, seconds=10, what="it is connected")
    faults.cut_connections(place.namespace, "connected")
    assert connections() == 0


def test_a_pod_can_be_cut_off_from_the_api_server(place: Place, faults: Faults) -> None:
    place.run(pod("lonely"))
    assert place.connects("lonely", NODE.first_service, 443)
    with faults.cut_off(place.namespace, "lonely"):
        assert not place.connects("lonely", NODE.first_service, 443)
    assert place.connects("lonely", NODE.first_service, 443)


def test_a_killed_api_server_comes_back_with_what_was_stored(place: Place, faults: Faults) -> None:
    place.node.kubectl("create", "configmap", "before", *place.where)
    faults.restart_api_server(down_seconds=1)
    assert place.node.get("configmap/before", *place.where)
    place.run(pod("after"))


def test_the_api_server_waits_for_a_paused_store(place: Place, faults: Faults) -> None:
    path = f"/api/v1/namespaces/{place.namespace}/configmaps"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    with ThreadPoolExecutor() as others:
        with faults.paused("etcd"):
            answer = others.submit(place.node.request, "POST", path, body, seconds=60)
            with pytest.raises(TimeoutError):
                answer.result(1)
        assert answer.result(60).status == 201


@pytest.mark.parametrize("component", ["kubelet", "kube-proxy", "dns", "kube-controller-manager", "etcd"])
def test_components_can_be_killed_and_come_back(component: str, place: Place, faults: Faults) -> None:
    faults.restart(component)
    place.node.wait_until_ready()
    place.run(pod("after"))


def test_the_audit_log_tells_how_requests_were_answered(place: Place) -> None:
    path = f"/api/v1/namespaces/{place.namespace}/configmaps"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "once"}}
    assert [place.node.request("POST", path, body).status for _ in range(3)] == [201, 409, 409]
    events = place.node.audit_events()
    ours = [each for each in events if (each["user"].get("username"), each["requestURI"]) == ("test-admin", path)]
    assert [each["responseStatus"]["code"] for each in ours] == [201, 409, 409]
