"""Two replicas on a real API server: who writes, what the others serve, and what is registered when."""

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from sidecar_injector import names
from sidecar_injector.serving.leadership import DURATION_SECONDS, GIVE_UP_SECONDS, ROUND_SECONDS
from tests.cluster import own_pods
from tests.cluster.conftest import Configs, broken, config
from tests.cluster.operator_process import Operator, measured
from tests.cluster.pods import images, make, making, pod
from tests.cluster.test_operator import apply_past_the_webhook
from tests.cluster.test_operator_repairs import EDITS, MUTATING, entries
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

ENABLED = {"istio-injection": "enabled"}
APP = "example.org/app:1"
TAKEOVER_SECONDS = DURATION_SECONDS + 2 * ROUND_SECONDS + 3
SOON_SECONDS = 5
DRAIN_SECONDS = 2


class Pair:
    """Two replicas, of which one leads."""

    def __init__(self, cluster: ControlPlane, *replicas: Operator) -> None:
        self._cluster = cluster
        self.replicas = {replica.name: replica for replica in replicas}

    @property
    def holder(self) -> str:
        """Name of the replica that holds the Lease; empty if nobody does."""
        found = self._cluster.kubectl("get", "lease", names.LEADER_LEASE, "-n", names.APP, "-o", HOLDER, check=False)
        return found.stdout

    def leader(self) -> Operator:
        holder = wait_until(
            lambda: self.holder in self.replicas and self.holder, seconds=SOON_SECONDS, what="one leads"
        )
        return self.replicas[str(holder)]

    def follower(self) -> Operator:
        leader = self.leader().name
        return next(replica for name, replica in self.replicas.items() if name != leader)

    @contextlib.contextmanager
    def hanging_follower(self) -> Iterator[Operator]:
        """Stop the other replica as a machine does that hangs; the API server calls the leader alone meanwhile."""
        leader, follower = self.leader(), self.follower()
        self.route(leader)
        try:
            follower.stop()  # so that no connection to it is left
            follower.start()
            with hanging(follower):
                yield follower
        finally:
            self.route(*self.replicas.values())

    def route(self, *replicas: Operator) -> None:
        """Send new connections of the API server to these replicas only."""
        self._cluster.route(names.APP, names.APP, 443, *(replica.webhook_port for replica in replicas))


HOLDER = "jsonpath={.spec.holderIdentity}"


@pytest.fixture(scope="module")
def pair(control_plane: ControlPlane, operator: Operator) -> Iterator[Pair]:
    operator.stop()
    both = Pair(control_plane, *(Operator(control_plane, name) for name in ("one", "two")))
    try:
        for replica in both.replicas.values():
            replica.start()
        both.route(*both.replicas.values())
        yield both
    finally:
        for replica in both.replicas.values():
            replica.signal(signal.SIGCONT)
            replica.stop()
        both.route(operator)
        operator.start()


def status(cluster: Cluster, name: str = "mesh") -> dict[str, Any]:
    return cast("dict[str, Any]", cluster.get("sic", name).get("status") or {})


def programmed(cluster: Cluster, name: str = "mesh") -> str:
    conditions = {each["type"]: each for each in status(cluster, name).get("conditions", [])}
    return str(conditions.get("Programmed", {}).get("status"))


def serving(cluster: Cluster, name: str = "mesh") -> dict[str, int]:
    return {server["replica"]: server["generation"] for server in status(cluster, name).get("servers", [])}


@contextlib.contextmanager
def hanging(replica: Operator) -> Iterator[None]:
    replica.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        replica.signal(signal.SIGCONT)


def test_every_replica_is_listed_with_what_it_serves(control_plane: Cluster, pair: Pair, configs: Configs) -> None:
    configs(config())
    generation = control_plane.get("sic", "mesh")["metadata"]["generation"]  # type: ignore[index]
    wait_until(
        lambda: serving(control_plane) == dict.fromkeys(("one", "two"), generation),
        seconds=SOON_SECONDS,
        what="both are listed",
    )
    configs(config(version="2"))
    revision = status(control_plane)["currentRevision"]
    assert {server["revision"] for server in status(control_plane)["servers"]} == {revision}
    assert programmed(control_plane) == "True"


