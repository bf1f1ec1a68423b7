"""Start, stop and absence of the operator, on a real API server."""

import socket
from collections import Counter
from typing import Any

import pytest
import yaml

from sidecar_injector import names
from tests.cluster.conftest import Configs, config
from tests.cluster.operator_process import ROOT, USER, Operator, measured
from tests.cluster.pods import images, make, making, pod
from tests.cluster.test_operator_repairs import ACCIDENTS, EDITS, MUTATING, VALIDATING, entries, secret
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.control_plane import AuditedRequest, ControlPlane
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

ENABLED = {"istio-injection": "enabled"}
APP = "example.org/app:1"
DRAIN_SECONDS = 2.0
MADE_BY_APPLY = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
"""Server-side apply needs the right to create them, but stands as a patch in the audit log."""


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


def test_it_uses_every_right_that_it_has_and_asks_for_no_other(
    control_plane: Cluster, operator: Operator, configs: Configs
) -> None:
    if not isinstance(control_plane, ControlPlane):
        pytest.skip("needs the audit log of the embedded control plane")
    for version in ("1", "2"):
        configs(config(version=version))
    for kind in (MUTATING, VALIDATING):
        before = entries(control_plane, kind)
        EDITS["an entry added"](control_plane, kind)
        wait_until(lambda: entries(control_plane, kind) == before, seconds=30, what="it is repaired")  # noqa: B023
    for accident in ("garbled", "garbled and immutable"):
        data = secret(control_plane)["data"]
        ACCIDENTS[accident](control_plane)
        wait_until(lambda: secret(control_plane).get("data") == data, seconds=10, what="it is repaired")  # noqa: B023
    assert unused(control_plane.audited()) == []
    requests = [request for request in control_plane.audited() if request.user == USER]
    assert [request for request in requests if not request.allowed and request.resource != WITHDRAWN] == []


WITHDRAWN = "podtemplates"
"""What another test takes the right to away, to see that the operator goes on without."""


def unused(audited: Counter[AuditedRequest]) -> list[str]:
    """Return what the manifest grants and nobody has made use of."""
    requests = [request for request in audited if request.user == USER and request.allowed]
    return [grant for grant, used in grants() if not any(used(request) for request in requests)]


def grants() -> Any:
    documents = list(yaml.safe_load_all((ROOT / "manifests" / "install.yaml").read_text()))
    for role in (document for document in documents if document["kind"] in ("ClusterRole", "Role")):
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        yield f"{role['metadata']['name']}: {verb} {resource}", is_use_of(group, resource, verb)


def is_use_of(group: str, resource: str, verb: str) -> Any:
    plural, _, subresource = resource.partition("/")
    if verb == "create" and resource in MADE_BY_APPLY:
        verb = "patch"
    wanted = (group, plural, subresource, verb)
    return lambda request: (request.group, request.resource, request.subresource, request.verb) == wanted
