"""The component that binds the operator's webhook configurations: the operator lives with it, an intruder does not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar_injector import names
from tests.cluster.conftest import Configs, config
from tests.cluster.operator_process import ROOT, USER, Operator
from tests.cluster.pods import images, make, pod
from tests.cluster.test_operator_repairs import FOREIGN, MUTATING, VALIDATING, entries
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

POLICIES = ROOT / "manifests" / "components" / "registration-policy" / "policies.yaml"
ENABLED = {"istio-injection": "enabled"}
DENIED = "ValidatingAdmissionPolicy 'sidecar-injector-"


@pytest.fixture(scope="module")
def bound(control_plane: Cluster, operator: Operator) -> Iterator[Cluster]:
    """The cluster with the policies in force."""
    control_plane.kubectl("apply", "--warnings-as-errors", "-f", str(POLICIES))
    for kind in (MUTATING, VALIDATING):
        wait_until(
            lambda: DENIED in attempt(control_plane, kind, "add", "/webhooks", [FOREIGN]),  # noqa: B023
            seconds=20,
            what=f"the policy about the {kind} is in force",
        )
    yield control_plane
    control_plane.kubectl("delete", "-f", str(POLICIES))


def attempt(cluster: Cluster, kind: str, operation: str, path: str, value: object = None) -> str:
    """Try, as the operator, to change a webhook configuration; return why that is refused, or nothing."""
    step = {"op": operation, "path": path, **({} if value is None else {"value": value})}
    command = ("patch", kind, names.APP, "--type=json", "--dry-run=server", f"--as={USER}", "-p", json.dumps([step]))
    done = cluster.kubectl(*command, check=False)
    return done.stderr if done.returncode else ""


def test_the_operator_does_its_work_under_the_policies(
    bound: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    condition = {"name": "not-a-build", "expression": "!('build-id' in object.metadata.?labels.orValue({}))"}
    configs(config(), config("istio", container="istio", profile="Istio", match={"conditions": [condition]}))
    configs(config(version="2", failurePolicy="Ignore"))
    assert images(make(bound, namespace("shop", ENABLED), pod("web")))[1] == "example.org/proxy:2"
    for kind in (MUTATING, VALIDATING):
        before = entries(bound, kind)
        bound.kubectl("delete", kind, names.APP)
        wait_until(lambda: entries(bound, kind) == before, seconds=30, what="it is made again")  # noqa: B023
    operator.stop()
    operator.start()


SECRETS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["CREATE"]}
PODS = {**SECRETS, "resources": ["pods"]}
ELSEWHERE = {"namespace": "default", "name": "elsewhere", "path": "/inject/mesh", "port": 443}
INTRUSIONS: dict[str, tuple[str, str, str, object]] = {
    "Secrets": (MUTATING, "replace", "/webhooks/0/rules/0", SECRETS),
    "Secrets beside Pods": (MUTATING, "add", "/webhooks/0/rules/-", SECRETS),
    "everything": (MUTATING, "replace", "/webhooks/0/rules/0/resources", ["*"]),
    "another group": (MUTATING, "replace", "/webhooks/0/rules/0/apiGroups", ["apps"]),
    "subresources of Pods": (MUTATING, "replace", "/webhooks/0/rules/0/resources", ["pods", "pods/exec"]),
    "Pods that exist": (MUTATING, "replace", "/webhooks/0/rules/0/operations", ["CREATE", "UPDATE"]),
    "every namespace": (MUTATING, "replace", "/webhooks/0/namespaceSelector", {}),
    "kube-system": (
        MUTATING,
        "replace",
        "/webhooks/0/namespaceSelector",
        {
            "matchExpressions": [
                {"key": names.NAMESPACE_NAME, "operator": "NotIn", "values": [names.APP, "kube-public"]},
                {"key": "other", "operator": "NotIn", "values": ["kube-system", "kube-node-lease"]},
            ]
        },
    ),
    "a foreign address": (MUTATING, "replace", "/webhooks/0/clientConfig", {"url": "https://198.51.100.7/"}),
    "a foreign Service": (MUTATING, "replace", "/webhooks/0/clientConfig/service", ELSEWHERE),
    "a foreign entry": (MUTATING, "add", "/webhooks/-", FOREIGN),
    "Secrets, to look at them": (VALIDATING, "replace", "/webhooks/0/rules/0", SECRETS),
    "Pods, to look at them": (VALIDATING, "add", "/webhooks/0/rules/-", PODS),
    "a foreign address, to look at configs": (
        VALIDATING,
        "replace",
        "/webhooks/0/clientConfig",
        {"url": "https://198.51.100.7/"},
    ),
}


@pytest.mark.parametrize(("kind", "operation", "path", "value"), INTRUSIONS.values(), ids=INTRUSIONS)
def test_an_intruder_with_the_operators_rights_cannot_have_sent(
    bound: Cluster, configs: Configs, kind: str, operation: str, path: str, value: object
) -> None:
    configs(config())
    assert DENIED in attempt(bound, kind, operation, path, value)


@pytest.mark.parametrize("kind", ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"])
def test_nor_by_making_the_configuration_anew(bound: Cluster, operator: Operator, kind: str) -> None:
    wanted: dict[str, Any] = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": names.APP},
        "webhooks": [{**FOREIGN, "rules": [SECRETS]}],
    }
    with operator.stopped():
        bound.kubectl("delete", kind.lower(), names.APP)
        applied = ("apply", "--server-side", "--force-conflicts", f"--as={USER}", "--validate=false", "-f-")
        assert DENIED in bound.kubectl(*applied, input=wanted, check=False).stderr
        assert DENIED in bound.kubectl("create", "-f-", input=wanted, check=False).stderr


def test_other_webhook_configurations_are_nobodys_business(bound: Cluster) -> None:
    wanted = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "another"},
        "webhooks": [{**FOREIGN, "rules": [SECRETS]}],
    }
    bound.kubectl("create", "--dry-run=server", "-f-", input=wanted)


def test_the_emergency_edit_is_still_possible(bound: Cluster, configs: Configs) -> None:
    configs(config())
    assert attempt(bound, MUTATING, "replace", "/webhooks/0/failurePolicy", "Ignore") == ""


def test_the_api_server_finds_nothing_odd_in_the_expressions(bound: Cluster) -> None:
    for policy in yaml.safe_load_all(Path(POLICIES).read_text()):
        if policy["kind"] == "ValidatingAdmissionPolicy":
            name = policy["metadata"]["name"]
            checked = ("get", "validatingadmissionpolicy", name, "-o", "jsonpath={.status}")
            status = wait_until(lambda: bound.kubectl(*checked).stdout, seconds=20, what="it is type-checked")  # noqa: B023
            assert "expressionWarnings" not in status, status
