"""What can be added to the operator's manifests: the production overlay, its network policy and roles for people."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sidecar_injector import names
from tests.cluster.operator_process import ROOT
from tests.kubernetes.cluster import Cluster, wait_until

pytestmark = pytest.mark.cluster

MANIFESTS = ROOT / "manifests"
ROLES = MANIFESTS / "components" / "roles" / "roles.yaml"
ALLOWED = "yes"
SIC = f"{names.PLURAL}.{names.GROUP}"


def rendered(cluster: Cluster, folder: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The objects of a kustomization, by kind and name."""
    text = cluster.kubectl("kustomize", str(MANIFESTS / folder)).stdout
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def production(control_plane: Cluster) -> dict[tuple[str, str], dict[str, Any]]:
    return rendered(control_plane, "overlays/production")


@pytest.fixture(scope="module")
def policy(production: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    spec: dict[str, Any] = production["NetworkPolicy", names.APP]["spec"]
    return spec


@pytest.fixture(scope="module")
def pod(production: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    template: dict[str, Any] = production["Deployment", names.APP]["spec"]["template"]
    return template


def test_production_is_the_default_and_more(
    control_plane: Cluster, production: dict[tuple[str, str], dict[str, Any]]
) -> None:
    default = rendered(control_plane, "default")
    assert {key: production[key] for key in default} == default
    assert {kind for kind, _ in production.keys() - default.keys()} == {
        "ClusterRole",
        "NetworkPolicy",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }


def test_the_api_server_takes_the_production_overlay_without_a_warning(control_plane: Cluster) -> None:
    control_plane.kubectl("apply", "-k", str(MANIFESTS / "default"))
    dry = ("apply", "--server-side", "--dry-run=server", "--force-conflicts", "--warnings-as-errors")
    done = control_plane.kubectl(*dry, "-k", str(MANIFESTS / "overlays" / "production"))
    assert f"networkpolicy.networking.k8s.io/{names.APP} serverside-applied (server dry run)" in done.stdout


def test_the_policy_is_about_the_operators_pods(policy: dict[str, Any], pod: dict[str, Any]) -> None:
    assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert sorted(policy["policyTypes"]) == ["Egress", "Ingress"]


def test_the_policy_knows_the_ports_by_the_names_that_the_container_gives_them(
    policy: dict[str, Any], pod: dict[str, Any]
) -> None:
    (container,) = pod["spec"]["containers"]
    opened = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    assert opened == {port["name"] for port in container["ports"]}


def test_the_webhook_is_open_to_every_address_and_metrics_to_labelled_namespaces_only(policy: dict[str, Any]) -> None:
    sources = {port["port"]: rule.get("from") for rule in policy["ingress"] for port in rule["ports"]}
    assert sources == {
        "webhook": None,
        "health": [{"namespaceSelector": {"matchLabels": {"metrics": "enabled"}}}],
    }


def test_the_operator_may_reach_api_servers_and_names_and_nothing_else(policy: dict[str, Any]) -> None:
    anywhere = {port["port"] for rule in policy["egress"] if "to" not in rule for port in rule["ports"]}
    assert anywhere == {443, 6443}
    (names_rule,) = [rule for rule in policy["egress"] if "to" in rule]
    assert {port["port"] for port in names_rule["ports"]} == {53}
    assert all("namespaceSelector" in peer and "podSelector" in peer for peer in names_rule["to"])


@pytest.fixture(scope="module")
def people(control_plane: Cluster) -> Iterator[Cluster]:
    """People with roles in the whole cluster, each named after the role."""
    if not control_plane.has_controllers:
        pytest.skip("needs the controller that aggregates roles")
    control_plane.kubectl("apply", "-k", str(ROOT / "crds"))
    control_plane.kubectl("apply", "-f", str(ROLES))
    roles = ("view", "edit", "admin", f"{names.APP}-edit")
    for role in roles:
        control_plane.kubectl("create", "clusterrolebinding", f"test-{role}", f"--clusterrole={role}", f"--user={role}")
    wait_until(lambda: may(control_plane, "admin", "list"), seconds=20, what="the roles are aggregated")
    yield control_plane
    for role in roles:
        control_plane.kubectl("delete", "clusterrolebinding", f"test-{role}")
    control_plane.kubectl("delete", "-f", str(ROLES))


def may(cluster: Cluster, person: str, verb: str, *resource: str) -> bool:
    asked = cluster.kubectl("auth", "can-i", verb, *(resource or (SIC,)), f"--as={person}", check=False)
    return asked.stdout.strip() == ALLOWED


@pytest.mark.parametrize("person", ["view", "edit", "admin"])
def test_who_may_view_the_cluster_may_view_configs_but_not_even_its_admins_may_edit_them(
    people: Cluster, person: str
) -> None:
    assert all(may(people, person, verb) for verb in ("get", "list", "watch"))
    assert [verb for verb in ("create", "update", "patch", "delete") if may(people, person, verb)] == []


def test_the_role_for_editing_configs_allows_that_and_nothing_else(people: Cluster) -> None:
    person = f"{names.APP}-edit"
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete")
    assert [verb for verb in verbs if not may(people, person, verb)] == []
    others = [("secrets",), ("pods",), (SIC, "--subresource=status"), ("mutatingwebhookconfigurations",)]
    assert [other for other in others for verb in verbs if may(people, person, verb, *other)] == []
