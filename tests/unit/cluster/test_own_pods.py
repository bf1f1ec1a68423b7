"""What the status of a Pod of the operator's own says: running, stopped, or kept waiting by its node."""

from typing import Any

import pytest

from sidecar_injector.cluster.own_pods import has_controller, is_kept_waiting, is_stopped

RUNNING, CREATING = {"running": {}}, {"waiting": {"reason": "ContainerCreating"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}


def ended(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code}}


def pod(state: dict[str, Any], last: dict[str, Any] | None = None, phase: str = "Running") -> dict[str, Any]:
    return {"status": {"phase": phase, "containerStatuses": [{"state": state, "lastState": last or {}}]}}


@pytest.mark.parametrize(
    ("found", "stopped", "waiting"),
    [
        (pod(RUNNING), False, False),
        (pod(RUNNING, ended(137)), False, False),
        (pod(CREATING, phase="Pending"), False, False),
        (pod(ended(137)), True, False),
        (pod(BACK_OFF, ended(137)), True, True),
        (pod(BACK_OFF, ended(1)), True, False),  # it ends by itself: a new one would fare no better
        (pod({"waiting": {"reason": "ImagePullBackOff"}}, ended(137)), True, False),
        (pod(RUNNING, phase="Failed"), True, False),
        ({"status": {"phase": "Pending"}}, False, False),
        ({}, False, False),
    ],
)
def test_a_pod_is_stopped_or_kept_waiting_as_its_status_says(
    found: dict[str, Any], stopped: bool, waiting: bool
) -> None:
    assert (is_stopped(found), is_kept_waiting(found)) == (stopped, waiting)


@pytest.mark.parametrize(
    ("owners", "expected"), [([{"controller": True}], True), ([{"kind": "Node"}], False), (None, False)]
)
def test_only_a_pod_with_a_controller_comes_back(owners: list[dict[str, Any]] | None, expected: bool) -> None:
    assert has_controller({"metadata": {"ownerReferences": owners}}) is expected