def test_a_new_config_is_registered_only_when_every_replica_serves_it(
    control_plane: Cluster, pair: Pair, configs: Configs
) -> None:
    configs(config("first", container="first"))
    with pair.hanging_follower():
        control_plane.kubectl("apply", "-f-", input=config())
        waiting, registered = wait_until(
            lambda: seen_waiting(control_plane), seconds=SOON_SECONDS, what="the status says it waits"
        )
        assert registered == {"first"}
        assert 0 in [server["generation"] for server in waiting["servers"]]
    wait_until(lambda: programmed(control_plane) == "True", seconds=SOON_SECONDS, what="it is registered")
    assert len(entries(control_plane, MUTATING)) == 2
    control_plane.kubectl("delete", "sic", "mesh")


def seen_waiting(cluster: Cluster) -> tuple[dict[str, Any], set[str]] | None:
    """Return the status of the config if it waits, and whose entries are registered: both as of one moment."""
    both = cluster.get("sic/mesh", f"{MUTATING}/{names.APP}")["items"]
    found, configuration = cast("list[dict[str, Any]]", both)
    conditions = {each["type"]: each["status"] for each in found.get("status", {}).get("conditions", [])}
    entries_of = {entry["name"].partition(".")[0] for entry in configuration.get("webhooks", [])}
    return (found["status"], entries_of) if conditions.get("Programmed") == "False" else None


def test_an_edit_of_whom_a_config_selects_waits_for_every_replica(
    control_plane: Cluster, pair: Pair, configs: Configs
) -> None:
    configs(config())
    before = entries(control_plane, MUTATING)
    with pair.hanging_follower():
        control_plane.kubectl("apply", "-f-", input=config(match={"podSelector": {"matchLabels": {"a": "b"}}}))
        wait_until(lambda: programmed(control_plane) == "False", seconds=SOON_SECONDS, what="the status says it waits")
        assert entries(control_plane, MUTATING) == before
    wait_until(lambda: programmed(control_plane) == "True", seconds=SOON_SECONDS, what="it is registered")
    assert entries(control_plane, MUTATING) != before


def test_a_replica_that_hangs_holds_nothing_up_for_long(control_plane: Cluster, pair: Pair, configs: Configs) -> None:
    with pair.hanging_follower():
        control_plane.kubectl("apply", "-f-", input=config())
        wait_until(lambda: len(entries(control_plane, MUTATING)) == 1, seconds=10, what="it is registered all the same")
        wait_until(
            lambda: list(serving(control_plane)) == [pair.leader().name],
            seconds=15,
            what="the silent one is not listed",
        )
        assert programmed(control_plane) == "True"
    configs(config())
    wait_until(lambda: len(serving(control_plane)) == 2, seconds=SOON_SECONDS, what="it is back")


def test_when_the_leader_stops_another_one_writes_at_once(control_plane: Cluster, pair: Pair, configs: Configs) -> None:
    configs(config())
    leader, follower = pair.leader(), pair.follower()
    with measured() as takeover, leader.stopped():
        wait_until(lambda: pair.holder == follower.name, seconds=SOON_SECONDS, what="the other one leads")
        configs(config(version="2"))
        assert list(serving(control_plane)) == [follower.name]
    assert takeover.seconds < DURATION_SECONDS


