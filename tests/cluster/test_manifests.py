"""What is applied to a cluster to install the operator, on a real API server."""

from typing import Any

import pytest
import yaml

from sidecar_injector import __version__, names
from sidecar_injector.serving.server import CLOSE_SECONDS
from sidecar_injector.settings import Settings
from tests.cluster.operator_process import ROOT
from tests.kubernetes.cluster import Cluster, wait_until

pytestmark = pytest.mark.cluster

INSTALL = ROOT / "manifests" / "install.yaml"
DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all(INSTALL.read_text()))


def only(kind: str) -> dict[str, Any]:
    (found,) = [document for document in DOCUMENTS if document["kind"] == kind]
    return found


def container() -> dict[str, Any]:
    (found,) = only("Deployment")["spec"]["template"]["spec"]["containers"]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("source", [("-k", "manifests/default"), ("-f", "manifests/install.yaml")], ids=" ".join)
def test_both_ways_to_install_are_taken_without_a_warning(control_plane: Cluster, source: tuple[str, str]) -> None:
    option, path = source
    control_plane.kubectl("apply", "--warnings-as-errors", option, str(ROOT / path))
    again = control_plane.kubectl("apply", option, str(ROOT / path))
    assert {line.rsplit(" ", 1)[1] for line in again.stdout.splitlines()} <= {"unchanged", "configured"}


def test_install_yaml_is_what_kustomize_renders(control_plane: Cluster) -> None:
    rendered = control_plane.kubectl("kustomize", str(ROOT / "manifests" / "default")).stdout
    comment, _, content = INSTALL.read_text().partition("\n")
    assert "do not edit" in comment
    assert content == rendered, "make generate"


def test_an_overlay_can_name_another_image(control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    overlay = tmp_path_factory.mktemp("overlay")
    relative = "/".join([".."] * len(overlay.resolve().relative_to("/").parts)) + str(ROOT / "manifests" / "default")
    image = {"name": "sidecar-injector", "newName": "registry.example.org/injector", "newTag": "9"}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump({"resources": [relative], "images": [image]}))
    rendered = yaml.safe_load_all(control_plane.kubectl("kustomize", str(overlay)).stdout)
    (deployment,) = [document for document in rendered if document["kind"] == "Deployment"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example.org/injector:9"


def test_the_operators_pods_are_admitted_to_their_restricted_namespace(controllers: Cluster) -> None:
    controllers.kubectl("apply", "-f", str(INSTALL))
    replicas = only("Deployment")["spec"]["replicas"]
    levels = only("Namespace")["metadata"]["labels"]
    assert levels["pod-security.kubernetes.io/enforce"] == "restricted"
    ready = ("get", "deployment", names.APP, "-n", names.APP, "-o", "jsonpath={.status.readyReplicas}")
    wait_until(
        lambda: controllers.kubectl(*ready).stdout == str(replicas), seconds=30, what="the Deployment's Pods are there"
    )


def test_the_image_is_the_one_that_make_image_builds() -> None:
    assert container()["image"] == f"{names.APP}:{__version__}"


def test_nobody_can_write_to_the_container_or_gain_rights_in_it() -> None:
    security = container()["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert "volumes" not in only("Deployment")["spec"]["template"]["spec"]


def test_there_is_time_to_drain_before_the_kubelet_loses_patience() -> None:
    spec = only("Deployment")["spec"]["template"]["spec"]
    sleep = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > sleep + Settings().drain_seconds + CLOSE_SECONDS


def test_the_ports_are_the_ones_that_the_operator_listens_on() -> None:
    ports = {port["name"]: port["containerPort"] for port in container()["ports"]}
    assert ports == {"webhook": Settings().listen_port, "health": Settings().health_port}
    service = {port["name"]: port for port in only("Service")["spec"]["ports"]}
    assert service["webhook"]["port"] == Settings().service_port
    assert service["webhook"]["targetPort"] in ports


def test_rights_on_named_objects_name_the_operators_own() -> None:
    named = [rule for role in DOCUMENTS if role["kind"].endswith("Role") for rule in role["rules"]]
    secrets = [rule for rule in named if rule["resources"] == ["secrets"] and rule["verbs"] != ["create"]]
    assert [rule["resourceNames"] for rule in secrets] == [[names.CA_SECRET]]
    webhooks = [rule for rule in named if "mutatingwebhookconfigurations" in rule["resources"]]
    assert [rule["resourceNames"] for rule in webhooks] == [[names.MUTATING_WEBHOOK]]
    assert names.MUTATING_WEBHOOK == names.VALIDATING_WEBHOOK


def test_no_rule_has_a_wildcard() -> None:
    rules = [rule for role in DOCUMENTS if role["kind"].endswith("Role") for rule in role["rules"]]
    assert [rule for rule in rules if "*" in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]] == []
