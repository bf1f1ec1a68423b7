"""What replicas report, and what follows from it for a config's status and registration."""

from typing import Any, cast

import pytest

from sidecar_injector.config import (
    CompiledConfig,
    Entry,
    Registration,
    Report,
    Served,
    Snapshot,
    compile_config,
    generations_in_use,
    parse_config,
    served,
    status_of,
    undecided,
)
from sidecar_injector.config.conditions import MAX_SERVERS
from sidecar_injector.config.replicas import behind
from sidecar_injector.errors import Problem
from tests.unit.config.resources import edited

NOW, LATER = "2030-01-01T00:00:00Z", "2030-01-01T00:01:00Z"
PROBLEMS = (Problem("spec.mode", "is 'Off'"),)


def version(generation: int, uid: str = "u") -> CompiledConfig:
    return compile_config(parse_config(edited(metadata__generation=generation, metadata__uid=uid)))


NAME = version(1).name


def report(replica: str, generation: int, judged: int = 0, uid: str = "u") -> Report:
    return Report(replica, {NAME: Served(uid, generation, f"d{generation}", judged or generation, NOW)})


@pytest.mark.parametrize(
    ("reported", "late", "waiting"),
    [
        (report("a", 2), [], []),
        (report("a", 3), [], []),
        (report("a", 1), ["a"], ["a"]),
        (report("a", 1, judged=2), ["a"], []),  # refused there: no use waiting
        (report("a", 2, uid="another"), ["a"], ["a"]),  # of a namesake that was deleted
        (Report("a", {}), ["a"], ["a"]),
    ],
)
def test_a_replica_is_behind_until_it_serves_the_version_and_undecided_until_it_has_judged_it(
    reported: Report, late: list[str], waiting: list[str]
) -> None:
    assert behind(version(2), [reported, report("b", 2)]) == late
    assert undecided(version(2), [reported, report("b", 2)]) == waiting


def test_a_report_says_what_the_snapshot_serves_and_what_it_has_judged() -> None:
    snapshot = Snapshot().with_accepted(version(1)).with_rejected(NAME, 2, PROBLEMS, "u")
    assert served(snapshot, {}, NOW) == {NAME: Served("u", 1, version(1).digest, 2, NOW)}
    assert served(Snapshot().with_rejected(NAME, 1, PROBLEMS, "u"), {}, NOW) == {NAME: Served("u", 0, "", 1, NOW)}


def test_the_time_of_a_report_is_when_that_version_began_to_be_served() -> None:
    snapshot = Snapshot().with_accepted(version(1))
    first = served(snapshot, {}, NOW)
    assert served(snapshot, first, LATER) == first
    assert served(snapshot.with_accepted(version(2)), first, LATER)[NAME].since == LATER


def test_generations_that_some_replica_serves_are_in_use() -> None:
    reports = [report("a", 1), report("b", 2), report("c", 7, uid="another"), Report("d", {})]
    assert generations_in_use(NAME, "u", reports) == {1, 2}


def status(entry: Entry, *reports: Report) -> dict[str, Any]:
    return status_of(entry, Registration(True), None, NOW, reports)


def programmed(found: dict[str, Any]) -> dict[str, Any]:
    conditions = {condition["type"]: condition for condition in cast("list[dict[str, Any]]", found["conditions"])}
    return cast("dict[str, Any]", conditions["Programmed"])


def test_a_config_is_programmed_when_every_replica_serves_it() -> None:
    entry = Entry(NAME, 2, "u", version(2))
    assert programmed(status(entry, report("a", 2), report("b", 2)))["status"] == "True"
    condition = programmed(status(entry, report("a", 2), report("b", 1)))
    assert (condition["status"], condition["reason"]) == ("False", "Pending")
    assert condition["message"] == "generation 2 is not served yet by b"


def test_a_broken_edit_leaves_the_version_before_programmed() -> None:
    entry = Entry(NAME, 3, "u", version(2), PROBLEMS)
    assert programmed(status(entry, report("a", 2, judged=3), report("b", 2, judged=3)))["status"] == "True"


def test_the_servers_are_listed_with_what_they_serve_since_when() -> None:
    found = status(Entry(NAME, 2, "u", version(2)), report("a", 2), Report("b", {}))
    assert found["servers"] == [
        {"replica": "a", "revision": "d2", "generation": 2, "time": NOW},
        {"replica": "b", "revision": "", "generation": 0},
    ]


def test_of_very_many_servers_some_are_listed_and_few_are_named() -> None:
    reports = [report(f"r{i:03}", 1) for i in range(100)]
    found = status(Entry(NAME, 2, "u", version(2)), *reports)
    assert len(found["servers"]) == MAX_SERVERS
    assert programmed(found)["message"].endswith("r000, r001, r002 and 97 more replicas")
