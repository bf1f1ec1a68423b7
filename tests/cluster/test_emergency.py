"""The emergency page works: each of its commands is run as it stands there, in the situation that it is meant for."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar_injector import names
from tests.cluster.conftest import Configs, config
from tests.cluster.operator_process import ROOT, Operator
from tests.cluster.pods import images, pod
from tests.cluster.test_operator import workload
from tests.cluster.test_operator_repairs import MUTATING, VALIDATING, entries
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

PAGE = (ROOT / "docs" / "how-to" / "emergency.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
APP, SIDECAR = "example.org/app:1", "example.org/proxy:1"
OPERATORS_PODS = ("pods", "-n", names.APP, "-l", f"app.kubernetes.io/name={names.APP}")
CRD = f"{names.PLURAL}.{names.GROUP}"
EVERYWHERE = {"matchExpressions": [{"key": names.NAMESPACE_NAME, "operator": "Exists"}]}

ONE_WORKLOAD = "One workload"
ONE_NAMESPACE = "One namespace"
ONE_CONFIG = "One config"
UNANSWERED = "Everything, while the operator does not answer"
FOR_GOOD = "Everything, and it shall stay so"
ON_AGAIN = "Switch on again"
UNINSTALL = "Uninstall"


def blocks(section: str) -> list[str]:
    """The commands of a section, a text for each block."""
    return re.findall(r"^```sh\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)


def follow(cluster: Cluster, commands: str, shop: str = "shop") -> str:
    """Run commands of the page in a shell, in the checkout, on a namespace of ours; return what they print."""
    shell = ["sh", "-e", "-c", re.sub(r"\bshop\b", shop, commands)]
    done = subprocess.run(shell, cwd=ROOT, env=cluster.environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """A control plane of our own, instead of the one of all: these tests take the operator away."""
    with ControlPlane() as cluster:
        yield cluster


@pytest.fixture
def shop(configs: Configs, namespace: MakeNamespace) -> str:
    """A namespace that opts in to a config `mesh` that fails closed."""
    configs(config())
    return namespace("shop", {"istio-injection": "enabled"})


def attempt(cluster: Cluster, namespace: str, **metadata: Any) -> subprocess.CompletedProcess[str]:
    """Try to create a Pod; nothing is stored."""
    command = ("create", "-n", namespace, "--dry-run=server", "-o", "json", "-f-")
    return cluster.kubectl(*command, input=pod("attempt", **metadata), check=False)


def refused(cluster: Cluster, namespace: str, **metadata: Any) -> bool:
    done = attempt(cluster, namespace, **metadata)
    assert done.returncode == 0 or "failed calling webhook" in done.stderr, done.stderr
    return done.returncode != 0


def made(cluster: Cluster, namespace: str, **metadata: Any) -> list[str]:
    """The images of a Pod that is created now; none if it is refused."""
    done = attempt(cluster, namespace, **metadata)
    return images(json.loads(done.stdout)) if done.returncode == 0 else []


def eventually(cluster: Cluster, namespace: str, wanted: list[str]) -> None:
    """API servers hear of a changed webhook configuration or namespace a moment later."""
    wait_until(lambda: made(cluster, namespace) == wanted, seconds=15, what=f"a Pod has {wanted}")


def deploy(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("create", "-n", namespace, "-f-", input=workload("Deployment"))


def deployed(cluster: Cluster, namespace: str) -> list[list[str]]:
    """The images of each Pod of the Deployment `web` that is to stay."""
    found: Any = cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]
    return [images(each) for each in found if "deletionTimestamp" not in each["metadata"]]


def policies(cluster: Cluster) -> set[str]:
    return {entry["failurePolicy"] for entry in entries(cluster, MUTATING)}


def operators_pods(cluster: Cluster) -> set[str]:
    found: Any = cluster.get(*OPERATORS_PODS)["items"]
    return {each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"]}


def both_ways(operator: Operator, answers: bool) -> contextlib.AbstractContextManager[None]:
    """A situation in which the operator answers, or one in which it is gone without a word to its webhook."""
    return contextlib.nullcontext() if answers else operator.stopped()


ANSWERS = pytest.mark.parametrize("answers", [True, False], ids=["operator answers", "operator is gone"])


@ANSWERS
def test_one_workload_can_be_opted_out(control_plane: Cluster, operator: Operator, shop: str, answers: bool) -> None:
    (label,) = blocks(ONE_WORKLOAD)
    with both_ways(operator, answers):
        deploy(control_plane, shop)
        follow(control_plane, label, shop)
        wait_until(lambda: deployed(control_plane, shop) == [[APP]], seconds=30, what="its Pod has no sidecar")


@ANSWERS
def test_one_namespace_can_be_taken_out(control_plane: Cluster, operator: Operator, shop: str, answers: bool) -> None:
    (label,) = blocks(ONE_NAMESPACE)
    with both_ways(operator, answers):
        assert refused(control_plane, shop) is not answers
        follow(control_plane, label, shop)
        eventually(control_plane, shop, [APP])


def test_one_config_can_be_switched_off_while_the_operator_answers(control_plane: Cluster, shop: str) -> None:
    disable, _ = blocks(ONE_CONFIG)
    eventually(control_plane, shop, [APP, SIDECAR])
    follow(control_plane, disable)
    eventually(control_plane, shop, [APP])
    assert entries(control_plane, MUTATING) == []


def test_one_config_can_be_made_to_fail_open_while_the_operator_answers(
    control_plane: Cluster, operator: Operator, shop: str
) -> None:
    _, ignore = blocks(ONE_CONFIG)
    follow(control_plane, ignore)
    wait_until(lambda: policies(control_plane) == {"Ignore"}, seconds=10, what="its entry is changed")
    assert made(control_plane, shop) == [APP, SIDECAR]
    with operator.stopped():
        eventually(control_plane, shop, [APP])


def test_switching_a_config_off_has_to_wait_for_the_operator(
    control_plane: Cluster, operator: Operator, shop: str
) -> None:
    disable, _ = blocks(ONE_CONFIG)
    with operator.stopped():
        follow(control_plane, disable)
        assert refused(control_plane, shop)
    eventually(control_plane, shop, [APP])


def test_a_foreign_edit_does_not_last_while_the_operator_answers(control_plane: Cluster, shop: str) -> None:
    _, ignore, delete = blocks(UNANSWERED)
    before = entries(control_plane, MUTATING)
    for edit in (ignore, delete):
        follow(control_plane, edit)
        wait_until(lambda: entries(control_plane, MUTATING) == before, seconds=15, what="it is undone")


def test_while_it_does_not_answer_all_entries_can_be_made_to_fail_open(
    control_plane: Cluster, operator: Operator, configs: Configs, shop: str
) -> None:
    configs(config("other", container="other"))
    _, ignore, _ = blocks(UNANSWERED)
    with operator.stopped():
        assert refused(control_plane, shop)
        assert len(entries(control_plane, MUTATING)) == 2
        follow(control_plane, ignore)
        assert policies(control_plane) == {"Ignore"}
        eventually(control_plane, shop, [APP])
    wait_until(lambda: policies(control_plane) == {"Fail"}, seconds=20, what="it undoes the edit")


def test_while_it_does_not_answer_its_webhook_can_be_removed(
    control_plane: Cluster, operator: Operator, shop: str
) -> None:
    _, _, delete = blocks(UNANSWERED)
    with operator.stopped():
        assert refused(control_plane, shop)
        follow(control_plane, delete)
        eventually(control_plane, shop, [APP])
    eventually(control_plane, shop, [APP, SIDECAR])


def test_the_commands_that_look_for_the_reason_of_an_outage_run(control_plane: Cluster, operator: Operator) -> None:
    look, *_ = blocks(UNANSWERED)
    describe, logs = look.splitlines()
    wait_until(lambda: len(operators_pods(control_plane)) > 0, seconds=20, what="the Deployment has Pods")
    assert re.search(rf"^Name: +{names.APP}-", follow(control_plane, describe))
    assert logs == f"kubectl logs deployment/{names.APP} -n {names.APP}"  # needs a kubelet, which is not there


def test_it_can_be_stopped_for_good_and_started_again(control_plane: Cluster, operator: Operator, shop: str) -> None:
    scale, *rest = (line for block in blocks(FOR_GOOD) for line in block.splitlines())
    on, restart = blocks(ON_AGAIN)
    follow(control_plane, scale)
    with operator.stopped():  # the Pods that are scaled down have no process here
        for line in rest:
            follow(control_plane, line)
        eventually(control_plane, shop, [APP])
        deploy(control_plane, shop)
        wait_until(lambda: deployed(control_plane, shop) == [[APP]], seconds=30, what="its Pod has no sidecar")
        follow(control_plane, on)
        wait_until(lambda: len(operators_pods(control_plane)) == 2, seconds=20, what="the Deployment has its Pods")
    eventually(control_plane, shop, [APP, SIDECAR])
    follow(control_plane, restart, shop)
    wait_until(lambda: deployed(control_plane, shop) == [[APP, SIDECAR]], seconds=30, what="the Pod has its sidecar")


@pytest.mark.parametrize("profile", ["Generic", "Istio"])
def test_the_operators_namespace_and_the_systems_are_not_even_sent_whatever_a_config_selects(
    control_plane: Cluster, operator: Operator, configs: Configs, profile: str
) -> None:
    configs(config(profile=profile, match={"namespaceSelector": EVERYWHERE}))
    asking = {"labels": {"sidecar.istio.io/inject": "true", names.INJECT: "true"}}
    excluded = (names.APP, *(name for name in names.SYSTEM_NAMESPACES if name != "local-path-storage"))
    control_plane.kubectl("label", "namespace", *excluded, "istio-injection=enabled", "istio.io/rev=mesh")
    try:
        with operator.stopped():
            assert refused(control_plane, "default", **asking)
            answers = {name: attempt(control_plane, name, **asking) for name in excluded}
    finally:
        control_plane.kubectl("label", "namespace", *excluded, "istio-injection-", "istio.io/rev-")
    assert {name for name, answer in answers.items() if "webhook" in answer.stderr} == set()
    assert {name for name, answer in answers.items() if answer.returncode} <= {names.APP}, "but for Pod Security"


def test_after_the_loss_of_every_operator_pod_the_cluster_heals_by_itself(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config(match={"namespaceSelector": EVERYWHERE}))
    wait_until(lambda: len(operators_pods(control_plane)) == 2, seconds=20, what="the Deployment has its Pods")
    lost = operators_pods(control_plane)
    shop = namespace("shop")
    with operator.stopped():
        control_plane.kubectl("delete", *OPERATORS_PODS, "--wait=false")
        deploy(control_plane, shop)
        wait_until(lambda: len(operators_pods(control_plane) - lost) == 2, seconds=30, what="there are new Pods")
        assert deployed(control_plane, shop) == []
    what = "the Pod is created that was refused"
    wait_until(lambda: deployed(control_plane, shop) == [[APP, SIDECAR]], seconds=60, what=what)


def test_uninstalling_refuses_nothing_and_leaves_nothing_that_refuses(
    control_plane: Cluster, operator: Operator, namespace: MakeNamespace
) -> None:
    shop = namespace("shop", {"istio-injection": "enabled"})
    control_plane.kubectl("apply", "-f-", input=config())
    eventually(control_plane, shop, [APP, SIDECAR])
    (commands,) = blocks(UNINSTALL)
    first, scale, *rest = commands.splitlines()
    try:
        for line in (first, scale):
            follow(control_plane, line)
            assert not refused(control_plane, shop), line
        operator.stop()  # the Pods that are scaled down have no process here
        for line in rest:
            assert not refused(control_plane, shop), line
            follow(control_plane, line)
        assert made(control_plane, shop) == [APP]
        for kind in (MUTATING, VALIDATING, "customresourcedefinition", "namespace", "clusterrole"):
            assert names.APP not in follow(control_plane, f"kubectl get {kind} -o name")
    finally:
        operator.stop()
        control_plane.kubectl("apply", "-f", str(ROOT / "manifests" / "install.yaml"))
        control_plane.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=20s")


def test_every_command_of_the_page_is_one_that_these_tests_run() -> None:
    (look,) = re.findall(r"^```sh\n(.*?)^```", PAGE.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    assert look == f"kubectl get deployment {names.APP} -n {names.APP}\n"
    sections = (ONE_WORKLOAD, ONE_NAMESPACE, ONE_CONFIG, UNANSWERED, FOR_GOOD, ON_AGAIN, UNINSTALL)
    assert {title for title in SECTIONS if blocks(title)} == set(sections)
