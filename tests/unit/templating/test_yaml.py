"""YAML 1.2 for templates, YAML as kubectl reads it for files, and YAML that everybody reads alike."""

from typing import Any

import pytest
import yaml

from sidecar_injector.errors import InputFileError
from sidecar_injector.templating import Document, dump_yaml, load_all_yaml, load_yaml
from sidecar_injector.templating.yaml12 import compose

PARSERS = [parser for name in ("CSafeLoader", "SafeLoader") if (parser := getattr(yaml, name, None))]

# plain scalar, by the core schema of YAML 1.2, as kubectl reads it
SCALARS: list[tuple[str, object, object]] = [
    ("", None, None),
    ("~", None, None),
    ("null", None, None),
    ("NULL", None, None),
    ("nUll", "nUll", "nUll"),
    ("true", True, True),
    ("False", False, False),
    ("tRue", "tRue", "tRue"),
    ("on", "on", True),
    ("Off", "Off", False),
    ("yes", "yes", True),
    ("NO", "NO", False),
    ("y", "y", True),
    ("N", "N", False),
    ("0", 0, 0),
    ("-12", -12, -12),
    ("+12", 12, 12),
    ("0o17", 15, 15),
    ("0x1F", 31, 31),
    ("0b11", "0b11", 3),
    ("1_000", "1_000", 1000),
    ("18446744073709551615", 2**64 - 1, 2**64 - 1),
    ("-9223372036854775808", -(2**63), -(2**63)),
    ("1.5", 1.5, 1.5),
    (".5", 0.5, 0.5),
    ("5.", 5.0, 5),
    ("1e3", 1000.0, 1000),
    ("1e30", 1e30, 1e30),
    ("1_0.5", "1_0.5", 10.5),
    ("_1", "_1", "_1"),
    ("0x1_0", "0x1_0", 16),
    ("-1.5E-3", -0.0015, -0.0015),
    ("1e", "1e", "1e"),
    ("22:22", "22:22", "22:22"),
    ("1:30:45", "1:30:45", "1:30:45"),
    ("2026-01-01", "2026-01-01", "2026-01-01"),
    ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("=", "=", "="),
    ("0.1.2", "0.1.2", "0.1.2"),
    ("-", None, None),
    ("nan", "nan", "nan"),
    ("1Gi", "1Gi", "1Gi"),
    ("100m", "100m", "100m"),
    ("0xg", "0xg", "0xg"),
]


@pytest.fixture(params=PARSERS, ids=lambda parser: parser.__name__)
def _each_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "PARSER", request.param)


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize(("text", "core", "kubectl"), [row for row in SCALARS if row[0] != "-"])
def test_plain_scalars(text: str, core: object, kubectl: object) -> None:
    loaded = load_yaml(f"a: {text}", "f")
    assert repr(loaded) == repr({"a": core})
    assert repr(load_all_yaml(f"a: {text}", "f")[0].value) == repr({"a": kubectl})


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize("text", [row[0] for row in SCALARS])
def test_quoted_scalars_are_text(text: str) -> None:
    assert load_yaml(f'["{text}", \'{text}\', !!str "{text}"]', "f") == [text, text, text]


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("--- a\n...\n", "a"),
        ("%YAML 1.2\n---\na: 1\n", {"a": 1}),
        ("\ufeffa: 1", {"a": 1}),
        (
            "a: !!str 1\nb: !!int '1'\nc: !!float 1\nd: !!bool true\ne: !!null ''\nf: !!map {}\ng: !!seq []",
            {"a": "1", "b": 1, "c": 1.0, "d": True, "e": None, "f": {}, "g": []},
        ),
        ("a: &x [1]\nb: *x\nc: {d: *x}", {"a": [1], "b": [1], "c": {"d": [1]}}),
        ("a: |\n  x\n   y\n\nb: >-\n  x\n  y\n", {"a": "x\n y\n", "b": "x y"}),
        ('"\\u00e9\\x41\\n\\t\\/": 1', {"éA\n\t/": 1}),
        ("? a\n: 1\n", {"a": 1}),
        ("- - 1\n  - 2\n- a: 1\n  b: 2\n", [[1, 2], {"a": 1, "b": 2}]),
        ("é: 😀", {"é": "😀"}),
    ],
)
def test_documents_of_every_form(text: str, value: object) -> None:
    assert load_yaml(text, "f") == value


