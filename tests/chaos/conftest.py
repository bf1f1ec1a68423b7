"""The operator in a whole node, a config that fails closed, and the figures that the tests of this directory print."""

from collections.abc import Iterator
from typing import Protocol

import pytest

from tests.chaos import load, operators
from tests.e2e.installed import InstalledOperator
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.fixture import MakeNamespace
from tests.kubernetes.node import Node

PROGRAMMED_SECONDS = 30
FIGURES = pytest.StashKey[list[str]]()


class Figures(Protocol):
    """Takes what a test has measured; it is printed at the end of the run."""

    def __call__(self, **measured: object) -> None: ...


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


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """What a test reports its figures to."""
    lines = request.config.stash.setdefault(FIGURES, [])

    def report(**measured: object) -> None:
        lines.append(f"{request.node.name}")
        lines.extend(f"    {name.replace('_', ' ')}: {_shown(value)}" for name, value in measured.items())

    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(FIGURES, [])
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)


def _shown(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