def test_when_the_leader_is_killed_another_one_writes_within_the_term(
    control_plane: Cluster, pair: Pair, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    leader, follower = pair.leader(), pair.follower()
    pair.route(follower)
    leader.kill()
    control_plane.kubectl("apply", "-f-", input=config(version="2"))
    shop = namespace("shop", ENABLED)
    wait_until(
        lambda: images(make(control_plane, shop, pod(f"p-{time.monotonic_ns()}")))[-1].endswith(":2"),
        seconds=SOON_SECONDS,
        what="the edit is served, whoever leads",
    )
    wait_until(lambda: pair.holder == follower.name, seconds=TAKEOVER_SECONDS, what="the other one leads")
    wait_until(lambda: programmed(control_plane) == "True", seconds=SOON_SECONDS, what="it writes")
    leader.start()
    pair.route(*pair.replicas.values())
    wait_until(lambda: len(serving(control_plane)) == 2, seconds=SOON_SECONDS, what="both are listed")
    assert pair.holder == follower.name


def test_a_leader_that_hung_writes_no_more_when_it_wakes_up(
    control_plane: Cluster, pair: Pair, configs: Configs
) -> None:
    configs(config())
    sleeper, other = pair.leader(), pair.follower()
    pair.route(other)
    with hanging(sleeper):
        wait_until(lambda: pair.holder == other.name, seconds=TAKEOVER_SECONDS, what="the other one leads")
        EDITS["an entry added"](control_plane, MUTATING)
        wait_until(lambda: len(entries(control_plane, MUTATING)) == 1, seconds=SOON_SECONDS, what="it repairs")
    pair.route(*pair.replicas.values())
    wait_until(lambda: "writes to the cluster no more" in sleeper.log(), seconds=SOON_SECONDS, what="it noticed")
    before = repairs(sleeper)
    for _ in range(3):
        EDITS["an entry added"](control_plane, MUTATING)
        wait_until(lambda: len(entries(control_plane, MUTATING)) == 1, seconds=SOON_SECONDS, what="it is repaired")
    assert repairs(sleeper) == before
    assert repairs(other) >= 4


def repairs(replica: Operator) -> int:
    lines = replica.metrics().splitlines()
    found = [line for line in lines if line.startswith(names.Metric.WEBHOOK_REPAIRS) and 'cause="Repair"' in line]
    return sum(int(float(line.rpartition(" ")[2])) for line in found)


def test_a_leader_that_cannot_renew_gives_up_before_another_one_may_take_the_lease() -> None:
    assert GIVE_UP_SECONDS + ROUND_SECONDS < DURATION_SECONDS


def test_a_replica_that_is_replaced_gracefully_costs_no_admission(
    control_plane: Cluster, pair: Pair, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    for replica in pair.replicas.values():
        replica.stop()
        replica.start(drain_seconds=DRAIN_SECONDS)
    with making(control_plane, shop) as made:
        for name, replica in pair.replicas.items():
            enough = len(made.pods) + 20
            wait_until(lambda: len(made.pods) > enough, seconds=20, what="Pods are there")  # noqa: B023
            replica.terminate()
            # As kube-proxy does: no new connection to one that is not ready. Those that there are go on.
            pair.route(*(other for other in pair.replicas.values() if other.name != name))
            assert replica.stop() == 0
            replica.start(drain_seconds=DRAIN_SECONDS)
            pair.route(*pair.replicas.values())
    assert made.refusals == []
    assert {tuple(images(found)) for _, found in made.pods} == {(APP, "example.org/proxy:1")}


def test_a_replica_that_starts_over_a_broken_edit_serves_the_last_good_version(
    control_plane: Cluster, pair: Pair, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config(version="1"))
    configs(config(version="2"))
    leader, follower = pair.leader(), pair.follower()
    with follower.stopped():
        apply_past_the_webhook(control_plane, broken())
    wait_until(lambda: accepted(control_plane) == "False", seconds=SOON_SECONDS, what="it is found to be broken")
    assert programmed(control_plane) == "True"
    pair.route(follower)
    with leader.stopped():  # no connection to it is left, by which it could be asked instead
        assert images(make(control_plane, namespace("shop", ENABLED), pod("after")))[-1] == "example.org/proxy:2"
    pair.route(*pair.replicas.values())


def test_a_replica_whose_pod_was_killed_again_and_again_is_replaced_and_not_listed_meanwhile(
    control_plane: Cluster, pair: Pair, configs: Configs
) -> None:
    configs(config())
    wait_until(lambda: len(serving(control_plane)) == 2, seconds=SOON_SECONDS, what="both are listed")
    leader, follower = pair.leader().name, pair.follower().name
    try:
        for name in (leader, follower):
            own_pods.make(control_plane, name)
            own_pods.report(control_plane, name, own_pods.RUNNING)
        before = own_pods.uid(control_plane, follower)
        own_pods.report(control_plane, follower, own_pods.KILLED)
        wait_until(lambda: list(serving(control_plane)) == [leader], seconds=SOON_SECONDS, what="it is not listed")
        own_pods.report(control_plane, follower, own_pods.RUNNING, own_pods.KILLED)
        wait_until(lambda: len(serving(control_plane)) == 2, seconds=SOON_SECONDS, what="it is listed again")
        assert own_pods.uid(control_plane, follower) == before
        own_pods.report(control_plane, follower, own_pods.WAITING, own_pods.KILLED)
        wait_until(lambda: not own_pods.uid(control_plane, follower), seconds=SOON_SECONDS, what="it is replaced")
        about = ("-n", names.APP, f"--field-selector=regarding.name={follower},reason={names.POD_REPLACED}")
        wait_until(
            lambda: control_plane.get("events.events.k8s.io", *about)["items"],
            seconds=SOON_SECONDS,
            what="an Event says so",
        )
        assert own_pods.uid(control_plane, leader)
    finally:
        own_pods.remove(control_plane, leader, follower)


def accepted(cluster: Cluster) -> str:
    conditions = {each["type"]: each["status"] for each in status(cluster).get("conditions", [])}
    return str(conditions.get("Accepted"))
