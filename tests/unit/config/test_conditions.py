"""The status of a config, from what is known of it."""

from typing import Any, cast

import pytest

from sidecar_injector.config import CompiledConfig, Entry, Registration, compile_config, parse_config, status_of
from sidecar_injector.config.conditions import MAX_MESSAGE
from sidecar_injector.errors import Problem
from tests.unit.config.resources import edited

NOW, EARLIER = "2030-01-01T00:00:00Z", "2029-12-31T00:00:00Z"
DONE, PENDING, FAILED = Registration(True), Registration(False), Registration(False, "403: forbidden")
PROBLEMS = (Problem("spec.mode", "is 'Off'"), Problem("spec.order", "is -1"))


def version(generation: int, mode: str = "Enforce") -> CompiledConfig:
    return compile_config(parse_config(edited(metadata__generation=generation, spec__mode=mode)))


GOOD = Entry("proxy", 2, "u", version(2))
BROKEN_EDIT = Entry("proxy", 3, "u", version(2), PROBLEMS)
NEVER_GOOD = Entry("proxy", 1, "u", None, PROBLEMS)
DISABLED = Entry("proxy", 2, "u", version(2, "Disabled"))


def conditions(status: dict[str, object]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in cast("list[dict[str, Any]]", status["conditions"])}


@pytest.mark.parametrize(
    ("entry", "registration", "expected"),
    [
        (GOOD, DONE, ["True Accepted", "True Programmed", "True InForce"]),
        (GOOD, PENDING, ["True Accepted", "False Pending", "False NotInForce"]),
        (GOOD, FAILED, ["True Accepted", "False WebhookFailed", "False NotInForce"]),
        (BROKEN_EDIT, DONE, ["False Invalid", "True Programmed", "False NotAccepted"]),
        (NEVER_GOOD, DONE, ["False Invalid", "False NotAccepted", "False NotAccepted"]),
        (DISABLED, DONE, ["True Accepted", "True Disabled", "True Disabled"]),
        (DISABLED, PENDING, ["True Accepted", "False Pending", "False NotInForce"]),
    ],
)
def test_conditions_say_what_is_the_case(entry: Entry, registration: Registration, expected: list[str]) -> None:
    found = conditions(status_of(entry, registration, None, NOW))
    assert [f"{found[t]['status']} {found[t]['reason']}" for t in ("Accepted", "Programmed", "Ready")] == expected


def test_the_status_is_about_the_latest_generation() -> None:
    status = status_of(BROKEN_EDIT, DONE, None, NOW)
    assert status["observedGeneration"] == 3
    assert {condition["observedGeneration"] for condition in conditions(status).values()} == {3}


def test_the_current_revision_is_the_one_that_is_served() -> None:
    assert status_of(BROKEN_EDIT, DONE, None, NOW)["currentRevision"] == version(2).digest
    assert "currentRevision" not in status_of(NEVER_GOOD, DONE, None, NOW)


def test_a_refused_edit_is_explained_problem_by_problem() -> None:
    found = conditions(status_of(BROKEN_EDIT, DONE, None, NOW))
    assert found["Accepted"]["message"] == "spec.mode: is 'Off'\nspec.order: is -1"
    assert found["Ready"]["message"] == (
        f"generation 3 is not accepted; generation 2 (revision {version(2).digest}) goes on serving"
    )


def test_a_failed_registration_is_explained() -> None:
    assert conditions(status_of(GOOD, FAILED, None, NOW))["Programmed"]["message"] == "403: forbidden"


def test_long_explanations_are_cut() -> None:
    entry = Entry("proxy", 1, "", None, (Problem("spec", "x" * 2 * MAX_MESSAGE),))
    message = conditions(status_of(entry, DONE, None, NOW))["Accepted"]["message"]
    assert len(message) == MAX_MESSAGE
    assert message.endswith("…")


def test_a_condition_keeps_its_time_while_its_status_is_the_same() -> None:
    old = status_of(GOOD, PENDING, None, EARLIER)
    found = conditions(status_of(GOOD, DONE, old, NOW))
    assert found["Accepted"]["lastTransitionTime"] == EARLIER
    assert found["Programmed"]["lastTransitionTime"] == NOW
    assert found["Ready"]["lastTransitionTime"] == NOW


def test_a_new_reason_alone_is_no_transition() -> None:
    old = status_of(GOOD, PENDING, None, EARLIER)
    programmed = conditions(status_of(GOOD, FAILED, old, NOW))["Programmed"]
    assert (programmed["reason"], programmed["lastTransitionTime"]) == ("WebhookFailed", EARLIER)


def test_the_status_does_not_change_when_nothing_has() -> None:
    old = status_of(BROKEN_EDIT, DONE, None, EARLIER)
    assert status_of(BROKEN_EDIT, DONE, old, NOW) == old


@pytest.mark.parametrize("old", [{}, {"conditions": None}, {"conditions": "x"}, {"conditions": [1, {"type": "Ready"}]}])
def test_a_damaged_old_status_is_no_obstacle(old: dict[str, object]) -> None:
    assert conditions(status_of(GOOD, DONE, old, NOW))["Ready"]["lastTransitionTime"] == NOW
