"""A run: sections that fail or cannot be measured do not take the others with them."""

import contextlib
import io
from types import MappingProxyType
from typing import Any, NoReturn

import pytest

from benchmarks import report, results, suite
from benchmarks.context import QUICK, Bench, Progress, SkippedError
from benchmarks.suite import Section
from tests.kubernetes.cluster import ClusterError


def no_cluster(stack: contextlib.ExitStack, progress: Progress) -> NoReturn:
    progress.say("asked for a cluster")
    raise SkippedError("there is no control plane to measure with")


def of_a_cluster(bench: Bench) -> dict[str, Any]:
    return {"server": bench.cluster.server}


def broken(bench: Bench) -> NoReturn:
    raise ClusterError("the API server is gone")


def good(bench: Bench) -> dict[str, Any]:
    return {"seconds": {"lowest": 1.0, "median": 1.0, "highest": 1.0, "rounds": 1}}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
    sections = {"live": Section("one", of_a_cluster), "memory": Section("two", of_a_cluster)}
    sections |= {"http": Section("three", broken), "start": Section("four", good)}
    monkeypatch.setattr(suite, "SECTIONS", MappingProxyType(sections))
    told = io.StringIO()
    with Bench(QUICK, Progress(told), no_cluster) as bench:
        found = suite.measure(bench, ["live", "memory", "http", "start"])
    return results.results(QUICK, found), told.getvalue()


def test_what_needs_a_cluster_is_skipped_without_one_and_the_reason_is_shown(run: tuple[dict[str, Any], str]) -> None:
    found, told = run
    assert results.section(found, "live") is None
    shown = "\n".join(table.text() for table in report.tables(found))
    assert "live: skipped: there is no control plane to measure with" in shown
    assert "memory: skipped: there is no control plane to measure with" in shown
    assert told.count("asked for a cluster") == 1


def test_a_section_that_fails_is_told_and_the_others_are_measured(run: tuple[dict[str, Any], str]) -> None:
    found, told = run
    assert results.failed(found) == ["http"]
    assert "failed: the API server is gone" in told
    assert results.section(found, "start")
    assert "http: failed: the API server is gone" in "\n".join(table.text() for table in report.tables(found))


def test_progress_says_which_section_it_is_at(run: tuple[dict[str, Any], str]) -> None:
    assert [line.split("  ", 1)[1] for line in run[1].splitlines() if ": four" in line] == ["start: four"]


def test_figures_survive_the_file(run: tuple[dict[str, Any], str], tmp_path: Any) -> None:
    results.write(run[0], tmp_path / "figures.json")
    again = results.read(tmp_path / "figures.json")
    assert again == {**run[0], "plan": {**run[0]["plan"], "connections": [1, 8], "configs": [2, 4]}}


def test_lists_of_numbers_stay_on_one_line() -> None:
    assert results.as_text({"format": 1, "rounds": [1.5, 2.5]}) == '{\n "format": 1,\n "rounds": [ 1.5, 2.5 ]\n}\n'
