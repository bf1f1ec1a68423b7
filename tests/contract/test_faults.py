"""Whatever goes wrong inside, the config's failurePolicy decides; nothing is denied that it would let pass."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sidecar_injector.serving import admission, server
from sidecar_injector.serving.server import AdmissionServer
from tests.contract.harness import Service, config, review, service


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with service() as running:
        running.offer(config("lenient", failurePolicy="Ignore"), config("strict"))
        yield running


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("forced")


async def broken_later(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("forced")


async def silent(*_: Any, **__: Any) -> Any:
    return {"response": {"allowed": False}}


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Fail the first time, and do as usual from then on."""
    failing = [True]

    def called(*args: Any, **keywords: Any) -> Any:
        return broken() if failing and failing.pop() else function(*args, **keywords)

    return called


Breaking = Callable[[pytest.MonkeyPatch, Service], None]

STAGES: dict[str, Breaking] = {
    "what is answered at once": lambda patch, _: patch.setattr(admission, "at_once", broken),
    "the whole of it": lambda patch, _: patch.setattr(admission, "inject", broken),
    "the profile": lambda patch, _: patch.setattr(admission, "profile_for", broken),
    "the injection": lambda patch, _: patch.setattr(admission, "admit", broken),
    "the response": lambda patch, _: patch.setattr(admission, "respond", broken),
    "its JSON": lambda patch, _: patch.setattr(server, "_response", once(server._response)),
}
KOPF: dict[str, Breaking] = {
    "preparing the review for Kopf": lambda patch, _: patch.setattr(server, "for_kopf", broken),
    "Kopf": lambda patch, running: patch.setattr(running.server, "_kopf", broken_later),
    "Kopf calls no handler": lambda patch, running: patch.setattr(running.server, "_kopf", silent),
}
"""Reviews of Pods do not come there."""


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_under_ignore_a_defect_lets_the_pod_pass_with_a_warning_and_is_counted(
    shared: Service, stage: Breaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shared.admissions("Unchanged", "InternalError", "lenient")
    stage(monkeypatch, shared)
    reply = shared.admit(config="lenient")
    assert (reply.status, reply.response["allowed"], reply.reason) == (200, True, "InternalError")
    assert reply.response["uid"] == "705ab4f5"
    assert "patch" not in reply.response
    assert "did not inject this Pod" in reply.response["warnings"][0]
    assert shared.admissions("Unchanged", "InternalError", "lenient") == before + 1


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_under_fail_a_defect_is_an_http_error_with_its_reason(
    shared: Service, stage: Breaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shared.admissions("Failed", "InternalError", "strict")
    stage(monkeypatch, shared)
    reply = shared.admit(config="strict")
    assert reply.status == 500
    assert "InternalError: SidecarInjectorConfig strict" in reply.text
    assert shared.admissions("Failed", "InternalError", "strict") == before + 1


@pytest.mark.parametrize("name", ["lenient", "strict"])
def test_a_defect_before_the_review_is_known_is_an_http_error_upon_which_the_api_server_decides(
    shared: Service, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shared.admissions("Failed", "InternalError", "")
    monkeypatch.setattr(server, "parse_review", broken)
    reply = shared.admit(config=name)
    assert (reply.status, reply.text) == (500, "internal error: ZeroDivisionError: forced")
    assert shared.admissions("Failed", "InternalError", "") == before + 1


def test_a_defect_in_the_accounts_costs_nobody_an_answer(shared: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AdmissionServer, "_account", broken)
    assert shared.admit(config="strict").reason == "Injected"


@pytest.mark.parametrize("stage", KOPF.values(), ids=KOPF)
def test_pods_are_injected_whatever_becomes_of_kopf(
    shared: Service, stage: Breaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(monkeypatch, shared)
    assert shared.admit(config="strict").reason == "Injected"


@pytest.mark.parametrize("stage", ["what is answered at once", "its JSON"])
def test_a_defect_while_a_config_is_judged_denies_it_for_no_made_up_reason(
    shared: Service, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    STAGES[stage](monkeypatch, shared)
    reply = shared.validate(config("new"))
    assert (reply.status, reply.text) == (500, "internal error: ZeroDivisionError: forced")


@pytest.mark.parametrize("stage", ["preparing the review for Kopf", "Kopf"])
def test_a_config_is_judged_though_kopf_cannot(shared: Service, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    KOPF[stage](monkeypatch, shared)
    assert shared.validate(config("new")).response["allowed"] is True
    refused = shared.validate(config("bad", template="{{ "))
    assert refused.response["allowed"] is False


def test_where_kopf_calls_no_handler_a_config_is_not_waved_through(
    shared: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    KOPF["Kopf calls no handler"](monkeypatch, shared)
    reply = shared.validate(config("new"))
    assert reply.status == 500
    assert "the handler left no answer" in reply.text


def test_a_config_is_judged_while_kopf_does_not_know_the_resource(shared: Service) -> None:
    shared.forget_resources()
    try:
        assert shared.validate(config("new")).response["allowed"] is True
        assert "spec.templates[0]" in shared.validate(config("new", template="{{")).response["status"]["message"]
    finally:
        shared.know_resources()


def test_overload_is_no_denial_and_names_itself(shared: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.server, "_in_flight", shared.settings.max_in_flight)
    for name in ("lenient", "strict"):
        reply = shared.post(f"/inject/{name}", review())
        assert (reply.status, reply.text) == (503, "256 requests are in flight (--max-in-flight)\n")
        assert reply.headers["Retry-After"] == "1"
