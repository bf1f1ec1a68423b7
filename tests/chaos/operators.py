"""The operator's replicas as they come and go: how they are asked, and what the status of the config says of them."""

import base64
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509

from sidecar_injector import names
from tests.chaos.load import CONFIG
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.node import Node

NAMESPACE = names.APP
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
CONFIGS = f"/apis/{names.API_VERSION}/{names.PLURAL}"
MUTATING = f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{names.APP}"
WEBHOOK_PORT = 9443
CONFLICT = 409


def replicas(node: Node) -> dict[str, dict[str, Any]]:
    """Return the operator's Pods that are not on their way out, by name."""
    found = node.request("GET", PODS).body["items"]
    return {pod["metadata"]["name"]: pod for pod in found if "deletionTimestamp" not in pod["metadata"]}


def ready(node: Node) -> set[str]:
    """Return the names of the replicas that are ready."""
    return {
        name
        for name, pod in replicas(node).items()
        if any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))
    }


def addresses(node: Node) -> set[str]:
    """Return the addresses that calls go to."""
    return {
        each["addresses"][0]
        for found in node.request("GET", SLICES).body["items"]
        for each in found.get("endpoints") or []
        if each["conditions"]["ready"]
    }


def restarts(pod: Mapping[str, Any]) -> int:
    """Return how often a replica's container was started again."""
    return sum(each["restartCount"] for each in pod["status"].get("containerStatuses", []))


def is_back(node: Node, pod: str, before: int) -> bool:
    """Tell whether a replica that was killed is ready again; `before` is how often it had been restarted till then."""
    return restarts(replicas(node)[pod]) > before and pod in ready(node)


def status(node: Node) -> dict[str, Any]:
    """Return the status of the config."""
    found = node.request("GET", f"{CONFIGS}/{CONFIG}").body
    return {"generation": found["metadata"]["generation"], **(found.get("status") or {})}


def condition(node: Node, kind: str) -> str:
    """Return the status of one of the config's conditions; empty if it has none of this type."""
    return next((each["status"] for each in status(node).get("conditions", []) if each["type"] == kind), "")


def servers(node: Node) -> dict[str, int]:
    """Return which replica serves which generation of the config, as its status says."""
    return {each["replica"]: each["generation"] for each in status(node).get("servers", [])}


def edit(node: Node, wanted: dict[str, Any]) -> int:
    """Replace the config's spec and return the generation; once more if its status was written meanwhile."""
    while True:
        before = node.request("GET", f"{CONFIGS}/{CONFIG}").body
        answer = node.request("PUT", f"{CONFIGS}/{CONFIG}", {**before, "spec": wanted["spec"]})
        if answer.status != CONFLICT:
            assert answer.status == 200, answer.body
            return int(answer.body["metadata"]["generation"])


def trusted(node: Node) -> list[x509.Certificate]:
    """Return the CAs that API servers are told to trust."""
    entry = node.request("GET", MUTATING).body["webhooks"][0]
    return x509.load_pem_x509_certificates(base64.b64decode(entry["clientConfig"]["caBundle"]))


def certificate(node: Node, pod: str) -> x509.Certificate:
    """Return the certificate that a replica presents, whoever has issued it."""
    address = replicas(node)[pod]["status"]["podIP"]
    program = f"import ssl; print(ssl.get_server_certificate(('{address}', {WEBHOOK_PORT}), timeout=10))"
    return x509.load_pem_x509_certificate(node.run("python3", "-c", program).encode())


def resident(faults: Faults, pod: str) -> float:
    """Return how much memory of its own (neither files nor shared) a replica has, in MiB."""
    text = Path(f"/proc/{faults.main_process(NAMESPACE, pod)}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", text)
    assert found
    return int(found[1]) / 1024


def seconds_until(done: Callable[[], object], seconds: float, what: str) -> float:
    """Wait, and return how long it took."""
    began = time.monotonic()
    wait_until(done, seconds=seconds, what=what)
    return time.monotonic() - began
