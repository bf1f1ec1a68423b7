"""The operator in a whole node, and a config that fails closed."""

from collections.abc import Iterator

import pytest

from tests.chaos import load, operators
from tests.e2e.installed import InstalledOperator
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.fixture import MakeNamespace
from tests.kubernetes.node import Node

PROGRAMMED_SECONDS = 30


@pytest.fixture(scope="session")
def operator(node: Node) -> InstalledOperator:
    """The operator, installed from the production manifests."""
    installed = InstalledOperator(node)
    installed.install()
    return installed


@pytest.fixture(scope="session")
def faults(node: Node) -> Faults:
    return Faults(node)


@pytest.fixture(scope="module", autouse=True)
def config(node: Node, operator: InstalledOperator) -> Iterator[None]:
    """The config, for the tests of a module."""
    node.kubectl("apply", "-f-", input=load.config())
    node.kubectl("wait", "--for=condition=Programmed", f"sic/{load.CONFIG}", f"--timeout={PROGRAMMED_SECONDS}s")
    yield
    node.kubectl("delete", "sic", load.CONFIG, "--ignore-not-found")


@pytest.fixture
def shop(node: Node, operator: InstalledOperator, node_namespace: MakeNamespace) -> str:
    """A namespace that fails closed, and two replicas that are ready, in Pods whose containers never ended before.

    The kubelet lets a container that has ended before wait, longer each time: one test's harm must not slow the next.
    """
    worn = [name for name, pod in operators.replicas(node).items() if operators.restarts(pod)]
    if worn:
        operator.kubectl("delete", "pods", *worn, "--grace-period=0", "--force")
    operator.wait()
    wait_until(lambda: len(operators.ready(node)) == 2, seconds=PROGRAMMED_SECONDS, what="there are two replicas")
    return node_namespace("shop", load.LABELS)
