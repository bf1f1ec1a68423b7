"""JSON from outside: what the standard has, and nothing that only Python reads."""

import json

import pytest

from sidecar_injector.templating.strict_json import MOST_LEVELS, RepeatedKey, read_json


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "", "é", [], {}, [1, {"a": [None]}]])
def test_json_is_read(value: object) -> None:
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value), unique=True) == value


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "[1e999]", "-1e999", "", "{", "[1,]", "\ufeff{}", "1" * 5000, "'a'", "{1: 2}"],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - Python's own messages differ by version
        read_json(text)


def test_a_repeated_key_is_named() -> None:
    assert read_json('{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(RepeatedKey, match='the key "a" is there twice'):
        read_json('[{"a": 1, "a": 2}]', unique=True)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_limited(opening: str, closing: str) -> None:
    for levels in (MOST_LEVELS, 100_000):
        with pytest.raises(RecursionError):
            read_json(opening * levels + "[0]" + closing * levels)
    read_json(opening * (MOST_LEVELS - 1) + "[0]" + closing * (MOST_LEVELS - 1))
    read_json("[" + "[]," * 1000 + "[]]")
