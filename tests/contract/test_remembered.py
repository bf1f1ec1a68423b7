"""Pods like earlier ones, over HTTPS: same decision, own uid, own volume; and when that is off, or over."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar_injector.names import Metric
from tests.contract.harness import Reply, Service, config, pod, review, service

COPIES_MOUNTS = """\
spec:
  containers:
    - name: proxy
      image: example.org/proxy:{version}
      volumeMounts: {{{{ pod.spec.containers[0].volumeMounts | default([]) }}}}
"""


@pytest.fixture
def running() -> Iterator[Service]:
    with service() as started:
        started.offer(copying(1))
        yield started


def copying(version: int) -> dict[str, Any]:
    return config("copying", version, COPIES_MOUNTS.format(version=version))


def with_volume(name: str) -> dict[str, Any]:
    found = pod()
    found["spec"]["volumes"] = [{"name": name, "emptyDir": {}}]
    found["spec"]["containers"][0]["volumeMounts"] = [{"name": name, "mountPath": "/token"}]
    return found


def added(reply: Reply) -> Any:
    """Return the container that a patch adds."""
    return next(step["value"] for step in reply.patch if step["path"].startswith("/spec/containers"))


def hits(running: Service) -> float:
    return running.count(Metric.REMEMBERED, config="copying", result="Hit")


def test_each_pod_gets_its_own_uid_and_the_name_of_its_own_volume(running: Service) -> None:
    for number, name in enumerate(["kube-api-access-x2b4z", "kube-api-access-bbbbb", "kube-api-access-99999"]):
        reply = running.admit(with_volume(name), "copying", uid=f"u{number}")
        assert reply.response["uid"] == f"u{number}"
        assert added(reply)["volumeMounts"] == [{"name": name, "mountPath": "/token"}]
    assert hits(running) == 2
    assert running.admissions("Patched", "Injected", "copying") == 3


def test_a_new_version_of_the_config_is_not_taken_for_the_old_one(running: Service) -> None:
    running.admit(with_volume("kube-api-access-x2b4z"), "copying")
    running.offer(copying(2))
    reply = running.admit(with_volume("kube-api-access-x2b4z"), "copying")
    assert added(reply)["image"] == "example.org/proxy:2"
    assert hits(running) == 0


def test_labels_of_the_namespace_count(running: Service) -> None:
    def seen(team: str, version: str) -> Any:
        metadata = {"name": "shop", "uid": "1", "resourceVersion": version, "labels": {"team": team}}
        running.facts.namespace_seen({"metadata": metadata})
        return running.admit().patch

    assert "red" in json.dumps(seen("red", "1"))
    assert "blue" in json.dumps(seen("blue", "2"))


def test_a_failure_is_not_remembered(running: Service) -> None:
    boom = pod(annotations={"boom": "yes"})
    assert [running.admit(boom).status for _ in range(2)] == [500, 500]
    assert running.count(Metric.REMEMBERED, config="mesh", result="Hit") == 0


def test_a_message_names_the_volume_as_the_pod_does(running: Service) -> None:
    found = with_volume("kube-api-access-x2b4z")
    del found["spec"]["volumes"]
    reply = running.admit(found, "copying")
    assert reply.status == 500
    assert "volume 'kube-api-access-x2b4z' is neither" in reply.text


def test_with_no_room_every_pod_is_decided_anew() -> None:
    with service(remembered_mib=0.0) as forgetful:
        answers = {json.dumps(forgetful.admit().patch) for _ in range(2)}
        assert len(answers) == 1
        assert forgetful.count(Metric.REMEMBERED, config="mesh", result="Hit") == 0
        assert forgetful.admissions("Patched", "Injected") == 2


def test_a_review_as_the_api_server_writes_it_and_one_with_blanks_are_the_same_question(running: Service) -> None:
    asked = review(with_volume("kube-api-access-x2b4z"))
    for body in (json.dumps(asked), json.dumps(asked, separators=(",", ":")), json.dumps(asked, indent=1)):
        assert running.post("/inject/copying", body.encode()).status == 200
    assert hits(running) == 2
