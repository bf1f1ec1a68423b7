"""The status of a config says which replicas serve it, while they come and go."""

from collections.abc import Iterator

import pytest

from sidecar_injector import names
from tests.chaos import load, operators
from tests.e2e.installed import InstalledOperator
from tests.figures import Figures
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.node import Node

pytestmark = pytest.mark.e2e

SOON_SECONDS = 2.0
HEAL_SECONDS = 60
LEADER = f"/apis/coordination.k8s.io/v1/namespaces/{operators.NAMESPACE}/leases/{names.LEADER_LEASE}"


@pytest.fixture(autouse=True)
def generation(node: Node, shop: str) -> int:
    """The generation that is in force at the beginning, when the status lists the two replicas and no other."""
    found = int(operators.status(node)["generation"])
    wait_until(lambda: tells(node, operators.ready(node), found), seconds=HEAL_SECONDS, what="the status has settled")
    return found


@pytest.fixture
def scaled_back(operator: InstalledOperator) -> Iterator[None]:
    yield
    operator.kubectl("scale", f"deployment/{names.APP}", "--replicas=2")


def tells(node: Node, replicas: set[str], generation: int) -> bool:
    """Tell whether the status lists just these replicas, with this generation, and all is well."""
    found = operators.servers(node) == dict.fromkeys(replicas, generation)
    return found and operators.condition(node, "Programmed") == "True"


def test_an_edit_is_reported_by_every_replica(node: Node, figures: Figures) -> None:
    replicas = operators.ready(node)
    generation = operators.edit(node, load.config("to be reported"))
    seconds = operators.seconds_until(
        lambda: tells(node, replicas, generation), HEAL_SECONDS, "every replica is said to serve the edit"
    )
    figures(seconds_until_all_serve_it=seconds)
    assert seconds < SOON_SECONDS


def test_a_replica_that_comes_is_listed_when_it_is_ready_and_one_that_goes_until_it_is_gone(
    node: Node, operator: InstalledOperator, generation: int, scaled_back: None, figures: Figures
) -> None:
    operator.kubectl("scale", f"deployment/{names.APP}", "--replicas=3")
    wait_until(lambda: len(operators.ready(node)) == 3, seconds=HEAL_SECONDS, what="three replicas are ready")
    three = operators.ready(node)
    came = operators.seconds_until(lambda: tells(node, three, generation), HEAL_SECONDS, "three are listed")
    operator.kubectl("scale", f"deployment/{names.APP}", "--replicas=2")
    wait_until(lambda: len(operators.replicas(node)) == 2, seconds=HEAL_SECONDS, what="one is asked to go")
    two = set(operators.replicas(node))
    assert tells(node, three, generation), "it serves while it drains"
    (going,) = three - two
    path = f"{operators.PODS}/{going}"
    wait_until(lambda: node.request("GET", path).status == 404, seconds=HEAL_SECONDS, what="it is gone")
    went = operators.seconds_until(lambda: tells(node, two, generation), HEAL_SECONDS, "two are listed")
    figures(seconds_after_it_was_ready=came, seconds_after_it_was_gone=went)
    assert max(came, went) < SOON_SECONDS


def test_one_that_was_killed_and_restarts_within_its_term_stays_listed_and_goes_on_writing(
    node: Node, operator: InstalledOperator, faults: Faults, generation: int, figures: Figures
) -> None:
    replicas = operators.ready(node)
    killed = node.request("GET", LEADER).body["spec"]["holderIdentity"]
    faults.kill(names.APP, killed)
    back = operators.seconds_until(lambda: operators.is_back(node, killed, 0), HEAL_SECONDS, f"{killed} is back")
    seconds = operators.seconds_until(lambda: tells(node, replicas, generation), HEAL_SECONDS, "both are listed")
    edited = operators.edit(node, load.config(f"after {killed} was killed"))
    caught_up = operators.seconds_until(lambda: tells(node, replicas, edited), HEAL_SECONDS, "both serve an edit")
    figures(
        seconds_until_it_was_ready_again=back,
        seconds_after_that=seconds,
        seconds_until_an_edit_is_reported=caught_up,
    )
    assert max(seconds, caught_up) < SOON_SECONDS, operator.logs()


def test_one_that_was_killed_for_good_is_not_listed_any_more(
    node: Node, operator: InstalledOperator, generation: int, figures: Figures
) -> None:
    before = operators.ready(node)
    leader = node.request("GET", LEADER).body["spec"]["holderIdentity"]
    (lost,) = before - {leader}
    operator.kubectl("delete", "pod", lost, "--grace-period=0", "--force")
    seconds = operators.seconds_until(
        lambda: lost not in operators.servers(node), HEAL_SECONDS, f"{lost} is not listed any more"
    )
    wait_until(lambda: len(operators.ready(node)) == 2, seconds=HEAL_SECONDS, what="it is replaced")
    now = operators.ready(node)
    replaced = operators.seconds_until(lambda: tells(node, now, generation), HEAL_SECONDS, "both are listed")
    figures(seconds_until_it_was_not_listed_any_more=seconds, seconds_after_its_replacement_was_ready=replaced)
    assert max(seconds, replaced) < SOON_SECONDS
