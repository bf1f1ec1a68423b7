"""What an admission takes, counted: a change that lets it grow is noticed, on any machine and however busy it is."""

import json
from pathlib import Path

import pytest

from benchmarks import counting, stages
from benchmarks.counting import Counts
from benchmarks.workloads import WORKLOADS
from sidecar_injector.injection import pipeline
from sidecar_injector.profiles.istio import Istio


def test_an_admission_takes_no_more_calls_and_opcodes_than_expected() -> None:
    expected = counting.expected()
    if expected is None:
        pytest.skip(f"expected_counts.json has no figures for {counting.version()}; to make some: {counting.REFRESH}")
    found = counting.counted()
    grown = counting.grown(expected, found)
    assert grown == [], (
        f"An admission takes more than 5 % more than expected. If it is meant to: {counting.REFRESH}\n"
        + "\n".join(grown)
    )
    if counting.shrunk(expected, found):
        print(f"An admission takes less than expected. To keep it so: {counting.REFRESH}")


def test_counting_twice_gives_the_same() -> None:
    workload = next(each for each in WORKLOADS if each.name == "checkout")
    assert counting.count(workload) == counting.count(workload)


def test_more_work_is_counted_as_more(monkeypatch: pytest.MonkeyPatch) -> None:
    workload = next(each for each in WORKLOADS if each.name == "frontend")
    before = {"frontend": counting.count(workload)}
    build_patch = pipeline.build_patch

    def wasteful(*words: object) -> object:
        sum(number & 1 for number in range(1000))
        return build_patch(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "build_patch", wasteful)
    after = {"frontend": counting.count(workload)}
    assert any("opcodes, expected" in each for each in counting.grown(before, after))


@pytest.mark.parametrize(
    ("now", "grown", "shrunk"), [(105, False, False), (106, True, False), (95, False, False), (94, False, True)]
)
def test_five_percent_are_tolerated(now: int, grown: bool, shrunk: bool) -> None:
    before, after = {"a": Counts(100, 100)}, {"a": Counts(100, now)}
    assert bool(counting.grown(before, after)) is grown
    assert counting.shrunk(before, after) is shrunk


def test_a_workload_without_expected_figures_is_not_passed_over() -> None:
    assert counting.grown({}, {"new": Counts(10, 10)}) != []


def test_an_update_keeps_the_figures_for_other_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "expected.json"
    file.write_text(json.dumps({"CPython 3.99": {"a": {"calls": 1, "opcodes": 2}}}))
    monkeypatch.setattr(counting, "EXPECTED", file)
    counting.update({"a": Counts(3, 4)})
    assert json.loads(file.read_text())["CPython 3.99"] == {"a": {"calls": 1, "opcodes": 2}}
    assert counting.expected() == {"a": Counts(3, 4)}


def test_a_version_without_figures_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "EXPECTED", tmp_path / "none.json")
    assert counting.expected() is None


def test_everything_in_the_table_of_stages_is_there() -> None:
    names = [name for each in stages.STAGES.values() for name in each]
    missing = [
        name
        for name in names
        if not (hasattr(Istio, name.removeprefix("profile.")) if "." in name else hasattr(pipeline, name))
    ]
    assert missing == []


def test_the_pipeline_is_as_before_when_it_is_not_watched_any_more() -> None:
    before = dict(vars(pipeline))
    with stages.watching(Istio()):
        assert pipeline.render is not before["render"]
    assert dict(vars(pipeline)) == before
