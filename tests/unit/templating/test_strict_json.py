"""JSON from outside: what the standard has, and nothing that only Python reads."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar_injector.names import Reason
from sidecar_injector.templating import strict_json
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap
from sidecar_injector.templating.strict_json import (
    MOST_LEVELS,
    RepeatedKey,
    read_document,
    read_json,
    write_document,
)


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


@pytest.mark.parametrize(
    "document",
    [
        b'{"a":[1,-1,0,1.5,-0.0,true,null,"\xc3\xa9"]}',
        b'{"a":"b \\u0026\\u0026 c \\u003e d \\u003c e"}\n',
        b"18446744073709551615",
        b"[" * MOST_LEVELS + b"]" * MOST_LEVELS,
        b"[" + b"[]," * 1000 + b"[]]",
    ],
)
def test_what_api_servers_send_is_read_without_pythons_reader(document: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_json(document.decode(), unique=True)
    monkeypatch.delattr(strict_json, "read_json")
    assert repr(read_document(document)) == repr(expected)


TRICKY = [
    b' { "a" : 1 } ',
    b'{"a":1,"a":1}',
    b'{"a":1,"\\u0061":1}',
    b'[{"a":{"b":"\\u0026"},"a":{"b":"&"}}]',
    b'{"&":1,"\\u0026":1}',
    b'["\\\\u0026"]',
    b'["\\\\\\u0026"]',
    b'["\\/"]',
    b'["\\ud83d\\ude00"]',
    b'["\\ud800"]',
    b"18446744073709551616",
    b"-9223372036854775809",
    b"123456789012345678901234567890",
    b"-0",
    b"1E5",
    b"1e-999",
    b"0.10",
    b"1e999",
    b"NaN",
    b"[1,]",
    b"",
    b"\xef\xbb\xbf{}",
    b'"\xff"',
    b'"\t"',
    b"{}{}",
    b"[" * (MOST_LEVELS + 1) + b"]" * (MOST_LEVELS + 1),
    b"[" * 2000 + b"]" * 2000,
]


def outcome(read: Callable[[bytes], object], document: bytes) -> object:
    try:
        return repr(read(document))
    except (ValueError, RecursionError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("document", TRICKY)
def test_a_document_is_read_as_pythons_reader_strictly_reads_it(document: bytes) -> None:
    assert outcome(read_document, document) == outcome(
        lambda text: read_json(str(text, "utf-8"), unique=True), document
    )


KEYS = st.sampled_from(["a", "b", "&", "<>", "\\u0026", "é", "\\"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=()))
    | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
)
SPELLINGS = st.sampled_from(
    [
        lambda text: text,
        lambda text: text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
        lambda text: text.replace('"b"', '"a"'),
        lambda text: text.replace('"b"', '"\\u0061"'),
        lambda text: text.replace(",", " ,"),
        lambda text: text.replace("1", "11111111111"),
        lambda text: text.replace("\\\\", "\\"),
    ]
)


@given(VALUES, st.lists(SPELLINGS, max_size=3))
def test_any_text_is_read_as_pythons_reader_strictly_reads_it(
    value: object, spellings: list[Callable[[str], str]]
) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for spelling in spellings:
        text = spelling(text)
    document = text.encode("utf-8", "surrogatepass")
    assert outcome(read_document, document) == outcome(
        lambda text: read_json(str(text, "utf-8"), unique=True), document
    )


@given(VALUES)
def test_what_is_written_says_the_same(value: object) -> None:
    written = write_document(value)
    assert repr(json.loads(written)) == repr(value)
    assert written.decode()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": [1, "é"]}, '{"a":[1,"é"]}'),
        ({"a": "\ud800"}, '{"a":"\\ud800"}'),
        ([2**64], "[18446744073709551616]"),
        (SharedMap({"a": SharedList([Reason.INJECTED])}), '{"a":["Injected"]}'),
    ],
)
def test_a_value_is_written_without_blanks(value: object, written: str) -> None:
    assert write_document(value).decode() == written
