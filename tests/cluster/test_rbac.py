"""The operator's rights: every one is used, none is missing. The API server's audit log is the witness.

Two replicas live through everything that the operator does, on a control plane of their own, so that nothing else is in
the log.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import yaml

from sidecar_injector import names
from sidecar_injector.certificates import new_authority
from tests.cluster import own_pods
from tests.cluster.conftest import broken, config
from tests.cluster.operator_process import ROOT, USER, Operator
from tests.cluster.rights import Comparison, Right, granted, refused, used
from tests.cluster.test_operator import apply_past_the_webhook, conditions
from tests.cluster.test_operator_repairs import ACCIDENTS, EDITS, MUTATING, NOW, VALIDATING, entries, put, secret
from tests.kubernetes.cluster import Cluster, ClusterError, wait_until
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.own_cluster import AuditedRequest

pytestmark = pytest.mark.cluster

RBAC = list(yaml.safe_load_all((ROOT / "manifests" / "base" / "rbac.yaml").read_text()))
ROLES = {document["metadata"]["name"]: document for document in RBAC if document["kind"] in ("Role", "ClusterRole")}
GRANTED = granted(RBAC)
CRD = f"{names.PLURAL}.{names.GROUP}"
REVISIONS = ("get", "controllerrevisions", "-n", names.APP, "-l", f"{names.CONFIG_LABEL}=mesh", "-o", "name")
KEPT = 2
"""Versions of the config that are kept beside the one in force."""
DISCOVERY = ("/api", "/apis", "/version")
"""What everybody who is logged in may read about the API itself."""


@dataclass
class Replicas:
    """Two of them, of which the Service leads to one that is there."""

    cluster: Cluster
    running: dict[str, Operator]

    def start(self, name: str) -> None:
        self.running[name].start(relist_seconds=5)
        self._lead_to(name)

    def stop(self, name: str) -> None:
        self._lead_to(*(self.running.keys() - {name}))
        assert self.running[name].stop() == 0, self.running[name].log()

    def _lead_to(self, name: str) -> None:
        self.cluster.route(names.APP, names.APP, 443, self.running[name].webhook_port)


Step = Callable[[Cluster, Replicas], None]


def make_configs(cluster: Cluster, replicas: Replicas) -> None:
    condition = {"name": "not-a-build", "expression": "!('build-id' in object.metadata.?labels.orValue({}))"}
    apply(cluster, config(), config("other", container="other", match={"conditions": [condition]}))


def edit_more_often_than_history_is_kept(cluster: Cluster, replicas: Replicas) -> None:
    for version in range(2, KEPT + 5):
        apply(cluster, config(version=str(version), revisionHistoryLimit=KEPT))
    wait_until(
        lambda: len(cluster.kubectl(*REVISIONS).stdout.split()) == KEPT + 1, seconds=20, what="the oldest are dropped"
    )


def break_a_config(cluster: Cluster, replicas: Replicas) -> None:
    apply_past_the_webhook(cluster, broken())
    wait_until(lambda: conditions(cluster)["Accepted"]["status"] == "False", seconds=20, what="it is judged")
    apply(cluster, config())


def spoil_the_status(cluster: Cluster, replicas: Replicas) -> None:
    stray = json.dumps({"status": {"currentRevision": "0000000000"}})
    cluster.kubectl("patch", "sic", "mesh", "--subresource=status", "--type=merge", "-p", stray)
    revision = ("get", "sic", "mesh", "-o", "jsonpath={.status.currentRevision}")
    wait_until(lambda: cluster.kubectl(*revision).stdout != "0000000000", seconds=20, what="the status is corrected")


def spoil_the_webhooks(cluster: Cluster, replicas: Replicas) -> None:
    for kind in (MUTATING, VALIDATING):
        for spoil in EDITS.values():
            before = entries(cluster, kind)
            spoil(cluster, kind)
            wait_until(lambda: entries(cluster, kind) == before, seconds=30, what="it is repaired")  # noqa: B023


def spoil_the_secret(cluster: Cluster, replicas: Replicas) -> None:
    for spoil in ACCIDENTS.values():
        before = secret(cluster)["data"]
        spoil(cluster)
        wait_until(lambda: secret(cluster).get("data") == before, seconds=30, what="it is repaired")  # noqa: B023


def let_the_ca_grow_old(cluster: Cluster, replicas: Replicas) -> None:
    old = new_authority(NOW.replace(year=NOW.year - 8))
    put(old)(cluster)
    wait_until(lambda: signing(cluster) not in ("", old.certificate_pem.decode()), seconds=30, what="it is renewed")


def change_leaders(cluster: Cluster, replicas: Replicas) -> None:
    for name in tuple(replicas.running):
        replicas.stop(name)
        apply(cluster, config(version=f"without-{name}"))
        replicas.start(name)


def keep_a_replica_waiting(cluster: Cluster, replicas: Replicas) -> None:
    query = ("get", "lease", names.LEADER_LEASE, "-n", names.APP, "-o", "jsonpath={.spec.holderIdentity}")
    for _ in replicas.running:
        for name in replicas.running:
            own_pods.make(cluster, name)
        leader = cluster.kubectl(*query).stdout
        (other,) = replicas.running.keys() - {leader}
        own_pods.report(cluster, other, own_pods.WAITING, own_pods.KILLED)
        wait_until(lambda: not own_pods.uid(cluster, other), seconds=20, what="its Pod is replaced")  # noqa: B023
        own_pods.remove(cluster, *replicas.running)
        replicas.stop(leader)
        wait_until(lambda: cluster.kubectl(*query).stdout == other, seconds=20, what="the other one leads")  # noqa: B023
        replicas.start(leader)


def install_the_definition_again(cluster: Cluster, replicas: Replicas) -> None:
    cluster.kubectl("delete", "crd", CRD)
    wait_until(lambda: entries(cluster, MUTATING) == [], seconds=30, what="nothing is registered any more")
    cluster.kubectl("apply", "-k", str(ROOT / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=20s")
    apply(cluster, config())


def delete_configs(cluster: Cluster, replicas: Replicas) -> None:
    cluster.kubectl("delete", "sic", "--all")
    wait_until(lambda: entries(cluster, MUTATING) == [], seconds=20, what="nothing is registered any more")


STORY: tuple[Step, ...] = (
    make_configs,
    edit_more_often_than_history_is_kept,
    break_a_config,
    spoil_the_status,
    spoil_the_webhooks,
    spoil_the_secret,
    let_the_ca_grow_old,
    change_leaders,
    keep_a_replica_waiting,
    install_the_definition_again,
    delete_configs,
)


def apply(cluster: Cluster, *wanted: dict[str, Any]) -> None:
    """Apply configs and wait until they are in force; while leaders change, that may take the term of a Lease."""
    cluster.kubectl("apply", "-f-", input=list(wanted))
    for each in wanted:
        cluster.kubectl("wait", "--for=condition=Ready", f"sic/{each['metadata']['name']}", "--timeout=30s")


def signing(cluster: Cluster) -> str:
    """The certificate of the CA, as PEM."""
    return base64.b64decode(secret(cluster).get("data", {}).get("tls.crt", "")).decode()


@pytest.fixture(scope="module")
def alone() -> Iterator[ControlPlane]:
    """A control plane of our own, with the operator's objects and no operator yet."""
    with ControlPlane(audit=True) as cluster:
        cluster.kubectl("apply", "-k", str(ROOT / "manifests" / "default"))
        cluster.kubectl("scale", "deployment", names.APP, "-n", names.APP, "--replicas=0")
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=20s")
        yield cluster


