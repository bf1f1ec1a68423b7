"""Arithmetic on measurements."""

import pytest

from benchmarks.figures import micros, paired_ratio, percentile, spread


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100), (0.01, 1), (0.0, 1), (0.501, 51)]
)
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert percentile(range(1, 101), share) == value


def test_the_percentile_of_nothing_is_nothing() -> None:
    assert percentile([], 0.99) == 0.0


def test_a_spread_knows_its_ends_its_middle_and_its_noise() -> None:
    found = spread([4.0, 2.0, 3.0])
    assert (found.lowest, found.median, found.highest, found.rounds) == (2.0, 3.0, 4.0, 3)
    assert found.noise == pytest.approx(1.0)
    assert found.as_json() == {"lowest": 2.0, "median": 3.0, "highest": 4.0, "rounds": 3}


def test_a_round_that_was_disturbed_as_a_whole_does_not_change_a_paired_ratio() -> None:
    assert paired_ratio([1.0, 10.0, 1.0], [2.0, 20.0, 2.0]) == 0.5


def test_the_processor_time_of_a_call_is_that_of_one_call() -> None:
    calls = []
    found = micros([lambda: calls.append(sum(range(1000)))], 0.02)
    assert len(calls) > 10
    assert 0.02e6 <= found * len(calls) < 0.2e6
