"""The embedded control plane does what the tests of everything else rely on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.webhook import Webhook
from tests.kubernetes import supervisor
from tests.kubernetes.binary import ensure_binary, kubernetes_version
from tests.kubernetes.choice import EXISTING, OPT_IN, chosen_cluster
from tests.kubernetes.cluster import Cluster, ClusterError, KubectlError, wait_until
from tests.kubernetes.components import Programs
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

CONTAINER = {"name": "app", "image": "example.invalid/app:1"}


@pytest.fixture
def embedded(controllers: Cluster) -> ControlPlane:
    if not isinstance(controllers, ControlPlane):
        pytest.skip("the tests run on another cluster than the embedded one")
    return controllers


def pod(name: str, **spec: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [CONTAINER], **spec}}


def test_the_api_server_and_kubectl_are_of_the_version_in_go_mod(embedded: ControlPlane) -> None:
    versions = json.loads(embedded.kubectl("version", "-o", "json").stdout)
    assert versions["serverVersion"]["gitVersion"] == kubernetes_version()
    assert versions["clientVersion"]["gitVersion"] == kubernetes_version()


def test_nodes_take_pods_as_soon_as_the_control_plane_is_up(embedded: ControlPlane) -> None:
    nodes = json.loads(embedded.kubectl("get", "nodes", "-o", "json").stdout)["items"]
    assert [node["metadata"]["name"] for node in nodes] == ["node-1", "node-2"]
    assert not any(node["spec"].get("taints") for node in nodes)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_workload_completes_its_rollout(kind: str, embedded: ControlPlane, namespace: MakeNamespace) -> None:
    where = ("--namespace", namespace())
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    workload = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": labels}, "template": template}
        | ({} if kind == "DaemonSet" else {"replicas": 2}),
    }
    embedded.kubectl("create", *where, "-f-", input=workload)
    embedded.kubectl("rollout", "status", *where, f"{kind}/web", "--timeout=20s")
    pods = json.loads(embedded.kubectl("get", "pods", *where, "-o", "json").stdout)["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Running", "Running"]


def test_a_job_completes(embedded: ControlPlane, namespace: MakeNamespace) -> None:
    where = ("--namespace", namespace())
    embedded.kubectl("create", "job", "once", "--image=example.invalid/app:1", *where)
    embedded.kubectl("wait", "--for=condition=Complete", "job/once", "--timeout=20s", *where)


def test_native_sidecars_are_reported_as_running(embedded: ControlPlane, namespace: MakeNamespace) -> None:
    where = ("--namespace", namespace())
    first = {"name": "first", "image": "example.invalid/init:1"}
    sidecar = {"name": "sidecar", "image": "example.invalid/proxy:1", "restartPolicy": "Always"}
    embedded.kubectl("create", *where, "-f-", input=pod("native", initContainers=[first, sidecar]))
    embedded.kubectl("wait", "--for=condition=Ready", "pod/native", "--timeout=20s", *where)
    status = json.loads(embedded.kubectl("get", "pod/native", *where, "-o", "json").stdout)["status"]
    states = {container["name"]: list(container["state"]) for container in status["initContainerStatuses"]}
    assert states == {"first": ["terminated"], "sidecar": ["running"]}


def test_a_deleted_pod_goes_away_at_once(embedded: ControlPlane, namespace: MakeNamespace) -> None:
    where = ("--namespace", namespace())
    embedded.kubectl("create", *where, "-f-", input=pod("short-lived"))
    embedded.kubectl("wait", "--for=condition=Ready", "pod/short-lived", "--timeout=20s", *where)
    embedded.kubectl("delete", "pod/short-lived", "--timeout=5s", *where)


def test_two_hundred_pods_run_within_ten_seconds(embedded: ControlPlane, namespace: MakeNamespace) -> None:
    where = ("--namespace", namespace())
    embedded.kubectl("create", *where, "-f-", input=[pod(f"pod-{number}") for number in range(200)])

    def running() -> bool:
        phases = embedded.kubectl("get", "pods", *where, "-o", "jsonpath={.items[*].status.phase}").stdout.split()
        return phases.count("Running") == 200

    wait_until(running, seconds=10, what="200 Pods are running")


def test_a_service_account_has_its_own_permissions_only(embedded: ControlPlane, namespace: MakeNamespace) -> None:
    own, other = namespace(), namespace()
    embedded.kubectl("create", "serviceaccount", "reader", "--namespace", own)
    embedded.kubectl("create", "role", "reader", "--verb=list", "--resource=pods", "--namespace", own)
    embedded.kubectl(
        "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={own}:reader", "--namespace", own
    )
    reader = embedded.kubeconfig_for_service_account(own, "reader")
    embedded.kubectl("get", "pods", kubeconfig=reader)
    refused = embedded.kubectl("get", "pods", "--namespace", other, kubeconfig=reader, check=False)
    assert f'User "system:serviceaccount:{own}:reader" cannot list resource "pods"' in refused.stderr


def test_a_webhook_behind_a_service_is_called_on_this_machine(
    embedded: ControlPlane, namespace: MakeNamespace, tmp_path: Path
) -> None:
    name = namespace()
    with Webhook(tmp_path, "hook", name, answer="no, says the webhook") as webhook:
        embedded.route("hook", name, 443, webhook.port)
        embedded.kubectl("create", "-f-", input=webhook.objects(port=443))
        try:
            with pytest.raises(KubectlError, match="denied the request: no, says the webhook"):
                embedded.kubectl("create", "configmap", "any", "--namespace", name)
        finally:
            embedded.kubectl("delete", "-f-", "--wait=false", input=webhook.objects(port=443))


def test_a_webhook_without_a_route_fails_and_the_message_says_why(
    embedded: ControlPlane, namespace: MakeNamespace, tmp_path: Path
) -> None:
    name = namespace()
    with Webhook(tmp_path, "hook", name, answer="never heard") as webhook:
        embedded.kubectl("create", "-f-", input=webhook.objects(port=443))
        try:
            with pytest.raises(KubectlError, match=f"no route to {name}/hook:443"):
                embedded.kubectl("create", "configmap", "any", "--namespace", name)
        finally:
            embedded.kubectl("delete", "-f-", "--wait=false", input=webhook.objects(port=443))


def test_components_do_not_see_the_http_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "example.com")
    command = [sys.executable, "-I", supervisor.__file__, str(os.getpid())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        directory = Path(process.stdout.readline().strip())
        process.stdin.write(json.dumps({"name": "env", "argv": ["env"]}) + "\n")
        process.stdin.flush()
        wait_until((directory / "env.exit").exists, seconds=5, what="env ends")
        environment = (directory / "env.log").read_text()
    assert "PATH=" in environment
    assert "127.0.0.1:9" not in environment
    assert "example.com" not in environment
    assert not directory.exists()


def test_another_cluster_is_used_only_when_both_variables_say_so(embedded: ControlPlane) -> None:
    kubeconfig = {"KUBECONFIG": str(embedded.kubeconfig)}
    assert isinstance(chosen_cluster(kubeconfig), ControlPlane)
    with chosen_cluster(kubeconfig | {OPT_IN: EXISTING}) as existing:
        assert not isinstance(existing, ControlPlane)
        assert existing.get("namespace/default")["kind"] == "Namespace"
        assert not existing.can_route
    embedded.kubectl("get", "namespace/default")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({OPT_IN: EXISTING}, "KUBECONFIG is not set"),
        ({OPT_IN: "kind"}, "'kind'; it may be 'embedded'"),
        ({"KUBEBUILDER_ASSETS": "/nowhere"}, "no executable etcd or kube-apiserver"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ClusterError, match=message):
        chosen_cluster(environment)


def test_the_programs_of_kubebuilder_assets_make_an_api_without_controllers(tmp_path: Path) -> None:
    for name in ("etcd", "kube-apiserver", "kubectl"):
        (tmp_path / name).symlink_to(ensure_binary())
    with chosen_cluster({"KUBEBUILDER_ASSETS": str(tmp_path)}) as cluster:
        assert not cluster.has_controllers
        cluster.kubectl("create", "-f-", input=pod("accepted"))
        assert cluster.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.phase}").stdout == "Pending"


def test_the_audit_log_tells_who_was_allowed_what(embedded: ControlPlane, namespace: MakeNamespace) -> None:
    name = namespace()
    nobody = embedded.kubeconfig_for_service_account(name, "default")
    embedded.kubectl("create", "configmap", "noted", "--namespace", name)
    embedded.kubectl("get", "configmap", "noted", "--namespace", name, kubeconfig=nobody, check=False)
    noted = {
        (request.user, request.verb, request.allowed)
        for request in embedded.audited()
        if (request.namespace, request.resource, request.name) == (name, "configmaps", "noted")
    }
    assert noted == {("test-admin", "create", True), (f"system:serviceaccount:{name}:default", "get", False)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("#!/bin/sh\necho the reason is this\nexit 3\n", "ended with exit code 3(.|\\n)*the reason is this"),
        ("for another kind of machine", "ended with exit code 126(.|\\n)*Exec format error"),
    ],
    ids=["fails", "cannot be run"],
)
def test_a_component_that_ends_is_named_with_the_end_of_its_log(content: str, message: str, tmp_path: Path) -> None:
    broken = tmp_path / "kube-apiserver"
    broken.write_text(content)
    broken.chmod(0o755)
    programs = Programs({**Programs.of_binary(ensure_binary()).commands, "kube-apiserver": [str(broken)]})
    control_plane = ControlPlane(programs)
    with pytest.raises(ClusterError, match=f"kube-apiserver {message}"):
        control_plane.start()
    assert not control_plane.directory.exists()