@pytest.fixture(scope="module")
def requests(alone: ControlPlane) -> Counter[AuditedRequest]:
    """What the operator asked of the API server in the course of the story."""
    replicas = Replicas(alone, {name: Operator(alone, name) for name in ("one", "two")})
    try:
        for name in replicas.running:
            replicas.start(name)
        for step in STORY:
            tell(alone, replicas, step)
    finally:
        codes = [each.stop() for each in replicas.running.values()]
    assert codes == [0, 0]
    return audited(alone)


def tell(cluster: ControlPlane, replicas: Replicas, step: Step) -> None:
    """Take a step of the story; where it fails, say what the operator was not allowed to do."""
    try:
        step(cluster, replicas)
    except (AssertionError, ClusterError) as error:
        wants = "\n".join(refused(audited(cluster))) or "nothing was refused"
        raise AssertionError(f"{step.__name__}: {error}\n{wants}") from error


def audited(cluster: ControlPlane) -> Counter[AuditedRequest]:
    return Counter({request: count for request, count in cluster.audited().items() if request.user == USER})


def test_nothing_it_asks_for_is_refused(requests: Counter[AuditedRequest]) -> None:
    assert not refused(requests), "\n".join(refused(requests))


def test_it_uses_every_right_that_it_has_and_has_none_that_could_be_less(requests: Counter[AuditedRequest]) -> None:
    uses = used(requests)
    assert len(uses) >= len(GRANTED)
    problems = Comparison(frozenset(GRANTED), frozenset(uses)).problems()
    assert not problems, "\n".join(problems)


