"""Snapshot: what is served while configs are edited, broken, repaired and deleted."""

from typing import Any

import pytest

from sidecar_injector.config import CompiledConfig, Snapshot, compile_config, parse_config
from sidecar_injector.errors import Problem
from tests.unit.config.resources import edited

PROBLEM = Problem("spec.mode", "is wrong")


def version(generation: int, uid: str = "u1", **fields: Any) -> CompiledConfig:
    changes = {f"spec__{name}": value for name, value in fields.items()}
    return compile_config(parse_config(edited(metadata__generation=generation, metadata__uid=uid, **changes)))


def test_nothing_is_served_at_first() -> None:
    assert Snapshot().compiled("proxy") is None
    assert not Snapshot().knows("proxy")


def test_an_accepted_config_is_served() -> None:
    first = version(1)
    snapshot = Snapshot().with_accepted(first)
    assert snapshot.compiled("proxy") is first
    assert snapshot.knows("proxy")
    assert snapshot.entries["proxy"].problems == ()


def test_an_edit_leaves_the_snapshot_that_requests_in_flight_use_alone() -> None:
    first, second = version(1), version(2, order=7)
    before = Snapshot().with_accepted(first)
    after = before.with_accepted(second)
    assert before.compiled("proxy") is first
    assert after.compiled("proxy") is second


def test_the_entries_cannot_be_changed_in_place() -> None:
    with pytest.raises(TypeError):
        Snapshot().with_accepted(version(1)).entries["other"] = None  # type: ignore[index]


def test_a_broken_edit_keeps_the_last_good_config() -> None:
    first = version(1)
    snapshot = Snapshot().with_accepted(first).with_rejected("proxy", 2, [PROBLEM], "u1")
    assert snapshot.compiled("proxy") is first
    assert snapshot.entries["proxy"].problems == (PROBLEM,)
    assert snapshot.entries["proxy"].generation == 2


def test_a_second_broken_edit_keeps_it_too() -> None:
    first = version(1)
    snapshot = Snapshot().with_accepted(first)
    for generation in (2, 3):
        snapshot = snapshot.with_rejected("proxy", generation, [PROBLEM], "u1")
    assert snapshot.compiled("proxy") is first


def test_a_repaired_config_is_served_without_problems() -> None:
    third = version(3)
    snapshot = Snapshot().with_accepted(version(1)).with_rejected("proxy", 2, [PROBLEM], "u1").with_accepted(third)
    assert snapshot.compiled("proxy") is third
    assert snapshot.entries["proxy"].problems == ()


def test_a_config_that_was_never_accepted_is_known_but_not_served() -> None:
    snapshot = Snapshot().with_rejected("proxy", 1, [PROBLEM])
    assert snapshot.compiled("proxy") is None
    assert snapshot.knows("proxy")


def test_an_older_version_that_arrives_late_changes_nothing() -> None:
    snapshot = Snapshot().with_accepted(version(5))
    assert snapshot.with_accepted(version(4)) is snapshot
    assert snapshot.with_rejected("proxy", 4, [PROBLEM], "u1") is snapshot


def test_a_config_made_anew_counts_its_generations_from_one() -> None:
    anew = version(1, uid="u2")
    assert Snapshot().with_accepted(version(5)).with_accepted(anew).compiled("proxy") is anew


def test_the_same_version_may_be_accepted_again() -> None:
    again = version(1)
    assert Snapshot().with_accepted(version(1)).with_accepted(again).compiled("proxy") is again


def test_a_deleted_config_is_not_served_but_still_known() -> None:
    snapshot = Snapshot().with_accepted(version(1)).without("proxy")
    assert snapshot.compiled("proxy") is None
    assert "proxy" not in snapshot.entries
    assert snapshot.knows("proxy")


def test_deleting_what_was_never_there_changes_nothing() -> None:
    assert not Snapshot().without("proxy").knows("proxy")


def test_a_config_that_comes_back_is_served() -> None:
    again = version(1, uid="u2")
    assert Snapshot().with_accepted(version(1)).without("proxy").with_accepted(again).compiled("proxy") is again


def test_configs_deleted_before_the_start_are_known_by_name() -> None:
    snapshot = Snapshot().with_accepted(version(1)).with_deleted(["gone", "proxy"])
    assert snapshot.knows("gone")
    assert snapshot.compiled("proxy") is not None
    assert snapshot.deleted == {"gone"}


def test_an_edit_of_one_config_leaves_the_others_alone() -> None:
    other = compile_config(parse_config(edited(metadata__name="other")))
    snapshot = Snapshot().with_accepted(other).with_accepted(version(1)).with_rejected("proxy", 2, [PROBLEM])
    assert snapshot.without("proxy").compiled("other") is other