# text, and what the message has to contain; for load_yaml and load_all_yaml alike
BROKEN = [
    ("a: 1\nb: 2\na: 3", 'document 1: line 3, column 1: the key "a" is there twice'),
    ("a: [1\n", "document 1: line 1, column 4: `[` is not closed"),
    ("a: [1,\n", "line 2, column 1: the text ends too early"),
    ("a: b: c", "line 1, column 5: a second `: `"),
    ("a: 'x", "line 1, column 4: quotes are not closed"),
    ("a:\n\t- b", "line 2, column 1: a tab is used for indentation; indent with spaces"),
    ("a: !secret x", "line 1, column 4: the tag !secret cannot be used here"),
    ("a: !!python/object:os.system x", "the tag !!python/object:os.system cannot be used here"),
    ("a: *b", "line 1, column 4: the alias *b names no anchor above it"),
    ("a: &b [*b]", "stands inside what it names"),
    ("a: .nan", "line 1, column 4: .nan is not a number that JSON can hold"),
    ("a: 1e999", "is not a number that JSON can hold"),
    ("a: 99999999999999999999999", "does not fit 64 bits"),
    ("a: 0x" + "f" * 5000, "does not fit 64 bits"),
    ("a: \x07", "line 1, column 4: the text holds the character U+0007"),
    ("a:\n  b: \u2028", "line 2, column 6: the text holds the character U+2028"),
    ("[a]: 1", "a list is used as a key"),
    ("{a: 1}: 1", "a map is used as a key"),
    ("~: 1", "the key ~ is not text"),
    ("%TAG ! x\n---\na: 1", "line 1, column 1: YAML directives are not supported"),
    ("a: !!int x", 'the tag !!int does not fit "x"'),
    ("[" * 300, "nested more than 200 levels deep"),
]


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize(("text", "message"), BROKEN, ids=[text[:30] for text, _ in BROKEN])
def test_broken_files_are_refused_with_their_place(text: str, message: str) -> None:
    for load in (load_yaml, load_all_yaml):
        with pytest.raises(InputFileError) as caught:
            load(text, "pod.yaml")
        assert str(caught.value).startswith("pod.yaml: document 1: line ")
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n---\nb: 2", "document 2: line 3: a second document starts here"),
        ("a: 0644", "0644 is octal in YAML 1.1 and decimal in YAML 1.2; write 0o644"),
        ("1.5: 1", "the key 1.5 is not text"),
        ("a: 089", "089 is octal in YAML 1.1"),
        ("80: x", 'the key 80 is not text; put it in quotes: "80"'),
        ("<<: {a: 1}", "merge keys"),
    ],
)
def test_one_strict_document_is_stricter_than_a_manifest(text: str, message: str) -> None:
    with pytest.raises(InputFileError) as caught:
        load_yaml(text, "f")
    assert message in str(caught.value)
    load_all_yaml(text, "f")


MANIFESTS: list[tuple[str, list[Document]]] = [
    ("", []),
    ("---\n# nothing\n---\n", []),
    ("a: 1\n---\n\n---\n# comment\nb: 2\n...\n---\nnull\n", [Document(1, 1, {"a": 1}), Document(3, 6, {"b": 2})]),
    ("a: 0644\nb: 0b11\nc: 1_000", [Document(1, 1, {"a": 420, "b": 3, "c": 1000})]),
    (
        "b: &b {x: 1, w: 1}\nc: {<<: *b, w: 2}\nd: {<<: [*b, {x: 5, z: 3}]}",
        [Document(1, 1, {"b": {"x": 1, "w": 1}, "c": {"x": 1, "w": 2}, "d": {"x": 1, "w": 1, "z": 3}})],
    ),
    (
        '{"a": "\\ud83d\\ude00\\/", "b": [1, 1.5, true, null, {}]}',
        [Document(1, 1, {"a": "😀/", "b": [1, 1.5, True, None, {}]})],
    ),
    ('\n{\n\t"a": 1\n}\n{"b": 2}\n', [Document(1, 2, {"a": 1}), Document(2, 5, {"b": 2})]),
    ("[{a: 1}]", [Document(1, 1, [{"a": 1}])]),
    ("{a: 1}\n---\n{b: 2}", [Document(1, 1, {"a": 1}), Document(2, 3, {"b": 2})]),
    ("a: x\r\nb:\r\n  - z\r\n", [Document(1, 1, {"a": "x", "b": ["z"]})]),
]


