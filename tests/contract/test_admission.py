"""What API servers get back: over HTTPS, with Kopf in between."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import jsonpatch
import pytest

from sidecar_injector.errors import Problem
from sidecar_injector.serving import admission
from tests.contract.harness import Service, config, exchange, pod, review, review_of_config, service


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with service() as running:
        running.offer(config("lenient", failurePolicy="Ignore"), config("strict"))
        running.facts.namespace_seen({"metadata": {"name": "shop", "resourceVersion": "1", "labels": {"team": "toys"}}})
        yield running


@pytest.fixture
def fresh() -> Iterator[Service]:
    with service() as running:
        yield running


def test_a_pod_is_injected_by_a_patch(shared: Service) -> None:
    reply = shared.admit()
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.response["uid"] == "705ab4f5"
    assert reply.response["allowed"] is True
    assert reply.response["patchType"] == "JSONPatch"
    injected = jsonpatch.apply_patch(pod(), reply.patch)
    assert [c["name"] for c in injected["spec"]["containers"]] == ["web", "proxy"]
    assert injected["spec"]["containers"][1]["env"] == [{"name": "TEAM", "value": "toys"}]


def test_the_audit_annotations_tell_config_revision_and_reason(shared: Service) -> None:
    compiled = shared.live.snapshot.compiled("mesh")
    assert compiled
    assert shared.admit().response["auditAnnotations"] == {
        "config": "mesh",
        "revision": compiled.digest,
        "reason": "Injected",
    }


def test_a_dry_run_gets_the_same_answer(shared: Service) -> None:
    assert shared.admit(dryRun=True).patch == shared.admit().patch


def test_an_injected_pod_is_left_alone(shared: Service) -> None:
    injected = jsonpatch.apply_patch(pod(), shared.admit().patch)
    reply = shared.admit(injected)
    assert "patch" not in reply.response
    assert reply.reason == "AlreadyInjected"


@pytest.mark.parametrize(
    "request_",
    [
        {"operation": "UPDATE", "oldObject": pod()},
        {"operation": "DELETE", "object": None, "oldObject": pod()},
        {"operation": "CONNECT", "subResource": "exec", "object": {"kind": "PodExecOptions"}},
        {"subResource": "binding", "object": {"kind": "Binding"}},
        {"operation": "UPDATE", "subResource": "ephemeralcontainers", "oldObject": pod()},
        {"operation": "UPDATE", "subResource": "status", "oldObject": pod()},
        {"resource": {"group": "apps", "version": "v1", "resource": "deployments"}},
        {"resource": {"group": "other.example", "version": "v1", "resource": "pods"}},
    ],
    ids=lambda request: f"{request.get('operation', 'CREATE')} {request.get('subResource') or request.get('resource')}",
)
def test_what_is_no_creation_of_a_pod_passes_untouched_and_leaves_nothing_in_memory(
    shared: Service, request_: dict[str, Any]
) -> None:
    found = {**pod(uid="1e0d7cc5"), **(request_.pop("object", None) or {})}
    reply = shared.admit(found, **request_)
    assert reply.response["allowed"] is True
    assert "patch" not in reply.response
    assert reply.reason == "NotAPodCreation"
    assert list(shared.memories.iter_all_memories()) == []


def test_a_config_that_was_deleted_lets_pods_pass(fresh: Service) -> None:
    fresh.live.remove(config(generation=2))
    reply = fresh.admit()
    assert reply.response["allowed"] is True
    assert "patch" not in reply.response
    assert reply.reason == "ConfigDeleted"


def test_a_config_that_was_deleted_before_the_start_lets_pods_pass(fresh: Service) -> None:
    fresh.live.know_deleted(["gone", "mesh"])
    assert fresh.admit(config="gone").reason == "ConfigDeleted"
    assert fresh.admit().reason == "Injected"


def test_a_config_that_was_never_accepted_leaves_the_decision_to_the_api_server(fresh: Service) -> None:
    fresh.offer(config("broken", template="spec: {{ nothing }}"))
    reply = fresh.admit(config="broken")
    assert reply.status == 500
    assert "ConfigNotAccepted: SidecarInjectorConfig broken" in reply.text


def test_a_broken_edit_keeps_the_last_good_config(fresh: Service) -> None:
    before = fresh.admit().patch
    fresh.offer(config(generation=2, template="spec: {{ nothing }}"))
    assert fresh.admit().patch == before


def test_an_edit_is_in_force_with_the_next_request(fresh: Service) -> None:
    fresh.offer(config(generation=2, template="spec: {containers: [{name: other, image: example.org/o:1}]}"))
    assert [c["name"] for c in jsonpatch.apply_patch(pod(), fresh.admit().patch)["spec"]["containers"]] == [
        "web",
        "other",
    ]


@pytest.mark.parametrize("what", ["a template", "our own code"])
def test_under_fail_a_failure_is_an_error_that_names_it(
    shared: Service, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    reply = _failing(shared, monkeypatch, what, "strict")
    assert reply.status == 500
    expected = (
        "RenderError: SidecarInjectorConfig strict: strict/sidecar:7" if what == "a template" else "InternalError"
    )
    assert expected in reply.text


@pytest.mark.parametrize("what", ["a template", "our own code"])
def test_under_ignore_a_failure_lets_the_pod_pass_with_a_warning(
    shared: Service, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    reply = _failing(shared, monkeypatch, what, "lenient")
    reason = "RenderError" if what == "a template" else "InternalError"
    assert reply.response["allowed"] is True
    assert "patch" not in reply.response
    assert reply.reason == reason
    assert reply.response["warnings"][0].startswith(
        f"SidecarInjectorConfig lenient did not inject this Pod: {reason}: "
    )


def _failing(shared: Service, monkeypatch: pytest.MonkeyPatch, what: str, config: str) -> Any:
    if what == "a template":
        return shared.admit(pod(annotations={"boom": "yes"}), config=config)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(admission, "admit", broken)
    return shared.admit(config=config)


def test_a_pod_is_refused_only_on_its_own_account(fresh: Service) -> None:
    fresh.offer(config("picky", conflictPolicy="Reject", failurePolicy="Ignore"))
    taken = pod()
    taken["spec"]["containers"].append({"name": "proxy", "image": "example.org/mine:1"})
    reply = fresh.admit(taken, config="picky")
    assert reply.status == 200
    assert reply.response["allowed"] is False
    assert reply.response["status"]["code"] == 403
    assert "proxy" in reply.response["status"]["message"]
    assert reply.reason == "ConflictRejected"


def test_a_good_config_is_accepted(shared: Service) -> None:
    reply = shared.validate(config("new"))
    assert reply.response["allowed"] is True
    assert "patch" not in reply.response


def test_a_broken_config_is_refused_with_the_line(shared: Service) -> None:
    reply = shared.validate(config("new", template="spec:\n  containers:\n  - image: {{ nothing }}\n"))
    assert reply.response["allowed"] is False
    assert reply.response["status"]["code"] == 422
    assert "spec.templates[0].template: new/sidecar:3" in reply.response["status"]["message"]


def test_a_config_that_the_api_server_objects_to_is_refused(fresh: Service) -> None:
    fresh.problems = (Problem("spec.match.conditions[0].expression", "undeclared reference"),)
    message = fresh.validate(config("new")).response["status"]["message"]
    assert message == "spec.match.conditions[0].expression: undeclared reference"


def test_the_metadata_of_a_broken_config_can_be_edited(shared: Service) -> None:
    broken = config("old", template="spec: {{ nothing }}")
    labelled = {**broken, "metadata": {**broken["metadata"], "labels": {"a": "b"}}}
    assert shared.validate(labelled, operation="UPDATE", oldObject=broken).response["allowed"] is True


def test_an_edit_that_breaks_a_config_is_refused(shared: Service) -> None:
    broken = config("old", template="spec: {{ nothing }}")
    assert shared.validate(broken, operation="UPDATE", oldObject=config("old")).response["allowed"] is False


def test_many_edits_of_one_config_leave_one_memory(fresh: Service) -> None:
    for value in range(5):
        fresh.validate(config("old", values={"n": value}), operation="UPDATE", oldObject=config("old"))
    assert len(list(fresh.memories.iter_all_memories())) == 1


@pytest.mark.parametrize("request_", [{"operation": "DELETE"}, {"subResource": "status", "operation": "UPDATE"}])
def test_other_reviews_of_configs_pass(shared: Service, request_: dict[str, Any]) -> None:
    broken = config("old", template="spec: {{ nothing }}")
    assert shared.validate(broken, oldObject=broken, **request_).response["allowed"] is True


def test_a_pod_sent_to_the_validating_path_passes(shared: Service) -> None:
    assert shared.post("/validate", review()).response["allowed"] is True


def test_a_pod_of_three_mebibytes_is_injected(shared: Service) -> None:
    big = pod(annotations={f"example.org/a{i}": "x" * 3000 for i in range(1000)})
    reply = shared.admit(big)
    assert len(json.dumps(review(big))) > 3_000_000
    assert len(reply.patch) <= 3


def test_a_connection_serves_many_requests(shared: Service) -> None:
    connection = shared.connect()
    for _ in range(3):
        assert exchange(connection, "/inject/mesh", review()).status == 200
        socket = connection.sock
    assert connection.sock is socket
    connection.close()


def test_requests_at_the_same_time_get_their_own_answers(shared: Service) -> None:
    uids: list[str] = []

    def ask(uid: str) -> None:
        reply = shared.admit(pod(labels={"app": uid}), uid=uid)
        uids.append(reply.response["uid"])

    threads = [threading.Thread(target=ask, args=(f"uid-{i}",)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(uids) == sorted(f"uid-{i}" for i in range(20))


def test_admissions_are_counted_by_config_result_and_reason(fresh: Service) -> None:
    fresh.offer(config("lenient", failurePolicy="Ignore"))
    fresh.admit()
    fresh.admit(operation="DELETE")
    fresh.admit(pod(annotations={"boom": "yes"}))
    fresh.admit(pod(annotations={"boom": "yes"}), config="lenient")
    assert fresh.admissions("Patched", "Injected") == 1
    assert fresh.admissions("Unchanged", "NotAPodCreation") == 1
    assert fresh.admissions("Failed", "RenderError") == 1
    assert fresh.admissions("Unchanged", "RenderError", "lenient") == 1
    assert fresh.count("sidecar_injector_admission_duration_seconds_count", config="mesh") == 3


def test_no_metric_names_a_pod(fresh: Service) -> None:
    fresh.admit(pod(name="very-special", labels={"app": "very-special"}))
    assert b"very-special" not in fresh.metrics.text()


def test_the_review_of_a_config_names_it_not_in_metrics(shared: Service) -> None:
    shared.post("/validate", review_of_config(config("very-special")))
    assert b"very-special" not in shared.metrics.text()
