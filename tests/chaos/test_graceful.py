"""What belongs to the life of a cluster costs nothing: not one admission fails."""

import time
from collections import Counter
from typing import Any

import pytest

from sidecar_injector import names
from tests.chaos import load, operators, sizes
from tests.chaos.load import Records
from tests.chaos.verdict import Count, counted, verdict
from tests.e2e.installed import InstalledOperator
from tests.figures import Figures
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.node import Node

pytestmark = pytest.mark.e2e

TOO_MANY_REQUESTS = 429
HEAL_SECONDS = 90
LIFETIME, HOURS = "SIDECAR_INJECTOR_CERTIFICATE_LIFETIME_HOURS", 0.01
"""As short as the setting allows: a certificate is replaced after 24 s."""
ETCD_SECONDS = 10
CUTS = 5
SOON_SECONDS = 5


def assert_faultless(
    node: Node, shop: str, records: Records, before: Count, figures: Figures, least: int, **more: object
) -> None:
    """Check that no admission failed, by everybody's count, and report the figures."""
    found = verdict(node, shop, records, before)
    figures(
        admitted=found.admitted,
        failed=dict(found.failed) or 0,
        uninjected=len(found.uninjected),
        slowest_seconds=records.slowest,
        **more,
    )
    assert found.uninjected == ()
    assert found.failed == {}
    assert found.by_metrics == {}
    assert found.admitted >= least