@pytest.mark.parametrize(("text", "documents"), MANIFESTS)
def test_manifests_are_read_document_by_document(text: str, documents: list[Document]) -> None:
    assert load_all_yaml(text, "f") == documents


def test_keys_of_manifests_become_text_as_kubectl_makes_them() -> None:
    assert load_all_yaml("80: x\ntrue: z\n1.5: u\nn: v", "f")[0].value == {
        "80": "x",
        "true": "z",
        "1.5": "u",
        "false": "v",
    }
    with pytest.raises(InputFileError, match='the key "true" is there twice'):
        load_all_yaml("true: x\non: y\n", "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n---\nb: 1\nb: 2", "f: document 2: line 4, column 1"),
        ("a: 1\n---\n---\nc: [1", "f: document 3: line 4, column 4"),
        ('{"a": 1, "a": 2}', 'f: document 1: line 1: the key "a" is there twice'),
        ('{"a": 1}\n{"b": {"c": 1, "c": 2}}', 'f: document 2: line 2: the key "c" is there twice'),
        ('{"a": 1', "f: document 1: line 1, column 1: `{` is not closed"),
        ("a: {<<: [1]}", "f: document 1: line 1, column 9: a merge key"),
    ],
)
def test_errors_in_manifests_name_the_document(text: str, message: str) -> None:
    with pytest.raises(InputFileError) as caught:
        load_all_yaml(text, "f")
    assert str(caught.value).startswith(message)


DUMPS: list[tuple[Any, str]] = [
    ({"a": 1, "b": [1, {"c": 2, "d": []}], "e": {}}, "a: 1\nb:\n- 1\n- c: 2\n  d: []\ne: {}\n"),
    ({"z": None, "a": True, "f": 1.5, "g": 1e-7}, "z: null\na: true\nf: 1.5\ng: 1.0e-07\n"),
    ([["a", ["b"]], []], "- - a\n  - - b\n- []\n"),
    ("text", "text\n"),
    ({"a": "x\n  y\n"}, "a: |\n  x\n    y\n"),
    ({"a": ["x\ny"]}, "a:\n- |-\n  x\n  y\n"),
    ({"a": " x\ny\n\n"}, "a: |2+\n   x\n  y\n\n"),
    ({"a b": "c d"}, "a b: c d\n"),
    (
        {"a": "web:1.2", "b": "--log=info", "c": "$(POD).svc", "d": "100m", "e": "128Mi"},
        "a: web:1.2\nb: --log=info\nc: $(POD).svc\nd: 100m\ne: 128Mi\n",
    ),
    ({"": ""}, '"": ""\n'),
    ({80: "x", True: "y"}, '"80": x\n"true": "y"\n'),
    ("\x07\x85\u2028\ufeff\x7f", '"\\u0007\\u0085\\u2028\\ufeff\\u007f"\n'),
    ("a: b # c", '"a: b # c"\n'),
    ("\n\n", '"\\n\\n"\n'),
]


@pytest.mark.parametrize(("value", "text"), DUMPS)
def test_dumps_are_what_a_person_would_write(value: object, text: str) -> None:
    assert dump_yaml(value) == text


AMBIGUOUS = [row[0] for row in SCALARS if row[0] not in ("100m", "1Gi", "nUll", "tRue", "1e", "0xg", "nan", "_1")]


@pytest.mark.parametrize(
    "text",
    [*AMBIGUOUS, "0644", "1_0", ".inf", ".NaN", "<<", "- a", "---", "...", "? a", "!a", "&a", "*a", "%a", "@a", "`a"],
)
def test_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert dump_yaml({text: text}).startswith('"')
    assert load_yaml(dump_yaml({text: text}), "f") == {text: text}
    assert load_all_yaml(dump_yaml({text: text}), "f")[0].value == {text: text}
    assert yaml.safe_load(dump_yaml({text: text})) == {text: text}


def test_long_keys_are_written_so_that_they_can_be_read() -> None:
    value = {"k" * 2000: 1, "l: " * 700: {"m": [2]}}
    assert load_yaml(dump_yaml(value), "f") == value
    assert yaml.safe_load(dump_yaml(value)) == value


def test_shared_subtrees_are_written_out() -> None:
    shared = {"a": [1]}
    assert dump_yaml({"x": shared, "z": shared}) == "x:\n  a:\n  - 1\nz:\n  a:\n  - 1\n"