def test_all_else_it_reads_is_what_the_api_is_like(requests: Counter[AuditedRequest]) -> None:
    others = {request.resource for request in requests if request.resource.startswith("/")}
    assert others
    assert {path for path in others if not path.startswith(DISCOVERY)} == set()


def test_every_role_is_bound_to_the_operator_and_to_nobody_else() -> None:
    bindings = [document for document in RBAC if document["kind"].endswith("RoleBinding")]
    subject = {"kind": "ServiceAccount", "name": names.APP, "namespace": names.APP}
    assert {binding["roleRef"]["name"] for binding in bindings} == ROLES.keys()
    assert [binding["subjects"] for binding in bindings] == [[subject]] * len(bindings)


def rights_in(cluster: Cluster, account: str, namespace: str) -> set[Right]:
    """What the API server itself lists as an account's rights in a namespace."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    found = cluster.kubectl("create", "-f-", "-o", "json", "--validate=false", f"--as={account}", input=review).stdout
    rules = json.loads(found)["status"]["resourceRules"]
    return granted([{"kind": "Role", "metadata": {"namespace": namespace}, "rules": rules}])


@pytest.mark.parametrize("namespace", [names.APP, "default", "kube-system", "shop"])
def test_in_each_namespace_it_may_do_what_its_roles_say_and_else_what_everybody_may(
    alone: ControlPlane, namespace: str
) -> None:
    everybody = rights_in(alone, "system:serviceaccount:shop:nobody", namespace)
    own = {replace(right, namespace=namespace) for right in GRANTED if right.namespace in ("", namespace)}
    assert rights_in(alone, USER, namespace) == everybody | own
    assert everybody.isdisjoint(own)


FORBIDDEN = [
    ("get", "secrets", "kube-system"),
    ("list", "secrets", names.APP),
    ("get", "secrets/another", names.APP),
    ("watch", "secrets", ""),
    ("get", "pods", names.APP),
    ("list", "pods", ""),
    ("create", "pods", "shop"),
    ("create", "pods/exec", "shop"),
    ("patch", "deployments.apps", "shop"),
    ("get", "configmaps", names.APP),
    ("create", "serviceaccounts/token", names.APP),
    ("get", "namespaces/shop", ""),
    ("patch", "namespaces/shop", ""),
    ("patch", "nodes", ""),
    ("create", "sidecarinjectorconfigs.sidecarinjector.dev", ""),
    ("update", "sidecarinjectorconfigs.sidecarinjector.dev", ""),
    ("delete", "sidecarinjectorconfigs.sidecarinjector.dev", ""),
    ("create", "mutatingwebhookconfigurations.admissionregistration.k8s.io", ""),
    ("patch", "mutatingwebhookconfigurations.admissionregistration.k8s.io/another", ""),
    ("delete", f"mutatingwebhookconfigurations.admissionregistration.k8s.io/{names.MUTATING_WEBHOOK}", ""),
    ("patch", "customresourcedefinitions.apiextensions.k8s.io", ""),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io", ""),
    ("escalate", "clusterroles.rbac.authorization.k8s.io", ""),
    ("impersonate", "users", ""),
    ("approve", "certificatesigningrequests.certificates.k8s.io", ""),
]


@pytest.mark.parametrize(("verb", "what", "namespace"), FORBIDDEN, ids=lambda value: value or "-")
def test_it_may_not(alone: ControlPlane, verb: str, what: str, namespace: str) -> None:
    place = ("-n", namespace) if namespace else ("--all-namespaces",)
    asked = alone.kubectl("auth", "can-i", verb, what, *place, f"--as={USER}", check=False)
    assert asked.stdout.strip() == "no"


def test_the_question_whether_it_may_is_answered_with_yes_too(alone: ControlPlane) -> None:
    right = next(right for right in GRANTED if right.resource == "nodes")
    assert right == Right("", "nodes", right.verb)
    assert alone.kubectl("auth", "can-i", right.verb, "nodes", "-A", f"--as={USER}").stdout.strip() == "yes"
