"""What is shown of results: tables, bars, the page and its picture."""

import copy
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from benchmarks import bars, page, picture, report, results
from benchmarks.tables import Table, number, percent

PUBLISHED = results.read(page.FIGURES)


def http(**cpu: list[float]) -> dict[str, Any]:
    """Results in which these servers took so much processor time in each round."""
    servers = {key: {"8": {"cpu_micros": {"median": 1}, "cpu_rounds": rounds}} for key, rounds in cpu.items()}
    return {"sections": {"http": {"servers": servers}}}


def found(results: dict[str, Any], what: str) -> bars.Judged:
    return next(each for each in bars.judged(results) if each.bar.what == what)


KOPF = "processor time, nothing remembered, by that of Kopf's stock server doing nothing"


@pytest.mark.parametrize(("ours", "holds"), [([1.2, 1.2], True), ([1.21, 1.3], False)])
def test_a_bar_holds_up_to_its_limit(ours: list[float], holds: bool) -> None:
    assert found(http(plain=ours, kopf=[1.0, 1.0]), KOPF).holds is holds


def test_what_was_not_measured_is_neither_held_nor_missed() -> None:
    empty = {"sections": {"http": {"skipped": "there is no control plane"}}}
    assert {each.holds for each in bars.judged(empty)} == {None}
    assert "not measured" in bars.table(empty).text()


def test_bars_against_another_injector_are_shown_only_if_there_was_one() -> None:
    assert "other injector" not in bars.table(http(plain=[1.0], kopf=[1.0])).text()
    shown = bars.table(http(plain=[1.0], other=[10.0])).text()
    assert "processor time, nothing remembered, by the other injector's" in shown
    assert "0.10" in shown


def test_a_table_for_a_terminal_is_aligned() -> None:
    table = Table("Title", ("", "µs"), [("a", "1"), ("longer", "1,000")], "Note.")
    assert table.text().split("\n") == ["Title", "             µs", "  a           1", "  longer  1,000", "  Note."]


def test_a_table_for_a_page_is_markdown() -> None:
    table = Table("Title", ("", "µs"), [("a", "1")], "Note.")
    assert table.markdown().split("\n") == ["**Title**", "", "|  | µs |", "| --- | ---: |", "| a | 1 |", "", "Note."]


def test_numbers_are_for_people() -> None:
    assert (number(12345.6), number(1.26, 1), percent(0.126)) == ("12,346", "1.3", "13 %")


def test_every_section_that_was_published_has_its_tables() -> None:
    assert [name for name in report.MAKERS if name not in PUBLISHED["sections"]] == []
    assert {name for name in report.MAKERS if not results.section(PUBLISHED, name)} <= {"instructions"}
    made = report.tables(PUBLISHED)
    assert all(len(row) == len(table.header) for table in made for row in table.rows)


def test_the_published_figures_are_no_quick_ones_and_had_no_errors() -> None:
    assert PUBLISHED["plan"]["quick"] is False
    servers = PUBLISHED["sections"]["http"]["servers"]
    assert [each["errors"] for server in servers.values() for each in server.values() if each["errors"]] == []


def test_the_page_shows_the_published_figures() -> None:
    text = page.PAGE.read_text()
    assert text == page.with_generated(text, PUBLISHED), "run: python -m benchmarks publish docs/performance.json"


def test_the_picture_shows_the_published_figures() -> None:
    assert page.PICTURE.read_text() == picture.svg(PUBLISHED), "run: python -m benchmarks publish docs/performance.json"


def test_other_figures_would_be_noticed_on_the_page_and_in_the_picture() -> None:
    other = copy.deepcopy(PUBLISHED)
    other["sections"]["http"]["servers"]["kopf"]["8"]["cpu_micros"]["median"] += 100
    assert page.PAGE.read_text() != page.with_generated(page.PAGE.read_text(), other)
    assert page.PICTURE.read_text() != picture.svg(other)


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="has not the marks"):
        page.with_generated("# Performance\n", PUBLISHED)


def test_the_picture_is_well_formed_and_names_what_it_shows() -> None:
    root = ElementTree.fromstring(picture.svg(PUBLISHED))
    texts = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert {"the operator", "Kopf's stock server, empty handler", "render"} <= texts


def test_a_longer_bar_stands_for_more() -> None:
    root = ElementTree.fromstring(picture.svg(PUBLISHED))
    widths = [float(element.get("width", 0)) for element in root.iter() if element.get("rx")]
    servers = PUBLISHED["sections"]["http"]["servers"]
    micros = [servers[key]["8"]["cpu_micros"]["median"] for key in ("aiohttp", "own", "kopf")]
    assert sorted(micros) == [micros[i] for i in sorted(range(3), key=lambda i: widths[i])]
