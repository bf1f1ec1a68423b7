"""Istio's own cases as AdmissionReviews over HTTPS to the running operator, each answered by the config of its case."""

import base64
import copy
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import jsonpatch
import pytest

from sidecar_injector import names
from tests.cluster.operator_process import Operator
from tests.conformance.cases import WITHOUT, Case, differences, expected_pod, load_cases
from tests.kubernetes.cluster import Cluster, wait_until

CASES = load_cases()
REFUSED = 403
SERVER = f"{names.APP}.{names.APP}.svc"

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(not CASES, reason=WITHOUT)]


class Webhook:
    """The operator's webhook as API servers see it: over TLS, by its Service's name, with the registered CA."""

    def __init__(self, cluster: Cluster, operator: Operator) -> None:
        registered = cluster.get("mutatingwebhookconfiguration", names.APP)
        bundle = base64.b64decode(registered["webhooks"][0]["clientConfig"]["caBundle"]).decode()
        self._tls = ssl.create_default_context(cadata=bundle)
        self._port = operator.webhook_port

    def ask(self, case: Case, pod: dict[str, Any]) -> dict[str, Any]:
        """Post the review of the Pod's creation; return the response in the answer."""
        connection = http.client.HTTPSConnection(SERVER, timeout=10)
        connection.sock = self._tls.wrap_socket(
            socket.create_connection(("127.0.0.1", self._port), timeout=10), server_hostname=SERVER
        )
        try:
            body = json.dumps(case.review(pod))
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"{names.INJECT_PATH}/{case.config_name}", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == http.HTTPStatus.OK, text
            response: dict[str, Any] = json.loads(text)["response"]
            assert response["uid"] == case.id
            return response
        finally:
            connection.close()


@pytest.fixture(scope="module")
def webhook(control_plane: Cluster, operator: Operator) -> Iterator[Webhook]:
    """The webhook, with the configs of all cases in force."""
    resources = [case.resource for case in CASES]
    assert len({resource["metadata"]["name"] for resource in resources}) == len(CASES)
    control_plane.kubectl("apply", "-f-", input=resources)
    control_plane.kubectl("wait", "--for=condition=Ready", "sic", "--all", "--timeout=120s")
    namespaces = _namespaces()
    for namespace, annotations in namespaces.items():
        metadata = {"name": namespace, "annotations": annotations}
        control_plane.kubectl("apply", "-f-", input={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    yield Webhook(control_plane, operator)
    control_plane.kubectl("delete", "sic", "--all")
    if namespaces:
        control_plane.kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--wait=false")


def _namespaces() -> dict[str, dict[str, str]]:
    return {case.namespace: case.namespace_annotations for case in CASES if case.namespace_annotations}


@pytest.fixture(scope="module")
def old_node(control_plane: Cluster, webhook: Webhook) -> Iterator[None]:
    """A node whose kubelet is too old for native sidecars, known to the operator."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "old"}}
    control_plane.kubectl("create", "-f-", input=node)
    status = {"status": {"nodeInfo": {"kubeletVersion": "v1.28.3"}}}
    control_plane.kubectl("patch", "node", "old", "--subresource=status", "--type=merge", "-p", json.dumps(status))
    probe = next(case for case in CASES if not case.native["nodesSupportThem"])
    wait_until(lambda: _is_classic(webhook, probe), seconds=10, what="the operator knows of the old node")
    yield
    control_plane.kubectl("delete", "node", "old")


def _is_classic(webhook: Webhook, case: Case) -> bool:
    return "istio-proxy" in [
        item["name"] for item in patched(case.pod, webhook.ask(case, case.pod))["spec"]["containers"]
    ]


def patched(pod: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    if "patch" not in response:
        return pod
    return jsonpatch.apply_patch(copy.deepcopy(pod), json.loads(base64.b64decode(response["patch"])))


def check(webhook: Webhook, case: Case) -> None:
    """See that the answer is the recorded one, and that a second injection changes nothing."""
    response = webhook.ask(case, case.pod)
    if error := case.data.get("expectedError"):
        assert not response["allowed"]
        assert response["status"]["code"] == REFUSED
        assert error in response["status"]["message"]
        return
    assert response["allowed"]
    if case.data["expected"] is None:
        assert "patch" not in response
        return
    once = patched(case.pod, response)
    assert differences(expected_pod(case), once) == []
    again = webhook.ask(case, once)
    assert again["allowed"]
    assert "patch" not in again


def of(cases: list[Case], *, native: bool) -> Any:
    found = [case for case in cases if case.native["nodesSupportThem"] is native]
    return pytest.mark.parametrize("case", found, ids=[case.id for case in found])


@of(CASES, native=True)
def test_the_answer_is_the_one_that_istio_gives(webhook: Webhook, case: Case) -> None:
    check(webhook, case)


@of(CASES, native=False)
@pytest.mark.usefixtures("old_node")
def test_the_answer_on_older_nodes_is_the_one_that_istio_gives(webhook: Webhook, case: Case) -> None:
    check(webhook, case)