def evict(node: Node, pod: str) -> int:
    """Ask for the eviction of a replica, as `kubectl drain` does, and return how often it was put off."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": operators.NAMESPACE}}
    refusals = 0
    while (answer := node.request("POST", f"{operators.PODS}/{pod}/eviction", body)).status == TOO_MANY_REQUESTS:
        refusals += 1
        time.sleep(0.2)
    assert answer.status == 201, answer.body
    return refusals


def wait_until_gone(node: Node, pods: set[str]) -> None:
    wait_until(
        lambda: not pods & {pod["metadata"]["name"] for pod in node.request("GET", operators.PODS).body["items"]},
        seconds=HEAL_SECONDS,
        what=f"{', '.join(sorted(pods))} are gone",
    )


def test_scaling_out_and_in_and_evicting_each_replica_fails_no_admission(
    node: Node, operator: InstalledOperator, shop: str, figures: Figures
) -> None:
    before, first = counted(node), set(operators.replicas(node))
    with load.clients(node, shop) as records:
        operator.kubectl("scale", f"deployment/{names.APP}", "--replicas=4")
        operator.wait()
        refusals = sum(evict(node, pod) for pod in sorted(first))
        operator.wait()
        second = set(operators.replicas(node))
        operator.kubectl("scale", f"deployment/{names.APP}", "--replicas=2")
        wait_until(lambda: len(operators.replicas(node)) == 2, seconds=HEAL_SECONDS, what="two replicas are left")
        wait_until_gone(node, first | (second - set(operators.replicas(node))))
    assert_faultless(node, shop, records, before, figures, least=500, evictions_put_off=refusals)


def test_certificates_and_cas_are_replaced_and_fail_no_admission(
    node: Node, operator: InstalledOperator, shop: str, figures: Figures
) -> None:
    before = counted(node)
    seen: dict[str, list[Any]] = {}
    issuers: set[str] = set()

    def renewed(pods: set[str]) -> bool:
        for pod in pods:
            presented = operators.certificate(node, pod)
            issuers.add(presented.issuer.rfc4514_string())
            if presented not in seen.setdefault(pod, []):
                seen[pod].append(presented)
        return all(len(seen[pod]) >= 3 for pod in pods)

    with load.clients(node, shop) as records:
        operator.kubectl("set", "env", f"deployment/{names.APP}", f"{LIFETIME}={HOURS}")
        operator.wait()
        pods = operators.ready(node)
        renewed(pods)
        operator.kubectl("annotate", "secret", names.CA_SECRET, f"{names.CA_ROTATE}={time.time_ns()}", "--overwrite")
        wait_until(lambda: renewed(pods), seconds=HEAL_SECONDS, what="each replica has had three certificates")
        wait_until(
            lambda: records.injected >= sizes.ADMISSIONS_ROTATING, seconds=HEAL_SECONDS, what="enough were admitted"
        )
        operator.kubectl("set", "env", f"deployment/{names.APP}", f"{LIFETIME}-")
        operator.wait()
    assert len(issuers) >= 2, "a new CA has issued certificates"
    assert_faultless(
        node,
        shop,
        records,
        before,
        figures,
        least=sizes.ADMISSIONS_ROTATING,
        certificates=sum(map(len, seen.values())),
        cas=len(issuers),
    )


def test_a_storm_of_edits_fails_no_admission(node: Node, shop: str, figures: Figures) -> None:
    before, began = counted(node), time.monotonic()
    with load.clients(node, shop) as records:
        for number in range(sizes.EDITS):
            generation = operators.edit(node, load.config(f"edit {number}"))
        seconds = time.monotonic() - began
        caught_up = operators.seconds_until(
            lambda: set(operators.servers(node).values()) == {generation}, 10, "all replicas serve the last edit"
        )
    assert operators.condition(node, "Programmed") == "True"
    assert_faultless(
        node,
        shop,
        records,
        before,
        figures,
        least=100,
        edits=sizes.EDITS,
        seconds_for_the_edits=seconds,
        seconds_until_the_status_says_that_all_serve_the_last_one=caught_up,
    )


def test_a_restart_of_the_api_server_fails_no_admission(
    node: Node, faults: Faults, shop: str, figures: Figures
) -> None:
    before = counted(node)
    with load.clients(node, shop) as records:
        enough(records, 200)
        faults.restart_api_server(down_seconds=1)
        back = records.injected
        enough(records, back + 500)
        taken_in = edited(node, "after the restart")
    unanswered = len(records.of(load.Outcome.UNANSWERED))
    assert_faultless(
        node, shop, records, before, figures, least=700, unanswered=unanswered, seconds_until_an_edit_is_served=taken_in
    )


def test_a_pause_of_etcd_fails_no_admission(node: Node, faults: Faults, shop: str, figures: Figures) -> None:
    before = counted(node)
    with load.clients(node, shop, dry_run=False, pause=0.1) as records:
        enough(records, 50)
        faults.pause_etcd(ETCD_SECONDS)
        enough(records, records.injected + 100)
        taken_in = edited(node, "after the pause")
    unanswered = Counter(record.detail for record in records.of(load.Outcome.UNANSWERED))
    assert_faultless(
        node,
        shop,
        records,
        before,
        figures,
        least=150,
        unanswered=dict(unanswered) or 0,
        seconds_until_an_edit_is_served=taken_in,
    )


def test_watches_that_are_cut_again_and_again_fail_no_admission(
    node: Node, operator: InstalledOperator, faults: Faults, shop: str, figures: Figures
) -> None:
    before, slowest = counted(node), 0.0
    with load.clients(node, shop) as records:
        for number in range(CUTS):
            for pod in operators.replicas(node):
                faults.cut_connections(names.APP, pod)
            slowest = max(slowest, edited(node, f"after cut {number}"))
    assert_faultless(
        node, shop, records, before, figures, least=100, cuts=CUTS, slowest_edit_after_a_cut_in_seconds=slowest
    )


def enough(records: Records, count: int) -> None:
    wait_until(lambda: records.injected >= count, seconds=HEAL_SECONDS, what=f"{count} Pods are admitted")


def edited(node: Node, greeting: str) -> float:
    """Edit the config and return how many seconds it takes until the status says that every replica serves that."""
    generation = operators.edit(node, load.config(greeting))
    return operators.seconds_until(
        lambda: len(operators.servers(node)) == 2 and set(operators.servers(node).values()) == {generation},
        HEAL_SECONDS,
        f"both replicas serve generation {generation}",
    )
