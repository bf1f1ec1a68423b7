"""Filters, tests, functions and methods: one table, which has every entry of the registers."""

import re

import pytest

from sidecar_injector.templating.language.methods import METHODS
from sidecar_injector.templating.language.vocabulary import FILTERS, FUNCTIONS, TESTS, Entry
from tests.unit.templating.samples import render, value_of

FILTER_CASES = [
    ("values.nope | default('d')", "d"),
    ("values.nope.deeper | default('d')", "d"),
    ("values.nope | d('d')", "d"),
    ("values.text | default('d')", "abc"),
    ("values.debug | default(true)", False),
    ("values.debug | default(true, true)", True),
    ("values.nothing | default('d', boolean=true)", "d"),
    ("values.text | required('message')", "abc"),
    ("values.debug | required", False),
    ("values.list | length", 3),
    ("values.text | count", 3),
    ("values.map | length", 2),
    ("range(4) | length", 4),
    ("values.text | list", ["a", "b", "c"]),
    ("values.map | list", ["x", "y"]),
    ("values.map | items", [["x", 1], ["y", {"z": [2]}]]),
    ("{'b': 1, 'a': 2} | dictsort", [["a", 2], ["b", 1]]),
    ("{'b': 1, 'a': 2} | dictsort(by='value')", [["b", 1], ["a", 2]]),
    ("{'b': 1, 'a': 2} | dictsort(reverse=true)", [["b", 1], ["a", 2]]),
    ("values.list | first", "b"),
    ("values.text | first", "a"),
    ("[] | first | default('d')", "d"),
    ("values.list | last", "b"),
    ("range(5) | last", 4),
    ("[3, 1, 2] | min", 1),
    ("[3, 1.5, 2] | max", 3),
    ("[{'n': 2}, {'n': 1}] | min(attribute='n')", {"n": 1}),
    ("[{'n': 2}, {'n': 1}] | max(attribute='n')", {"n": 2}),
    ("['b', 'B', 'a'] | sort", ["B", "a", "b"]),
    ("[2, 10, 1] | sort(reverse=true)", [10, 2, 1]),
    ("pod.spec.containers | sort(attribute='name') | map(attribute='name')", ["log", "web"]),
    ("[] | sort", []),
    ("values.list | unique", ["b", "a"]),
    ("['a', 'A', 1, true, 1.0, '1'] | unique", ["a", "A", 1, True, 1.0, "1"]),
    ("[{'n': 1, 'm': 1}, {'n': 1, 'm': 2}] | unique(attribute='n')", [{"n": 1, "m": 1}]),
    ("values.list | reverse", ["b", "a", "b"]),
    ("values.text | reverse", "cba"),
    ("[1, 2.5] | sum", 3.5),
    ("[{'n': 1}, {'n': 2}] | sum(attribute='n', start=10)", 13),
    ("values.list | map('upper')", ["B", "A", "B"]),
    ("values.list | map('replace', 'b', 'c')", ["c", "a", "c"]),
    ("pod.spec.containers | map(attribute='name')", ["web", "log"]),
    ("pod.spec.containers | map(attribute='ports', default=[]) | map('length')", [2, 0]),
    ("pod.spec.containers | map(attribute='ports.0.containerPort', default=0)", [80, 0]),
    ("[0, 1, '', 'a', none] | select", [1, "a"]),
    ("range(5) | select('odd')", [1, 3]),
    ("values.list | select('in', ['a'])", ["a"]),
    ("range(5) | reject('odd')", [0, 2, 4]),
    ("pod.spec.containers | selectattr('name', 'eq', 'web') | map(attribute='image')", ["web:1"]),
    ("pod.spec.containers | selectattr('ports', 'defined') | map(attribute='name')", ["web"]),
    ("pod.spec.containers | selectattr('ports') | map(attribute='name')", ["web"]),
    ("pod.spec.containers | rejectattr('name', '==', 'web') | map(attribute='image')", ["log:2"]),
    ("pod.spec.containers | rejectattr('ports') | map(attribute='name')", ["log"]),
    ("{'a': 1, 'b': 1} | merge({'b': 2}, {'c': 3})", {"a": 1, "b": 2, "c": 3}),
    ("{} | combine({'b': 2})", {"b": 2}),
    ("{'a': 1, 'b': 2} | pick('b', 'c')", {"b": 2}),
    ("{'a': 1, 'b': 2} | without('b', 'c')", {"a": 1}),
    (
        "{'a': none, 'b': [none, {}], 'c': {'d': none}, 'e': 0, 'f': '', 'g': false} | omit_null",
        {"e": 0, "f": "", "g": False},
    ),
    ("{'b': 1, 'a': [none, true, 'é']} | to_json", '{"b":1,"a":[null,true,"é"]}'),
    ("[1, {'a': 2}] | tojson(indent=1)", '[\n 1,\n {\n  "a": 2\n }\n]'),
    ("'{\"a\": [1, 1.5, null]}' | from_json", {"a": [1, 1.5, None]}),
    ("{'a': ['x: y', 'on']} | to_yaml | replace('\\n', '|')", 'a:|- "x: y"|- "on"|'),
    ("'a: [1, on, ~]' | from_yaml", {"a": [1, "on", None]}),
    ("'' | from_yaml", None),
    ("pod.spec.containers | container_ports", [80]),
    ("pod.spec.containers | container_ports(protocol='UDP')", [53]),
    ("-3 | abs", 3),
    ("(-3) | abs", 3),
    ("'12' | int", 12),
    ("'12.9' | int", 12),
    ("'x' | int(7)", 7),
    ("'ff' | int(base=16)", 255),
    ("2.9 | int", 2),
    ("('9' * 5000) | int", 0),
    ("'1.5' | float", 1.5),
    ("'x' | float(0.5)", 0.5),
    ("2.5 | round", 3),
    ("(-2.5) | round", -3),
    ("2.345 | round(2)", 2.35),
    ("2.1 | round(method='ceil')", 3),
    ("2.19 | round(1, 'floor')", 2.1),
    ("1234 | round(-2)", 1200.0),
    ("'100m' | quantity", 0.1),
    ("'1Gi' | quantity", 1073741824),
    ("'2e3' | quantity", 2000),
    ("'1.5' | quantity", 1.5),
    ("7 | quantity", 7),
    ("'1m30s' | duration", 90),
    ("'300ms' | duration", 0.3),
    ("'-1.5h' | duration", -5400),
    ("90 | format_duration", "1m30s"),
    ("3600 | format_duration", "1h0m0s"),
    ("0.3 | format_duration", "300ms"),
    ("0 | format_duration", "0s"),
    ("(-1.5) | format_duration", "-1.5s"),
    ("0.0000025 | format_duration", "2.5µs"),
    ("'aBc' | lower", "abc"),
    ("'aBc' | upper", "ABC"),
    ("'aBc dE' | capitalize", "Abc de"),
    ("'ab cd' | title", "Ab Cd"),
    ("' a ' | trim", "a"),
    ("'xxaxx' | trim('x')", "a"),
    ("'a\\n\\nb' | indent(2)", "a\n\n  b"),
    ("'a\\n\\nb' | indent(2, first=true, blank=true)", "  a\n  \n  b"),
    ("'aXbX' | replace('X', '-')", "a-b-"),
    ("'aXbX' | replace('X', '-', 1)", "a-bX"),
    ("'a,b,c' | split(',')", ["a", "b", "c"]),
    ("'a,b,c' | split(',', 1)", ["a", "b,c"]),
    ("' a  b ' | split", ["a", "b"]),
    ("[1, 'a', true, none, {'b': 1}] | join('-')", '1-a-true-null-{"b":1}'),
    ("pod.spec.containers | join(',', attribute='name')", "web,log"),
    ("1.0 | string", "1.0"),
    ("true | string", "true"),
    ("{'a': 1} | string", '{"a":1}'),
    ("'%s has %d at %05.1f%% %x' | format('a', 2, 3.14159, 255)", "a has 2 at 003.1% ff"),
    ("'%s' | format([1, none])", "[1,null]"),
    ("'é' | b64encode", "w6k="),
    ("'w6k=' | b64decode", "é"),
    ("'abc' | sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("'abc' | sha256(8)", "ba7816bf"),
    ("'/etc/proxy/config' | dirname", "/etc/proxy"),
    ("'/etc' | dirname", "/"),
    ("'etc' | dirname", ""),
    ("'/etc/proxy/config' | basename", "config"),
]

TEST_CASES = [
    ("values.text is defined", True),
    ("values.nope.deeper is defined", False),
    ("values.nope is undefined", True),
    ("values.nothing is none", True),
    ("values.debug is boolean", True),
    ("1 is boolean", False),
    ("true is true", True),
    ("1 is true", False),
    ("values.debug is false", True),
    ("0 is false", False),
    ("1 is integer", True),
    ("true is integer", False),
    ("values.ratio is float", True),
    ("1 is number", True),
    ("true is number", False),
    ("'a' is string", True),
    ("values.map is mapping", True),
    ("values.list is sequence", True),
    ("values.text is sequence", True),
    ("values.map is sequence", False),
    ("values.map is iterable", True),
    ("values.text is iterable", False),
    ("3 is odd", True),
    ("3 is even", False),
    ("9 is divisibleby(3)", True),
    ("[1] is eq([1])", True),
    ("1 is equalto 2", False),
    ("[1] | select('==', 1) | length == 1", True),
    ("1 is ne 2", True),
    ("[1] | select('!=', 1) | length == 0", True),
    ("1 is lt 2", True),
    ("1 is lessthan 1", False),
    ("[1] | select('<', 2) | length == 1", True),
    ("'a' is le 'a'", True),
    ("[1] | select('<=', 0) | length == 1", False),
    ("2 is gt 1", True),
    ("2 is greaterthan 2", False),
    ("[3] | select('>', 2) | length == 1", True),
    ("2 is ge 2", True),
    ("[3] | select('>=', 4) | length == 1", False),
    ("'a' is in values.list", True),
    ("'x' is in values.map", True),
    ("'b' is in 'abc'", True),
    ("values.list is contains('z')", False),
    ("'abc' is startswith('ab')", True),
    ("'abc' is endswith('ab')", False),
    ("'' is empty", True),
    ("[0] is empty", False),
    ("0 is empty", False),
    ("values.text is not defined", False),
]

FUNCTION_CASES = [
    ("range(3)", [0, 1, 2]),
    ("range(1, 7, 2)", [1, 3, 5]),
    ("dict(a=1, b=[2])", {"a": 1, "b": [2]}),
    ("dict(context=1, self=2, name=3)", {"context": 1, "self": 2, "name": 3}),
    ("dict({'a': 1}, {'b': 2}, b=3)", {"a": 1, "b": 3}),
    ("required(values.text, 'message')", "abc"),
    ("namespace(x=5).x", 5),
    ("'no' if true else fail('never')", "no"),
]

METHOD_CASES = [
    ("'aB'.lower()", "ab"),
    ("'aB'.upper()", "AB"),
    ("'ab cd'.title()", "Ab Cd"),
    ("'ab cd'.capitalize()", "Ab cd"),
    ("'12'.isdigit()", True),
    ("'a1'.isalpha()", False),
    ("'a1'.isalnum()", True),
    ("' a '.strip()", "a"),
    ("'xax'.strip('x')", "a"),
    ("' a '.lstrip()", "a "),
    ("' a '.rstrip()", " a"),
    ("'a,b,c'.split(',', 1)", ["a", "b,c"]),
    ("'a b'.split()", ["a", "b"]),
    ("'a,b,c'.rsplit(',', 1)", ["a,b", "c"]),
    ("'a\\nb'.splitlines()", ["a", "b"]),
    ("'abc'.startswith('ab')", True),
    ("'abc'.endswith('ab')", False),
    ("'v1'.removeprefix('v')", "1"),
    ("'a.js'.removesuffix('.js')", "a"),
    ("'aXbX'.replace('X', '-', 1)", "a-bX"),
    ("'abc'.find('c')", 2),
    ("'abcb'.count('b')", 2),
    ("','.join(['a', 1])", "a,1"),
    ("values.map.get('x')", 1),
    ("values.map.get('nope', 'd')", "d"),
    ("values.map.get('nope')", None),
    ("values.map.items()", [["x", 1], ["y", {"z": [2]}]]),
    ("values.map.keys()", ["x", "y"]),
    ("values.map.values()", [1, {"z": [2]}]),
    ("values.list.index('a')", 1),
    ("values.list.index('z')", -1),
    ("values.list.count('b')", 2),
]

EXPRESSION_CASES = [
    ("1 + 2 * 3 - 4 // 3 + 7 % 4", 9),
    ("7 / 2", 3.5),
    ("2 ** 10", 1024),
    ("-values.port", -15001),
    ("'a' + 'b' ~ 1 ~ none ~ true ~ [1]", "ab1nulltrue[1]"),
    ("'ab' * 2", "abab"),
    ("[1] + [2] * 2", [1, 2, 2]),
    ("(1, 2)", [1, 2]),
    ("values.text[0] ~ values.text[-1]", "ac"),
    ("values.text[1:]", "bc"),
    ("values.list[::-1]", ["b", "a", "b"]),
    ("values['map'].y.z[0]", 2),
    ("values.list.0", "b"),
    ("1 < 2 < 3 != 4", True),
    ("1 in [1] and 'z' not in values.map", True),
    ("not values.debug or fail('never')", True),
    ("values.map == {'y': {'z': [2]}, 'x': 1}", True),
    ("1 == true", True),
    ("'x' if values.nothing else 'y'", "y"),
    ("values.nope.deeper.still | default(0)", 0),
    ("{'a' ~ 1: [2, {'b': none}]}", {"a1": [2, {"b": None}]}),
    ("'\\u00e9\\n'", "é\n"),
    ("none", None),
]

CASES = FILTER_CASES + TEST_CASES + FUNCTION_CASES + METHOD_CASES + EXPRESSION_CASES


@pytest.mark.parametrize(("expression", "value"), CASES, ids=[expression for expression, _ in CASES])
def test_expressions_give_what_the_reference_says(expression: str, value: object) -> None:
    result = value_of(expression)
    assert result == value
    assert type(result) is type(value)


SYNTAX: dict[str, str] = {
    "filter": r"(\| ?|map\('){}\b",
    "test": r"(is |\('){}(?!\w)",
    "function": r"\b{}\(",
    "method": r"\.{}\(",
}


@pytest.mark.parametrize(
    ("entry", "cases"),
    [
        *((entry, FILTER_CASES) for entry in FILTERS),
        *((entry, TEST_CASES) for entry in TESTS),
        *((entry, FUNCTION_CASES) for entry in FUNCTIONS),
        *((entry, METHOD_CASES) for kind, register in METHODS.items() if kind != "`loop`" for entry in register),
    ],
    ids=lambda value: str(value) if isinstance(value, Entry) else "",
)
def test_every_entry_is_in_the_table(entry: Entry, cases: list[tuple[str, object]]) -> None:
    pattern = re.compile(SYNTAX[entry.kind].format(re.escape(entry.name)))
    assert any(pattern.search(expression) for expression, _ in cases)


def test_loop_tells_where_it_is() -> None:
    template = (
        "{% for x in 'abc' | list %}\n"
        "{{ x }}: [{{ loop.index }}, {{ loop.index0 }}, {{ loop.revindex }}, {{ loop.revindex0 }}, {{ loop.first }},"
        " {{ loop.last }}, {{ loop.length }}, {{ loop.depth }}, {{ loop.depth0 }}, {{ loop.previtem | default(omit) }},"
        " {{ loop.nextitem | default(omit) }}, {{ loop.cycle('odd', 'even') }}"
        ", {{ loop.changed(x == 'c') }}]\n{% endfor %}"
    )
    assert render(template) == {
        "a": [1, 0, 3, 2, True, False, 3, 1, 0, "b", "odd", True],
        "b": [2, 1, 2, 1, False, False, 3, 1, 0, "a", "c", "even", False],
        "c": [3, 2, 1, 0, False, True, 3, 1, 0, "b", "odd", True],
    }


def test_loops_can_filter_and_have_an_else() -> None:
    assert render(
        "{% for i in range(9) if i is even and i > 5 %}k{{ i }}: {{ loop.index }}\n{% else %}none: 1{% endfor %}"
    ) == {
        "k6": 1,
        "k8": 2,
    }
    assert render("{% for i in [] %}k: 1{% else %}none: 1{% endfor %}") == {"none": 1}


def test_loops_over_a_map_give_its_keys() -> None:
    assert render("a:\n{% for key in values.map %}\n- {{ key }}\n{% endfor %}") == {"a": ["x", "y"]}


def test_macros_take_arguments_of_all_kinds() -> None:
    template = (
        "{% macro m(a, b=2) %}[{{ a }}, {{ b }}, {{ varargs }}, {{ kwargs }}]{% endmacro %}"
        "\nx: {{ m(1, 3, 4, c=5) }}\ny: {{ m(*[1], **{'b': 6}) }}"
    )
    assert render(template) == {"x": [1, 3, [4], {"c": 5}], "y": [1, 6, [], {}]}


def test_with_limits_variables_to_a_block() -> None:
    assert render("{% with x = 1 %}a: {{ x }}{% endwith %}\nb: {{ x | default(2) }}") == {"a": 1, "b": 2}
