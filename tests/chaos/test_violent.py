"""What cannot be prepared for may fail admissions for a moment, but lets no Pod in without its sidecar, and heals."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from sidecar_injector import names
from tests.chaos import load, operators, pressure, sizes
from tests.chaos.load import Plan, Records
from tests.chaos.verdict import Count, Verdict, pods, verdict, wait_until_complete
from tests.e2e.installed import SELECTOR, InstalledOperator
from tests.figures import Figures
from tests.kubernetes.cluster import ClusterError, wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.node import Node

pytestmark = pytest.mark.e2e

COMPLETE_SECONDS = 30
"""After the last harm, all Pods of all workloads are there."""
LONGEST_SECONDS = 150
HEAL_SECONDS = 60
WINDOW_SECONDS = 10.0
"""How long admissions may fail after one replica of two was killed; about two seconds is what it takes."""
CLIENTS_PAUSE_SECONDS = 0.3
LITTLE_MEMORY = 1 << 20
GREEDY = "held = [bytearray(1 << 20) for _ in range(512)]"
KILLS_AGAIN = 8
BETWEEN_KILLS_SECONDS = 4
STARVED_CORES = 0.05
STARVED_SECONDS = 10


@contextmanager
def clients_creating(node: Node, shop: str, planned: Plan) -> Iterator[Records]:
    """Let clients create their part of the Pods while something is done in the block; wait until they have."""
    each = -(-planned.by_clients // sizes.CLIENTS)
    with load.clients(node, shop, dry_run=False, pods_each=each, pause=CLIENTS_PAUSE_SECONDS) as records:
        yield records


def create(node: Node, shop: str, objects: list[dict[str, Any]]) -> None:
    node.kubectl("create", "-n", shop, "-f-", input=objects)


def assert_healed(
    node: Node, shop: str, planned: Plan, records: Records, harmed: float, figures: Figures, **more: object
) -> Verdict:
    """Check that every Pod of every workload is there with its sidecar, soon after the last harm was done."""
    wait_until_complete(node, shop, planned, LONGEST_SECONDS)
    complete = time.monotonic() - harmed
    found = verdict(node, shop, records, Count({}))
    figures(
        pods=len(pods(node, shop)),
        uninjected=len(found.uninjected),
        failed=dict(found.failed) or 0,
        seconds_until_complete=complete,
        **more,
    )
    assert found.uninjected == ()
    assert len(pods(node, shop)) >= planned.by_controllers + planned.by_clients
    assert complete < COMPLETE_SECONDS
    return found


def test_after_a_replica_was_killed_admissions_fail_for_a_moment_only(
    node: Node, operator: InstalledOperator, faults: Faults, shop: str, figures: Figures
) -> None:
    pod = sorted(operators.replicas(node))[0]
    address = operators.replicas(node)[pod]["status"]["podIP"]
    with load.clients(node, shop) as records:
        wait_until(lambda: records.injected > 200, seconds=HEAL_SECONDS, what="there is traffic")
        faults.kill(names.APP, pod)
        killed = time.monotonic()
        wait_until(lambda: address not in operators.addresses(node), seconds=10, what="calls do not go to it any more")
        removed = time.monotonic() - killed
        wait_until(lambda: operators.is_back(node, pod, 0), seconds=HEAL_SECONDS, what="it is ready again")
        back = time.monotonic() - killed
        more = records.injected + 200
        wait_until(lambda: records.injected > more, seconds=HEAL_SECONDS, what="Pods are admitted as before")
    found = verdict(node, shop, records, Count({}))
    window = records.failing(since=killed)
    figures(
        admitted=found.admitted,
        failed=dict(found.failed) or 0,
        seconds_until_its_endpoint_was_gone=removed,
        seconds_until_the_last_failure=window,
        seconds_until_it_was_ready_again=back,
    )
    assert found.uninjected == ()
    assert window < WINDOW_SECONDS


def test_after_replicas_were_killed_one_after_another_all_pods_are_there_and_injected(
    node: Node, operator: InstalledOperator, faults: Faults, shop: str, figures: Figures
) -> None:
    planned = load.plan(sizes.PODS)
    harmed: list[float] = []
    replicas = sorted(operators.replicas(node))
    with clients_creating(node, shop, planned) as records:
        for number, pod in enumerate(replicas):
            create(node, shop, planned.objects[number :: len(replicas)])
            faults.kill(names.APP, pod)
            harmed.append(time.monotonic())
            wait_until(lambda: operators.is_back(node, pod, 0), seconds=HEAL_SECONDS, what=f"{pod} is back")  # noqa: B023
    assert_healed(node, shop, planned, records, harmed[-1], figures, kills=len(harmed))


def test_after_replicas_were_killed_again_and_again_all_pods_are_there_and_injected(
    node: Node, operator: InstalledOperator, faults: Faults, shop: str, figures: Figures
) -> None:
    planned, last, kills = load.plan(sizes.PODS // 2), "", 0
    with clients_creating(node, shop, planned) as records:
        create(node, shop, planned.objects)
        for _ in range(KILLS_AGAIN):
            for pod in sorted(operators.replicas(node).keys() - {last}):
                with suppress(ClusterError, OSError):  # it may be waiting to be started again
                    faults.kill(names.APP, pod)
                    last, kills = pod, kills + 1
                    break
            harmed = time.monotonic()
            time.sleep(BETWEEN_KILLS_SECONDS)  # what is tested is kills in quick succession
    assert_healed(node, shop, planned, records, harmed, figures, kills=kills)


def test_when_all_replicas_are_lost_at_once_workloads_wait_and_are_completed(
    node: Node, operator: InstalledOperator, shop: str, figures: Figures
) -> None:
    planned = load.plan(sizes.PODS // 4)
    with clients_creating(node, shop, planned) as records:
        operator.kubectl("delete", "pods", "-l", SELECTOR, "--grace-period=0", "--force")
        harmed = time.monotonic()
        create(node, shop, planned.objects)
    found = assert_healed(node, shop, planned, records, harmed, figures)
    assert found.failed, "there was a time without a replica"
    assert found.by_metrics, "and the API server has counted that"


def test_a_replica_that_runs_out_of_memory_lets_no_pod_in_without_its_sidecar(
    node: Node, operator: InstalledOperator, faults: Faults, shop: str, figures: Figures
) -> None:
    pod = sorted(operators.replicas(node))[0]
    with load.clients(node, shop) as records:
        pressure.limit_memory(faults.main_process(names.APP, pod), LITTLE_MEMORY)
        began = time.monotonic()
        operator.kubectl("exec", pod, "--", "python3", "-c", GREEDY, check=False)
        wait_until(lambda: operators.is_back(node, pod, 0), seconds=HEAL_SECONDS, what="it is ready again")
        back = time.monotonic() - began
    (container,) = operators.replicas(node)[pod]["status"]["containerStatuses"]
    assert container["lastState"]["terminated"]["reason"] == "OOMKilled"
    found = verdict(node, shop, records, Count({}))
    figures(admitted=found.admitted, failed=dict(found.failed) or 0, seconds_until_it_was_ready_again=back)
    assert found.uninjected == ()


def test_replicas_that_hardly_get_a_processor_are_slow_and_let_no_pod_in_without_its_sidecar(
    node: Node, operator: InstalledOperator, faults: Faults, shop: str, figures: Figures
) -> None:
    replicas = operators.replicas(node)
    with load.clients(node, shop) as records:
        with ExitStack() as starving:
            for pod in replicas:
                starving.enter_context(pressure.starved(faults.main_process(names.APP, pod), STARVED_CORES))
            time.sleep(STARVED_SECONDS)
            meanwhile, slowest, failed = records.injected, records.slowest, len(records.of(load.Outcome.FAILED))
        more = records.injected + 300
        wait_until(lambda: records.injected > more, seconds=HEAL_SECONDS, what="Pods are admitted as before")
    found = verdict(node, shop, records, Count({}))
    figures(
        admitted_meanwhile=meanwhile, failed_meanwhile=failed, slowest_seconds=slowest, failed=dict(found.failed) or 0
    )
    assert found.uninjected == ()
    assert operators.ready(node) == set(replicas)
    assert [operators.restarts(each) for each in operators.replicas(node).values()] == [0, 0], "both outlived it"
