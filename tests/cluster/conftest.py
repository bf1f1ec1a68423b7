"""The operator, installed from its manifest, and a config for it."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pytest

from sidecar_injector import names
from tests.cluster.operator_process import ROOT, Operator
from tests.kubernetes.cluster import Cluster, wait_until

TEMPLATE = """\
spec:
  containers:
    - name: {container}
      image: example.org/{container}:{{{{ values.version }}}}
      env:
        - name: VERSION
          value: "{{{{ values.version }}}}"
"""


def config(name: str = "mesh", version: str = "1", *, container: str = "proxy", **spec: Any) -> dict[str, Any]:
    """Return a config whose sidecar says its version twice."""
    template = {"name": "sidecar", "template": TEMPLATE.format(container=container)}
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name},
        "spec": {"profile": "Generic", "templates": [template], "values": {"version": version}, **spec},
    }


def broken(name: str = "mesh") -> dict[str, Any]:
    """Return a config that uses, in line 4 of its template, a value that is not there."""
    edited = config(name)
    edited["spec"]["values"] = {"versoin": "2"}
    return edited


class Configs(Protocol):
    """Applies configs and waits until they are in force."""

    def __call__(self, *configs: dict[str, Any]) -> None: ...


@contextlib.contextmanager
def installed(cluster: Cluster) -> Iterator[None]:
    """Have the operator's manifest applied and no config there; afterwards, no config and no webhook of it either."""
    if not cluster.can_route or not cluster.has_controllers:
        pytest.skip("the cluster cannot reach an operator that runs here")
    cluster.kubectl("apply", "--warnings-as-errors", "-f", str(ROOT / "manifests" / "install.yaml"))
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{names.PLURAL}.{names.GROUP}", "--timeout=20s")
    cluster.kubectl("delete", "sic", "--all")
    try:
        yield
    finally:
        cluster.kubectl("delete", "sic", "--all")
        for kind in ("mutatingwebhookconfiguration", "validatingwebhookconfiguration"):
            cluster.kubectl("delete", kind, names.APP, "--ignore-not-found")


@contextlib.contextmanager
def two_behind_the_service(cluster: Cluster, replicas: Sequence[str]) -> Iterator[tuple[Operator, Operator]]:
    """Two replicas of these names, not started, behind the Service; with a config that fails closed."""
    cluster.kubectl("apply", "-f-", input=config(failurePolicy="Fail"))
    one, two = (Operator(cluster, name) for name in replicas)
    cluster.route(names.APP, names.APP, 443, one.webhook_port, two.webhook_port)
    try:
        yield one, two
    finally:
        one.stop()
        two.stop()


@pytest.fixture(scope="module")
def operator(control_plane: Cluster) -> Iterator[Operator]:
    """The operator, running as it would in the cluster."""
    with installed(control_plane):
        running = Operator(control_plane)
        try:
            running.start()
            yield running
        finally:
            running.stop()


@pytest.fixture
def configs(control_plane: Cluster, operator: Operator) -> Iterator[Configs]:
    """What applies configs, which are deleted after the test."""

    def apply(*wanted: dict[str, Any]) -> None:
        control_plane.kubectl("apply", "-f-", input=list(wanted))
        for each in wanted:
            control_plane.kubectl("wait", "--for=condition=Ready", f"sic/{each['metadata']['name']}", "--timeout=10s")

    yield apply
    control_plane.kubectl("delete", "sic", "--all")
    wait_until(
        lambda: not control_plane.get("mutatingwebhookconfiguration", names.APP).get("webhooks"),
        seconds=10,
        what="no config is registered",
    )
