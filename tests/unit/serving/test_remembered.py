"""Decisions that are given again: to whom, for how long, and how many."""

import os
from dataclasses import replace

import pytest

from sidecar_injector.config import Snapshot
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.review import parse_review
from sidecar_injector.names import Metric
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.serving.exchange import Answer, Exchange
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.remembered import Remembered
from tests.contract.harness import config, pod, review

SNAPSHOT = Snapshot().with_accepted(accept(config()))
FACTS = ClusterFacts(version="v1.36.0", namespaces={"shop": NamespaceFacts("shop", {"team": "a"})})
ASKED = Exchange(parse_review(review()), SNAPSHOT, "mesh", {"cluster": "one"}, FACTS)
ANSWER = Answer(b'{"allowed":true}', "Injected", "words", patch=b"[{}]")
ROOM = 1 << 20


def remembering(*asked: Exchange, room: int = ROOM) -> Remembered:
    """Return a memory in which the answer to each of these questions is kept."""
    memory = Remembered(room, Metrics())
    for each in asked:
        memory.keep(key(memory, each), each, ANSWER)
    return memory


def key(memory: Remembered, asked: Exchange) -> tuple[int, bytes]:
    found = memory.key(asked)
    assert found is not None
    return found


def recalled(memory: Remembered, asked: Exchange) -> Answer | None:
    return memory.recall(key(memory, asked), asked)


def about(found: dict[str, object], **changes: object) -> Exchange:
    return replace(ASKED, request=replace(ASKED.request, pod=found, **changes))


def test_the_same_question_by_another_review_has_the_same_answer() -> None:
    asked = replace(ASKED, request=parse_review(review(uid="2", dryRun=True, userInfo={"username": "x"})))
    assert recalled(remembering(ASKED), asked) == ANSWER


OTHERS = {
    "another Pod": about(pod(labels={"app": "x"})),
    "a Pod in another order": about(dict(reversed(pod().items()))),
    "another Namespace": about(pod(), namespace="bank"),
    "other parameters": replace(ASKED, parameters={"cluster": "two"}),
    "another version of the config": replace(ASKED, snapshot=SNAPSHOT.with_accepted(accept(config(generation=2)))),
    "the same config compiled again": replace(ASKED, snapshot=Snapshot().with_accepted(accept(config()))),
    "another version of Kubernetes": replace(ASKED, facts=replace(FACTS, version="v1.37.0")),
    "an older node": replace(ASKED, facts=replace(FACTS, oldest_kubelet=(1, 28))),
    "its own node": replace(ASKED, facts=replace(FACTS, kubelets={"n1": (1, 28)})),
    "other labels of the Namespace": replace(
        ASKED, facts=replace(FACTS, namespaces={"shop": NamespaceFacts("shop", {"team": "b"})})
    ),
}


@pytest.mark.parametrize("asked", OTHERS.values(), ids=OTHERS)
def test_another_question_is_not_answered_from_memory(asked: Exchange) -> None:
    assert recalled(remembering(ASKED), asked) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [(True, 1), (1, 1.0), (0, False), ("1", 1), (None, ""), ([], {}), ("", []), ([None], [[]]), ({"a": None}, {})],
)
def test_values_of_different_types_are_different_questions(one: object, other: object) -> None:
    memory = remembering(about({"spec": one}))
    assert recalled(memory, about({"spec": other})) is None
    assert recalled(memory, about({"spec": one}))


def test_equal_pods_are_one_question_however_they_came_about() -> None:
    shared = "x" * 3
    one = {"a": [shared, shared], "b": shared}
    other = {"a": ["x" + "xx", "xx" + "x"], "b": "".join(["x", "x", "x"])}
    assert recalled(remembering(about(one)), about(other))


def test_what_went_wrong_is_not_remembered() -> None:
    memory = remembering()
    memory.keep(key(memory, ASKED), ASKED, replace(ANSWER, failed=True))
    assert len(memory) == 0


def test_nothing_is_asked_of_a_memory_without_room_nor_about_a_config_that_is_not_served() -> None:
    assert Remembered(0, Metrics()).key(ASKED) is None
    assert Remembered(ROOM, Metrics()).key(replace(ASKED, config="gone")) is None


def test_room_is_bounded_and_what_was_not_asked_for_longest_goes_first() -> None:
    pods = [about(pod(labels={"app": str(number)})) for number in range(4)]
    size = remembering(pods[0]).held
    memory = remembering(*pods[:3], room=3 * size)
    assert recalled(memory, pods[0])
    memory.keep(key(memory, pods[3]), pods[3], ANSWER)
    assert [recalled(memory, each) is not None for each in pods] == [True, False, True, True]
    assert memory.held == 3 * size


def test_what_was_of_use_is_not_driven_out_by_pods_of_which_there_is_one_each() -> None:
    workloads = [about(pod(labels={"app": str(number)})) for number in range(4)]
    size = remembering(workloads[0]).held
    memory = remembering(*workloads, room=8 * size)
    assert all(recalled(memory, each) for each in workloads)
    for number in range(100):
        job = about(pod(labels={"job": str(number)}))
        memory.keep(key(memory, job), job, ANSWER)
    assert all(recalled(memory, each) for each in workloads)
    assert memory.held <= 8 * size


def test_what_was_of_use_goes_when_other_pods_are_of_more() -> None:
    workloads = [about(pod(labels={"app": str(number)})) for number in range(9)]
    size = remembering(workloads[0]).held
    memory = remembering(room=8 * size)
    for each in workloads:
        memory.keep(key(memory, each), each, ANSWER)
        assert recalled(memory, each)
    assert [recalled(memory, each) is not None for each in workloads] == [False] + 8 * [True]


def test_an_answer_that_takes_all_the_room_is_not_kept() -> None:
    memory = remembering(ASKED)
    other = about(pod(labels={"app": "x"}))
    memory.keep(key(memory, other), other, replace(ANSWER, patch=os.urandom(ROOM)))
    assert len(memory) == 1


def test_an_answer_that_is_given_anew_takes_the_place_of_the_old_one() -> None:
    memory = remembering(ASKED)
    held = memory.held
    changed = replace(ASKED, facts=replace(FACTS, version="v1.37.0"))
    memory.keep(key(memory, changed), changed, ANSWER)
    assert memory.held == held
    assert [recalled(memory, each) is not None for each in (changed, ASKED)] == [True, False]


def test_hits_misses_and_size_are_counted() -> None:
    metrics = Metrics()
    memory = Remembered(ROOM, metrics)
    for _ in range(3):
        if recalled(memory, ASKED) is None:
            memory.keep(key(memory, ASKED), ASKED, ANSWER)
    count = metrics.registry.get_sample_value
    assert count(Metric.REMEMBERED, {"config": "mesh", "result": "Hit"}) == 2
    assert count(Metric.REMEMBERED, {"config": "mesh", "result": "Miss"}) == 1
    assert count(Metric.REMEMBERED_BYTES) == memory.held
