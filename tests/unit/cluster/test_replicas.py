"""Reports of replicas as Leases, and as a watch tells them."""

import datetime
import time
from typing import Any

import pytest

from sidecar_injector.cluster import replicas
from sidecar_injector.cluster.leases import timestamp
from sidecar_injector.cluster.replicas import Replicas, from_lease, lease_name, to_lease
from sidecar_injector.config import Report, Served

SERVED = Served("u", 2, "abc", 3, "2030-01-01T00:00:00Z")
REPORT = Report("pod-a", {"mesh": SERVED}, b"PEM")


def lease(report: Report = REPORT, renewed: str = "1") -> dict[str, Any]:
    made = to_lease("injector", report, renewed)
    return {**made, "metadata": {**made["metadata"], "uid": report.replica}}


def event(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": found}


def test_a_report_comes_back_from_its_lease() -> None:
    assert from_lease(lease()) == REPORT


def test_what_another_version_of_the_operator_says_beside_is_left_out() -> None:
    found = lease()
    annotations = found["metadata"]["annotations"]
    annotations.update({key: text.replace('{"uid"', '{"more":1,"uid"') for key, text in annotations.items()})
    assert from_lease(found) == REPORT


@pytest.mark.parametrize("spoilt", ["", "[]", "{}", "nonsense", '{"mesh":{}}', '{"mesh":7}'])
def test_a_lease_that_cannot_be_read_reports_nothing(spoilt: str) -> None:
    found = lease()
    found["metadata"]["annotations"] = dict.fromkeys(found["metadata"]["annotations"], spoilt)
    assert from_lease(found).configs == {}
    assert from_lease({"metadata": {"name": "x"}}) == Report("x", {})


def test_the_name_of_a_lease_is_one_that_the_api_server_takes() -> None:
    assert lease_name("Some_Host.example") == "sidecar-injector-replica-some-host-example"


def test_only_what_is_new_counts_as_a_change() -> None:
    seen = Replicas()
    assert seen.compare([lease()])
    assert not seen.see(event("MODIFIED", lease(renewed="2")))
    assert seen.see(event("MODIFIED", lease(Report("pod-a", {}), renewed="3")))
    assert not seen.see(event("DELETED", lease(Report("pod-b", {}))))
    assert seen.see(event("DELETED", lease()))
    assert seen.live() == ()


def test_a_replica_that_is_not_listed_any_more_is_gone() -> None:
    seen = Replicas()
    seen.compare([lease(), lease(Report("pod-b", {}))])
    assert seen.compare([lease()])
    assert [report.replica for report in seen.live()] == ["pod-a"]


def test_a_replica_that_falls_silent_is_not_alive_and_later_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    seen = Replicas()
    seen.compare([lease(), lease(Report("pod-b", {}))])
    clock += replicas.VALID_SECONDS - 1
    seen.see(event("MODIFIED", lease(renewed="2")))
    seen.compare([lease(renewed="2"), lease(Report("pod-b", {}))])  # a listing alone is no sign of life
    clock += 2
    assert [report.replica for report in seen.live()] == ["pod-a"]
    assert [report.replica for report in seen.all()] == ["pod-a", "pod-b"]
    clock += replicas.FORGOTTEN_SECONDS
    assert len(seen.forgotten()) == 2


@pytest.mark.parametrize("silent", [replicas.VALID_SECONDS + 1, 10 * replicas.FORGOTTEN_SECONDS])
def test_a_replica_that_was_silent_before_we_looked_is_not_alive_until_it_renews(
    silent: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    now = datetime.datetime.now(datetime.UTC)
    late = datetime.timedelta(seconds=silent)  # or its clock is so late
    seen = Replicas()
    seen.compare([lease(renewed=timestamp(now)), lease(Report("pod-b", {}), timestamp(now - late))])
    assert [report.replica for report in seen.live()] == ["pod-a"]
    assert seen.forgotten() == []
    seen.see(event("MODIFIED", lease(Report("pod-b", {}), timestamp(now - late / 2))))
    assert [report.replica for report in seen.live()] == ["pod-a", "pod-b"]


def test_a_replica_whose_clock_is_early_is_alive_no_longer_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    seen = Replicas()
    seen.compare([lease(renewed=timestamp(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)))])
    clock += replicas.VALID_SECONDS
    assert seen.live() == ()
