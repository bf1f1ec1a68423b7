"""Once the operator's namespace is deleted, nothing stands in the way of new Pods."""

from collections.abc import Iterator

import pytest

from sidecar_injector import names
from tests.e2e import workloads
from tests.e2e.installed import InstalledOperator
from tests.e2e.workloads import LABELS
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.fixture import MakeNamespace
from tests.kubernetes.node import Node

pytestmark = pytest.mark.e2e

SECONDS = 60


@pytest.fixture(autouse=True)
def installed_again(node: Node, operator: InstalledOperator) -> Iterator[None]:
    yield
    operator.install()
    node.kubectl("delete", "sic", workloads.CONFIG, "--ignore-not-found")


def test_deleting_the_namespace_of_the_operator_lets_pods_in_again(
    node: Node, operator: InstalledOperator, node_namespace: MakeNamespace
) -> None:
    namespace = node_namespace(labels=LABELS)
    node.kubectl("apply", "-f-", input=workloads.config(failurePolicy="Fail"))
    node.kubectl("wait", "--for=condition=Programmed", f"sic/{workloads.CONFIG}", "--timeout=20s")
    node.kubectl("delete", "namespace", names.APP, f"--timeout={SECONDS}s")
    webhooks = ("get", "mutatingwebhookconfigurations,validatingwebhookconfigurations", "-o", "name")
    wait_until(lambda: not node.kubectl(*webhooks).stdout, seconds=SECONDS, what="the webhooks are gone with it")
    node.kubectl("create", "--namespace", namespace, "-f-", input=workloads.pod("free"))
    assert "initContainers" not in str(node.get("pod/free", "--namespace", namespace))
