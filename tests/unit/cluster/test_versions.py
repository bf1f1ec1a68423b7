"""Telling new reports from old ones."""

import pytest

from sidecar_injector.cluster.versions import Newest, number


@pytest.mark.parametrize(
    ("version", "value"), [("7", 7), ("", 0), ("abc", 0), ("-1", 0), ("12345678901234", 12345678901234)]
)
def test_a_version_is_a_number_or_counts_as_none(version: str, value: int) -> None:
    assert number(version) == value


def test_an_older_report_is_no_news() -> None:
    newest = Newest()
    assert newest.is_news("a", "5")
    assert not newest.is_news("a", "4")
    assert newest.is_news("a", "6")


def test_the_same_report_again_is_taken() -> None:
    newest = Newest()
    assert newest.is_news("a", "5")
    assert newest.is_news("a", "5")


def test_objects_do_not_age_each_other() -> None:
    newest = Newest()
    newest.is_news("a", "9")
    assert newest.is_news("b", "1")


def test_versions_that_are_no_numbers_are_taken_as_they_come() -> None:
    newest = Newest()
    assert newest.is_news("a", "x")
    assert newest.is_news("a", "w")


def test_a_listing_proves_deletions_up_to_its_own_version() -> None:
    newest = Newest()
    newest.is_news("kept", "1")
    newest.is_news("deleted", "2")
    newest.is_news("made-later", "9")
    assert newest.gone({"kept"}, "5") == ["deleted"]
    assert newest.gone({"kept"}, "5") == []
