"""`explain` on a real cluster: Pods that run, workloads, whole namespaces, and what only a cluster can have wrong."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sidecar_injector import names
from sidecar_injector.cli import main
from tests.cluster.conftest import Configs, broken, config
from tests.cluster.operator_process import Operator
from tests.cluster.pods import make, pod
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

ENABLED = {"istio-injection": "enabled"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
REVISION = re.compile(r"\brevision [0-9a-f]{10}\b")
SECOND = 1.1
"""The API server notes times in whole seconds."""

Explain = Callable[..., Result]


@pytest.fixture
def explain(control_plane: Cluster) -> Explain:
    def call(*arguments: str | Path, kubeconfig: Path | None = None, stdin: str | None = None) -> Result:
        environment = {"KUBECONFIG": str(kubeconfig or control_plane.kubeconfig)}
        return CliRunner(env=environment).invoke(main, ["explain", *map(str, arguments)], input=stdin)

    return call


def first_line(result: Result, namespace: str) -> str:
    """The first line, without what differs from run to run."""
    line = (result.stdout or result.stderr).partition("\n")[0].replace(namespace, "shop")
    return REVISION.sub("revision …", TIME.sub("…", line))


def deployment(name: str = "web", **metadata: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod("any")["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **metadata},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }


def istio(name: str = "istio", **spec: Any) -> dict[str, Any]:
    template = {"name": "sidecar", "template": 'spec: {sidecars: [{name: istio-proxy, image: "example.org/proxy:1"}]}'}
    made = config(name)
    made["spec"] = {"profile": "Istio", "revision": "default", "templates": [template], **spec}
    return made


def running(cluster: Cluster, namespace: str) -> list[str]:
    found: Any = cluster.get("pods", "-n", namespace)["items"]
    return [each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"]]


def deploy(cluster: Cluster, namespace: str, wanted: dict[str, Any] | None = None) -> list[str]:
    """Create a Deployment and return the names of its Pods."""
    cluster.kubectl("create", "-n", namespace, "-f-", input=wanted or deployment())
    return wait_until(
        lambda: names if len(names := running(cluster, namespace)) == 2 else None, seconds=20, what="there are two Pods"
    )


def test_an_injected_pod_says_by_what_and_shows_what_it_was_before(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    make(control_plane, shop, pod("web"))
    result = explain("pod/web", "-n", shop)
    assert first_line(result, shop) == "Pod shop/web is injected by mesh (revision …, its current one): container proxy"
    assert result.exit_code == 0
    data = json.loads(explain("web", "-n", shop, "-o", "json").stdout)
    (found,) = data["configs"]
    assert [each["name"] for each in found["containers"]["before"]] == ["app"]
    assert [each["name"] for each in found["containers"]["after"]] == ["app", "proxy"]
    assert [entry["selects"] for entry in found["entries"]] == [True]
    assert data["running"] == {"pods": 1, "current": 1, "outdated": [], "missing": [], "leftover": []}


def test_an_edit_leaves_pods_out_of_date(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    some, _ = deploy(control_plane, shop)
    configs(config(version="2"))
    result = explain("pod", some, "-n", shop)
    assert first_line(result, shop) == (
        f"Pod shop/{some} is injected by mesh (revision …), which is out of date: mesh has revision … now. "
        "To bring it up to date: kubectl rollout restart deployment/web -n shop"
    )
    assert result.exit_code == 0
    result = explain("deploy/web", "-n", shop)
    assert first_line(result, shop) == (
        "Pods of Deployment shop/web are injected by mesh (revision …): container proxy. "
        "2 of 2 that run have an earlier revision. To bring them up to date: kubectl rollout restart deployment/web "
        "-n shop"
    )
    assert result.exit_code == 0


def test_pods_that_are_older_than_the_label_have_to_be_restarted(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain
) -> None:
    configs(istio())
    shop = namespace("shop")
    time.sleep(SECOND)
    some, other = sorted(deploy(control_plane, shop))
    before = explain("deploy", "web", "-n", shop)
    assert first_line(before, shop) == (
        "Pods of Deployment shop/web are not injected: namespace shop has no label istio-injection=enabled, nor "
        "istio.io/rev, and the Pod does not ask for injection by a label of its own. To inject them: kubectl label "
        "namespace shop istio-injection=enabled && kubectl rollout restart deployment/web -n shop"
    )
    time.sleep(SECOND)
    control_plane.kubectl("label", "namespace", shop, "istio-injection=enabled")
    result = explain(f"pod/{some}", "-n", shop)
    assert first_line(result, shop) == (
        f"Pod shop/{some} has no sidecar, although config istio would inject it now: it was created at …, before "
        "namespace shop got its label istio-injection (…). To inject it: kubectl rollout restart deployment/web -n shop"
    )
    assert result.exit_code == 1
    result = explain("deployment/web", "-n", shop)
    assert first_line(result, shop).replace(other, some) == (
        "2 of 2 running Pods of Deployment shop/web have no sidecar, although config istio injects new ones: "
        f"{some} was created at …, before namespace shop got its label istio-injection (…). To inject them: kubectl "
        "rollout restart deployment/web -n shop"
    )
    assert result.exit_code == 1
    command = first_line(result, shop).partition("To inject them: ")[2].replace("-n shop", f"-n {shop}")
    control_plane.kubectl(*command.split()[1:])
    wait_until(lambda: explain("deployment/web", "-n", shop).exit_code == 0, seconds=20, what="the remedy has helped")


def test_pods_that_are_older_than_the_config_have_to_be_restarted(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain
) -> None:
    shop = namespace("shop", ENABLED)
    make(control_plane, shop, pod("web"))
    time.sleep(SECOND)
    configs(config())
    assert first_line(explain("web", "-n", shop), shop) == (
        "Pod shop/web has no sidecar, although config mesh would inject it now: it was created at …, before config "
        "mesh was (…). To inject it: delete the Pod, and create it again from its manifest: kubectl replace --force "
        "-f FILE"
    )


def test_a_pod_that_the_config_left_alone_since_its_condition_is_false(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain
) -> None:
    configs(config(match={"conditions": [{"name": "no-batch", "expression": "!has(object.metadata.labels)"}]}))
    shop = namespace("shop", ENABLED)
    time.sleep(SECOND)
    make(control_plane, shop, pod("web", labels={"app": "web"}))
    assert first_line(explain("web", "-n", shop), shop).startswith(
        "Pod shop/web has no sidecar, although config mesh would inject it now: the API server may have found one of "
        "spec.match.conditions of config mesh to be false (no-batch: !has(object.metadata.labels)). To inject it: see "
        "to it that they are true (kubectl edit sic mesh); then: "
    )


def test_what_the_user_put_on_the_deployment_itself_is_found_from_its_pods_too(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain
) -> None:
    configs(istio())
    shop = namespace("shop")
    some, _ = deploy(control_plane, shop, deployment(labels={"sidecar.istio.io/inject": "true"}))
    result = explain(some, "-n", shop)
    assert first_line(result, shop) == (
        f'Pod shop/{some} is not injected: the label sidecar.istio.io/inject: "true" is in metadata.labels of '
        "Deployment web, and only labels of its Pod template count (spec.template.metadata.labels). To inject it: "
        "kubectl patch deployment web -n shop -p "
        """'{"spec":{"template":{"metadata":{"labels":{"sidecar.istio.io/inject":"true"}}}}}'"""
    )
    assert result.exit_code == 1
    patch = result.stdout.partition("-p '")[2].partition("'")[0]
    control_plane.kubectl("patch", "deployment", "web", "-n", shop, "-p", patch)
    wait_until(lambda: explain("deploy/web", "-n", shop).exit_code == 0, seconds=20, what="the remedy has helped")


def test_a_webhook_that_is_gone_or_changed_is_said_so(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, operator: Operator, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    restart = (
        "kubectl rollout restart deployment/sidecar-injector -n sidecar-injector && kubectl rollout status "
        "deployment/sidecar-injector -n sidecar-injector"
    )
    with operator.stopped():
        selector = {"matchLabels": {"istio-injection": "never"}}
        edit = [{"op": "replace", "path": "/webhooks/0/namespaceSelector", "value": selector}]
        control_plane.kubectl(
            "patch", "mutatingwebhookconfiguration", names.APP, "--type=json", f"-p={json.dumps(edit)}"
        )
        changed = explain("-n", shop, "-o", "json")
        control_plane.kubectl("patch", "mutatingwebhookconfiguration", names.APP, "-p", '{"webhooks": null}')
        without = explain("-n", shop)
        control_plane.kubectl("delete", "mutatingwebhookconfiguration", names.APP)
        gone = explain("-f", "-", "-n", shop, stdin=json.dumps(pod("web")))
    data = json.loads(changed.stdout)
    assert data["headline"].replace(shop, "shop") == (
        "Pods in namespace shop that say nothing themselves are not injected: somebody has changed namespaceSelector "
        "of mesh.inject.sidecarinjector.dev in MutatingWebhookConfiguration sidecar-injector, so that the API server "
        f"does not call the injector. To inject them: {restart}"
    )
    assert data["reason"] == "NotRegistered"
    assert data["configs"][0]["entries"][0]["live"] == "changed by somebody: namespaceSelector"
    assert "sidecar-injector has no entry for config mesh, so that" in first_line(without, shop)
    assert first_line(gone, shop) == (
        "Pod shop/web is not injected: there is no MutatingWebhookConfiguration sidecar-injector, so that the API "
        f"server does not call the injector. To inject it: {restart}"
    )
    assert gone.exit_code == 1


def test_pods_that_cannot_be_created_as_the_injector_is_away(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, operator: Operator, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    with operator.stopped():
        control_plane.kubectl("create", "-n", shop, "-f-", input=deployment())
        result = wait_until(
            lambda: found if (found := explain("deploy/web", "-n", shop)).exit_code else None,
            seconds=20,
            what="the Deployment's Pods could not be created",
        )
    line = first_line(result, shop)
    assert line.startswith("Pods of Deployment shop/web cannot be created: the API server said at …: Error creating: ")
    assert 'failed calling webhook "mesh.inject.sidecarinjector.dev"' in line
    assert line.endswith(
        "To fix it: see whether the injector runs: kubectl rollout status deployment/sidecar-injector "
        "-n sidecar-injector"
    )


def test_an_edit_that_is_refused_is_not_in_force(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, operator: Operator, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    control_plane.kubectl("create", "-n", shop, "-f-", input=pod("web"))
    refused = (
        "Pod shop/web is injected by mesh (revision …, its current one): container proxy. But the latest edit of "
        "config mesh is not accepted, and not in force: spec.templates[0].template: mesh/sidecar:4:35: "
        "`values.version` is undefined (did you mean `versoin`?). To fix it: kubectl edit sic mesh"
    )
    with operator.stopped():
        control_plane.kubectl("apply", "-f-", input=broken())
        assert first_line(explain("web", "-n", shop), shop) == refused
    wait_until(lambda: _generation(control_plane) == 2, seconds=20, what="the edit was looked at")
    assert first_line(explain("web", "-n", shop), shop) == refused


def test_a_config_that_was_never_accepted_injects_nothing(
    control_plane: Cluster, namespace: MakeNamespace, operator: Operator, explain: Explain
) -> None:
    shop = namespace("shop", ENABLED)
    with operator.stopped():
        control_plane.kubectl("apply", "-f-", input=broken("odd"))
    wait_until(lambda: _generation(control_plane, "odd") == 1, seconds=20, what="the config was looked at")
    result = explain("-n", shop)
    control_plane.kubectl("delete", "sic", "odd")
    assert first_line(result, shop) == (
        "Pods in namespace shop that say nothing themselves are not injected: config odd is not accepted: "
        "spec.templates[0].template: odd/sidecar:4:35: `values.version` is undefined (did you mean `versoin`?). "
        "To inject them: kubectl edit sic odd"
    )


def _generation(cluster: Cluster, name: str = "mesh") -> int | None:
    status: Any = cluster.get("sic", name).get("status", {})
    return status.get("observedGeneration")


def test_an_edit_that_nobody_has_looked_at_is_said_so(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, operator: Operator, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    with operator.stopped():
        control_plane.kubectl("apply", "-f-", input=config(version="2"))
        assert first_line(explain("-n", shop), shop) == (
            "Pods in namespace shop that say nothing themselves are injected by mesh (revision …): container proxy. "
            "But the latest edit of config mesh may not be in force: the operator has not looked at generation 2 of "
            "config mesh yet; does it run?"
        )


def test_a_namespace_is_a_table_of_its_workloads(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    deploy(control_plane, shop)
    out = {"sidecarinjector.dev/inject": "false"}
    make(control_plane, shop, pod("alone", labels=out))
    template = {"spec": {**pod("any")["spec"], "restartPolicy": "Never"}}
    spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template}}}
    nightly = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": spec}
    control_plane.kubectl("create", "-n", shop, "-f-", input=nightly)
    result = explain("-n", shop)
    assert result.exit_code == 0
    assert first_line(result, shop) == (
        "Pods in namespace shop that say nothing themselves are injected by mesh (revision …): container proxy. "
        "Workloads not injected: 1 of 3 (pod/alone)"
    )
    assert [" ".join(line.split()) for line in result.stdout.splitlines()[2:6]] == [
        "WORKLOAD INJECTED PODS WHY",
        "Deployment/web yes 2/2 by mesh",
        "CronJob/nightly yes - by mesh",
        'Pod/alone no 1/1 the Pod opts out: it has the label sidecarinjector.dev/inject: "false"',
    ]
    data = json.loads(explain(f"ns/{shop}", "-o", "json").stdout)
    assert [each["verdict"] for each in data["workloads"]] == ["Injected", "Injected", "NotInjected"]


def test_files_are_explained_by_what_the_cluster_has(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop")
    stdin = json.dumps(deployment())
    assert "kubectl label namespace shop istio-injection=enabled" in first_line(
        explain("-f", "-", "-n", shop, stdin=stdin), shop
    )
    assumed = explain("-f", "-", "-n", shop, "--namespace-labels", "istio-injection=enabled", stdin=stdin)
    assert assumed.exit_code == 0
    absent = explain("-f", "-", "-n", "nowhere", stdin=stdin)
    assert absent.stdout.startswith(
        "Pods of Deployment nowhere/web are not injected: namespace nowhere does not exist. To inject them: "
        "kubectl create namespace nowhere && kubectl label namespace nowhere istio-injection=enabled\n"
    )
    assert absent.exit_code == 1


def test_another_config_can_be_tried_on_what_is_there(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, explain: Explain, tmp_path: Path
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    make(control_plane, shop, pod("web"))
    file = tmp_path / "new.yaml"
    file.write_text(json.dumps(config("other", container="new")))
    result = explain("web", "-n", shop, "--config", file)
    assert first_line(result, shop) == "Pod shop/web would be injected by other (revision …): container new"
    result = explain("-n", shop, "--config", file)
    assert first_line(result, shop) == (
        "Pods in namespace shop that say nothing themselves would be injected by other (revision …): container new. "
        "Workloads not injected: none of 1"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deploy/wbe", "-n", "SHOP"], "Error: Deployment shop/wbe does not exist; did you mean web?"),
        (["sts/web", "-n", "SHOP"], "Error: StatefulSet shop/web does not exist; there is none"),
        (["pod/web", "-n", "SHOP-x"], "Error: namespace shop-x does not exist; did you mean shop?"),
        (["-n", "SHOP-x"], "Error: namespace shop-x does not exist; did you mean shop?"),
        (["-n", "SHOP", "--context", "nowhere"], "Error: no usable credentials for the API server: "),
        (["-n", "SHOP", "--kubeconfig", "/none"], "Error: no usable credentials for the API server: "),
    ],
)
def test_what_cannot_be_read_is_named(
    control_plane: Cluster,
    operator: Operator,
    namespace: MakeNamespace,
    explain: Explain,
    arguments: list[str],
    message: str,
) -> None:
    shop = namespace("shop")
    control_plane.kubectl(
        "create", "-n", shop, "-f-", input={**deployment(), "spec": {**deployment()["spec"], "replicas": 0}}
    )
    result = explain(*(argument.replace("SHOP", shop) for argument in arguments))
    assert result.exit_code == 2
    assert result.stderr.replace(shop, "shop").startswith(message)


RIGHTS = [
    {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["get", "list"]},
    {"apiGroups": [names.GROUP], "resources": [names.PLURAL], "verbs": ["get", "list"]},
]


def test_with_few_rights_it_says_what_could_not_be_read(
    control_plane: Cluster, configs: Configs, controllers: Cluster, namespace: MakeNamespace, explain: Explain
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    make(control_plane, shop, pod("web"))
    user = control_plane.kubeconfig_for_service_account(shop, "default")
    refused = explain("web", "-n", shop, kubeconfig=user)
    assert (refused.exit_code, "is forbidden" in refused.stderr) == (2, True)
    rules = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": shop}}
    control_plane.kubectl("create", "-f-", input={**rules, "rules": RIGHTS})
    control_plane.kubectl(
        "create", "clusterrolebinding", shop, f"--clusterrole={shop}", f"--serviceaccount={shop}:default"
    )
    try:
        result = wait_until(
            lambda: found if (found := explain("web", kubeconfig=user)).exit_code != 2 else None,
            seconds=10,
            what="the rights are in force",
        )
    finally:
        control_plane.kubectl("delete", "clusterrole,clusterrolebinding", shop)
    assert first_line(result, shop) == "Pod shop/web is injected by mesh (revision …, its current one): container proxy"
    notes = [line for line in result.stdout.splitlines() if line.startswith("Note: ")]
    assert [note.partition(":")[2].partition(":")[0] for note in notes] == [
        " nodes are not known",
        " the webhook is not known",
    ]
