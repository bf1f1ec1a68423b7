"""Start, stop and absence of the operator, on a real API server."""

import socket

import pytest

from sidecar_injector import names
from tests.cluster.conftest import Configs, config
from tests.cluster.operator_process import ROOT, Operator, measured
from tests.cluster.pods import images, make, making, pod
from tests.cluster.test_operator_repairs import MUTATING, entries, secret
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

ENABLED = {"istio-injection": "enabled"}
APP = "example.org/app:1"
DRAIN_SECONDS = 2.0


def test_on_sigterm_it_drains_and_no_pod_goes_without(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    operator.stop()
    operator.start(drain_seconds=DRAIN_SECONDS)
    try:
        with measured() as stop:
            with making(control_plane, shop, threads=2) as made:
                wait_until(lambda: len(made.pods) >= 10, seconds=20, what="Pods are there")
                operator.terminate()
                wait_until(lambda: not operator.readiness()["ready"], seconds=DRAIN_SECONDS, what="it is not ready")
                assert operator.readiness()["checks"]["draining"] == "about to stop"
                count = len(made.pods)
                wait_until(lambda: len(made.pods) >= count + 10, seconds=DRAIN_SECONDS, what="it still serves")
            assert operator.stop() == 0
        assert made.refusals == []
        assert {tuple(images(found)) for _, found in made.pods} == {(APP, "example.org/proxy:1")}
        assert stop.seconds > DRAIN_SECONDS
    finally:
        operator.stop()
        operator.start()


@pytest.mark.parametrize(("policy", "passes"), [("Fail", False), ("Ignore", True)])
def test_while_it_is_away_the_api_server_applies_the_failure_policy(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace, policy: str, passes: bool
) -> None:
    configs(config(failurePolicy=policy))
    shop = namespace("shop", ENABLED)
    with operator.stopped():
        done = control_plane.kubectl("create", "-n", shop, "-f-", input=pod("during"), check=False)
        assert (done.returncode == 0) is passes
        assert images(make(control_plane, namespace("plain"), pod("elsewhere"))) == [APP]
    assert images(make(control_plane, shop, pod("after"))) == [APP, "example.org/proxy:1"]


def test_an_edit_while_it_was_away_is_in_force_after_its_start(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    with operator.stopped():
        control_plane.kubectl("apply", "-f-", input=config(version="2"))
    found = make(control_plane, namespace("shop", ENABLED), pod("after"))
    assert images(found) == [APP, "example.org/proxy:2"]


def test_a_config_deleted_while_it_was_away_refuses_no_pod(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config(), config("other", container="other"))
    shop = namespace("shop", ENABLED)
    with operator.stopped():
        control_plane.kubectl("delete", "sic", "other")
    assert images(make(control_plane, shop, pod("after")))[-1] == "example.org/proxy:1"
    wait_until(lambda: len(entries(control_plane, MUTATING)) == 1, seconds=5, what="the entry is removed")


def test_a_restart_keeps_its_ca(control_plane: Cluster, operator: Operator) -> None:
    before = secret(control_plane)["data"]
    with operator.stopped():
        pass
    assert secret(control_plane)["data"] == before


def test_without_the_definition_it_waits_and_says_so(control_plane: Cluster, operator: Operator) -> None:
    crd = f"{names.PLURAL}.{names.GROUP}"
    operator.stop()
    control_plane.kubectl("delete", "crd", crd)
    try:
        operator.start(wait=False)
        wait_until(lambda: "is the CustomResourceDefinition installed?" in operator.log(), seconds=10, what="it waits")
        checks = operator.readiness()["checks"]
        assert checks["configs"] == "not listed yet"
        assert checks["listener"] == "not listening yet"
    finally:
        control_plane.kubectl("apply", "-f", str(ROOT / "crds" / "sidecarinjectorconfigs.yaml"))
        operator.wait()


def test_it_says_what_is_wrong_with_its_settings(operator: Operator) -> None:
    operator.stop()
    try:
        with pytest.raises(AssertionError, match="SIDECAR_INJECTOR_LISTEN_PORT: 'web': must be a number"):
            operator.start(listen_port="web")
    finally:
        operator.stop()
        operator.start()


@pytest.mark.parametrize("port", ["health_port", "listen_port"])
def test_a_port_that_is_taken_ends_it_with_a_message(operator: Operator, port: str) -> None:
    operator.stop()
    try:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]
            with pytest.raises(
                AssertionError, match=f"has ended: .*cannot listen on 127.0.0.1:{number}: Address already"
            ):
                operator.start(**{port: number})
    finally:
        operator.stop()
        operator.start()
