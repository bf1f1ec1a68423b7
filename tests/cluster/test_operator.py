"""The story, on a real API server: apply, label, create, edit live, break, delete."""

import contextlib
import json
import time
from typing import Any

import pytest
from kubernetes.client import AdmissionregistrationV1Api, ApiException, CustomObjectsApi
from kubernetes.config import new_client_from_config

from sidecar_injector import names
from tests.cluster.conftest import Configs, broken, config
from tests.cluster.operator_process import KOPF_RUN, Operator, measured
from tests.cluster.pods import images, make, making, pod
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

ENABLED = {"istio-injection": "enabled"}
APP = "example.org/app:1"


def workload(kind: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("web")["spec"]}
    spec: dict[str, Any] = {"template": template}
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
    else:
        spec["selector"] = {"matchLabels": {"app": "web"}}
    if kind == "StatefulSet":
        spec["serviceName"] = "web"
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": spec}


def pods(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cluster.get("pods", "-n", namespace)["items"]  # type: ignore[assignment]
    return found


def conditions(cluster: Cluster, name: str = "mesh") -> dict[str, dict[str, Any]]:
    status: Any = cluster.get("sic", name).get("status", {})
    return {condition["type"]: condition for condition in status.get("conditions", [])}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"])
def test_pods_of_every_workload_in_a_labelled_namespace_get_the_sidecar(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, kind: str
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    control_plane.kubectl("create", "-n", shop, "-f-", input=workload(kind))
    found = wait_until(lambda: pods(control_plane, shop), seconds=20, what=f"the {kind} has Pods")
    assert {tuple(images(each)) for each in found} == {(APP, "example.org/proxy:1")}


def test_a_bare_pod_gets_the_sidecar_and_runs(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    assert images(make(control_plane, shop, pod("bare"))) == [APP, "example.org/proxy:1"]
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/bare", "-n", shop, "--timeout=20s")


def test_a_namespace_without_the_label_is_left_alone(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    assert images(make(control_plane, namespace("plain"), pod("bare"))) == [APP]
    assert images(make(control_plane, namespace("off", {"istio-injection": "disabled"}), pod("bare"))) == [APP]


def test_a_pod_that_opts_out_is_left_alone(control_plane: Cluster, configs: Configs, namespace: MakeNamespace) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    assert images(make(control_plane, shop, pod("out", labels={names.INJECT: "false"}))) == [APP]


def test_a_dry_run_shows_the_sidecar_and_stores_nothing(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    shown = control_plane.kubectl("create", "-n", shop, "--dry-run=server", "-o", "json", "-f-", input=pod("try"))
    assert images(json.loads(shown.stdout)) == [APP, "example.org/proxy:1"]
    assert pods(control_plane, shop) == []


def test_the_operators_own_namespace_and_the_systems_are_never_injected(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(
        config(match={"namespaceSelector": {"matchExpressions": [{"key": names.NAMESPACE_NAME, "operator": "Exists"}]}})
    )
    found = make(control_plane, "kube-system", pod("probe"))
    control_plane.kubectl("delete", "pod", "probe", "-n", "kube-system", "--wait=false")
    assert images(found) == [APP]
    assert {tuple(images(each)) for each in pods(control_plane, names.APP)} == {("sidecar-injector:0.1.0",)}


def test_two_configs_inject_both_in_their_order(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config("late", order=200, container="audit"), config("early", order=1, container="proxy"))
    found = make(control_plane, namespace("shop", ENABLED), pod("both"))
    assert images(found) == [APP, "example.org/proxy:1", "example.org/audit:1"]
    assert sorted(json.loads(found["metadata"]["annotations"][names.STATUS])) == ["early", "late"]


def test_an_edit_is_in_force_for_the_next_pod(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    shop = namespace("shop", ENABLED)
    for version in ("1", "2", "3"):
        configs(config(version=version))
        assert images(make(control_plane, shop, pod(f"v{version}"))) == [APP, f"example.org/proxy:{version}"]


def test_an_edit_while_pods_are_being_created_gives_each_the_old_or_the_new_sidecar_and_refuses_none(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config(version="1"))
    shop = namespace("shop", ENABLED)
    with making(control_plane, shop) as made:
        wait_until(lambda: len(made.pods) >= 60, seconds=30, what="60 Pods are there")
        control_plane.kubectl("apply", "-f-", input=config(version="2"))
        edited = time.monotonic()
        wait_until(lambda: "2" in map(sidecar_version, made.after(edited)), seconds=20, what="the edit is in force")
        in_force = time.monotonic()
        wait_until(lambda: len(made.after(in_force)) >= 100, seconds=30, what="100 more Pods are there")
    assert made.refusals == []
    assert len(made.pods) >= 160
    versions = {found["metadata"]["name"]: sidecar_version(found) for _, found in made.pods}
    assert set(versions.values()) == {"1", "2"}
    first = min(made.answered[name] for name, version in versions.items() if version == "2")
    assert set(map(sidecar_version, made.after(first))) == {"2"}, "back to the old one after the new one was there"


def sidecar_version(found: dict[str, Any]) -> str:
    (proxy,) = [container for container in found["spec"]["containers"] if container["name"] == "proxy"]
    (variable,) = proxy["env"]
    assert proxy["image"] == f"example.org/proxy:{variable['value']}", "half of one version and half of another"
    version: str = variable["value"]
    return version


def test_the_status_tells_what_is_in_force(control_plane: Cluster, configs: Configs) -> None:
    configs(config())
    found: Any = control_plane.get("sic", "mesh")
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    assert {name: condition["status"] for name, condition in conditions(control_plane).items()} == {
        "Accepted": "True",
        "Programmed": "True",
        "Ready": "True",
    }
    assert found["status"]["currentRevision"] in control_plane.kubectl("get", "sic", "mesh").stdout


def test_the_status_is_written_once(control_plane: Cluster, operator: Operator, configs: Configs) -> None:
    configs(config())
    before = control_plane.get("sic", "mesh")
    time.sleep(1.5)  # nothing is to happen, which cannot be waited for
    assert control_plane.get("sic", "mesh") == before
    with operator.stopped():
        pass
    since = before["status"]["servers"][0]["time"]  # type: ignore[index]
    wait_until(
        lambda: (
            control_plane.get("sic", "mesh")["status"]["servers"][0]["time"] != since  # type: ignore[index]
        ),
        seconds=15,
        what="the status says that it serves again",
    )
    after = control_plane.get("sic", "mesh")
    assert after["status"]["conditions"] == before["status"]["conditions"]  # type: ignore[index]


def test_a_broken_edit_is_refused_with_the_line_and_the_sidecar_stays(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    refused = control_plane.kubectl("apply", "-f-", input=broken(), check=False)
    assert refused.returncode != 0
    assert 'admission webhook "validate.sidecarinjector.dev" denied the request' in refused.stderr
    assert "spec.templates[0].template: mesh/sidecar:4" in refused.stderr
    assert "values.version" in refused.stderr
    assert images(make(control_plane, namespace("shop", ENABLED), pod("after")))[1:] == ["example.org/proxy:1"]


def test_a_cel_expression_that_does_not_compile_is_refused(control_plane: Cluster, operator: Operator) -> None:
    match = {"conditions": [{"name": "typo", "expression": "object.metadata.nmae != ''  &&"}]}
    refused = control_plane.kubectl("apply", "-f-", input=config(match=match), check=False)
    assert refused.returncode != 0
    assert "spec.match.conditions[0].expression: " in refused.stderr
    assert "Syntax error" in refused.stderr


def test_a_broken_edit_past_the_webhook_is_told_by_the_status_and_changes_nothing(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    apply_past_the_webhook(control_plane, broken())
    wait_until(lambda: conditions(control_plane)["Accepted"]["status"] == "False", seconds=5, what="it is judged")
    accepted = conditions(control_plane)["Accepted"]
    assert accepted["reason"] == "Invalid"
    assert "spec.templates[0].template: mesh/sidecar:4" in accepted["message"]
    assert conditions(control_plane)["Ready"]["status"] == "False"
    assert images(make(control_plane, shop, pod("after"))) == [APP, "example.org/proxy:1"]
    notes = control_plane.kubectl(
        "get", "events", "-A", "--field-selector=reason=Invalid", "-o", "jsonpath={..message}"
    )
    assert "mesh/sidecar:4" in notes.stdout
    configs(config(version="3"))
    assert images(make(control_plane, shop, pod("mended"))) == [APP, "example.org/proxy:3"]


def apply_past_the_webhook(cluster: Cluster, edited: dict[str, Any]) -> None:
    """Delete the validating webhook and be faster than its repair, sooner or later."""
    with new_client_from_config(str(cluster.kubeconfig)) as connection:
        webhooks = AdmissionregistrationV1Api(connection)
        configs = CustomObjectsApi(connection)
        place = (names.GROUP, names.VERSION, names.PLURAL, edited["metadata"]["name"])

        def attempt() -> bool:
            current = configs.get_cluster_custom_object(*place)
            with contextlib.suppress(ApiException):
                webhooks.delete_validating_webhook_configuration(names.APP)
            try:
                configs.replace_cluster_custom_object(*place, {**current, "spec": edited["spec"]})
            except ApiException:
                return False
            return True

        wait_until(attempt, seconds=60, what="an edit gets past the webhook")


def test_a_broken_edit_while_the_operator_is_away_changes_nothing_after_its_start(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    with operator.stopped():
        control_plane.kubectl("apply", "-f-", input=broken())
    wait_until(lambda: conditions(control_plane)["Accepted"]["status"] == "False", seconds=5, what="it is judged")
    found = make(control_plane, namespace("shop", ENABLED), pod("after"))
    assert images(found) == [APP, "example.org/proxy:1"]


def test_a_config_that_is_deleted_injects_no_more_and_refuses_nothing(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    with making(control_plane, shop) as made:
        wait_until(lambda: len(made.pods) >= 20, seconds=30, what="Pods are there")
        control_plane.kubectl("delete", "sic", "mesh")
        deleted = time.monotonic()
        wait_until(lambda: len(made.after(deleted + 1)) >= 20, seconds=30, what="more Pods are there")
    assert made.refusals == []
    assert {tuple(images(found)) for found in made.after(deleted + 1)} == {(APP,)}


def test_an_earlier_version_is_applied_again_as_the_documentation_says(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config(version="1"))
    configs(config(version="2"))
    by_config = (f"-l{names.CONFIG_LABEL}=mesh", "--sort-by=.revision", "-o=name")
    earlier = control_plane.kubectl("get", "controllerrevisions", "-n", names.APP, *by_config).stdout.split()[0]
    found = control_plane.kubectl("get", earlier, "-n", names.APP, "-o", "jsonpath={.data}").stdout
    changes = control_plane.kubectl("diff", "-f-", input=found, check=False)
    assert changes.returncode == 1, changes.stderr
    assert '-    version: "2"\n+    version: "1"' in changes.stdout
    control_plane.kubectl("apply", "-f-", input=found)
    control_plane.kubectl("wait", "--for=jsonpath={.status.observedGeneration}=3", "sic/mesh", "--timeout=10s")
    assert images(make(control_plane, namespace("shop", ENABLED), pod("after")))[-1] == "example.org/proxy:1"


def test_nothing_of_a_deleted_config_is_left_behind(control_plane: Cluster, configs: Configs) -> None:
    configs(config())
    kept = ("get", "controllerrevisions", "-n", names.APP, "-l", f"{names.CONFIG_LABEL}=mesh", "-o", "name")
    assert len(control_plane.kubectl(*kept).stdout.split()) == 1
    configs(config(version="2"))
    wait_until(lambda: len(control_plane.kubectl(*kept).stdout.split()) == 2, seconds=5, what="both are kept")
    configs(config(version="3", revisionHistoryLimit=0))
    wait_until(lambda: len(control_plane.kubectl(*kept).stdout.split()) == 1, seconds=5, what="the newest is kept")
    control_plane.kubectl("delete", "sic", "mesh")
    wait_until(lambda: not control_plane.kubectl(*kept).stdout, seconds=20, what="it is collected as garbage")


def test_a_disabled_config_injects_no_more(control_plane: Cluster, configs: Configs, namespace: MakeNamespace) -> None:
    configs(config())
    configs(config(mode="Disabled"))
    assert images(make(control_plane, namespace("shop", ENABLED), pod("after"))) == [APP]


@pytest.mark.parametrize(("policy", "passes"), [("Fail", False), ("Ignore", True)])
def test_a_template_that_fails_on_one_pod_obeys_the_failure_policy(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, policy: str, passes: bool
) -> None:
    fragile = config(failurePolicy=policy)
    quotient = "{{ 1 // (0 if pod.metadata.labels.get('boom') else 1) }}"
    fragile["spec"]["templates"][0]["template"] += f'      args: ["{quotient}"]\n'
    configs(fragile)
    shop = namespace("shop", ENABLED)
    assert images(make(control_plane, shop, pod("good")))[1:] == ["example.org/proxy:1"]
    done = control_plane.kubectl("create", "-n", shop, "-f-", input=pod("bad", labels={"boom": "yes"}), check=False)
    assert (done.returncode == 0) is passes
    assert "mesh/sidecar:8" in done.stderr


def test_kopf_run_does_the_same(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    operator.stop()
    try:
        operator.start(KOPF_RUN)
        configs(config(version="2"))
        assert images(make(control_plane, shop, pod("kopf"))) == [APP, "example.org/proxy:2"]
        assert operator.stop() == 0
    finally:
        operator.stop()
        operator.start()


def test_it_starts_within_seconds(control_plane: Cluster, operator: Operator) -> None:
    operator.stop()
    with measured() as start:
        operator.start()
    assert start.seconds < 10
