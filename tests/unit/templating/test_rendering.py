"""What printed values become, where they are printed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sidecar_injector.templating import Delimiters, compile_template
from tests.unit.templating.samples import CONTEXT, render

AWKWARD = "quote \" and ' and: colon\n- dash {{ braces }} # hash \t tab & * ! | > % @ `"

TYPED = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    1.5,
    "",
    "text",
    "true",
    "0644",
    AWKWARD,
    [],
    {},
    [1, ["a", None]],
    {"a": {"b": []}},
]


@pytest.mark.parametrize("value", TYPED, ids=repr)
def test_a_value_printed_alone_keeps_its_type(value: object) -> None:
    assert render("a:\n  b: {{ x }}\n  c: [{{ x }}, {d: {{ x }} }]\n", x=value) == {
        "a": {"b": value, "c": [value, {"d": value}]}
    }


TEXTS = [
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (1.5, "1.5"),
    ("", ""),
    (AWKWARD, AWKWARD),
    ([1, "é"], '[1,"é"]'),
    ({"b": 1, "a": None}, '{"b":1,"a":null}'),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=repr)
@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('a: "{{ x }}"', "@"),
        ("a: '{{ x }}'", "@"),
        ("a: |-\n  {{ x }}\n", "@"),
        ("a: >-\n  {{ x }}\n", "@"),
        ("a: !!str {{ x }}", "@"),
        ("a: x{{ x }}", "x@"),
        ("a: {{ x }}-{{ x }}", "@-@"),
        ("a: {{ x }}{{ x }}", "@@"),
        ("a: {{ x }} words", "@ words"),
        ("a: '-{{ x }}'''", "-@'"),
        ('a: "\\t{{ x }}\\""', '\t@"'),
        ("a: |\n  one {{ x }}\n   two\n", "one @\n two\n"),
    ],
)
def test_a_value_in_quotes_or_in_a_longer_text_is_text(template: str, expected: str, value: object, text: str) -> None:
    assert render(template, x=value) == {"a": expected.replace("@", text)}


def test_a_longer_plain_scalar_is_text_even_if_it_looks_like_a_number() -> None:
    assert render("a: 1{{ x }}\nb: -{{ x }}\nc: {{ x }}.5\nd: 0x{{ x }}", x=2) == {
        "a": "12",
        "b": "-2",
        "c": "2.5",
        "d": "0x2",
    }


@pytest.mark.parametrize(("key", "text"), [("k", "k"), (AWKWARD, AWKWARD), (80, "80"), (True, "true"), ("<<", "<<")])
def test_a_value_printed_as_a_key_is_text(key: object, text: str) -> None:
    assert render("{{ x }}: 1\np-{{ x }}: 2\n'{{ x }}-s': 3", x=key) == {text: 1, f"p-{text}": 2, f"{text}-s": 3}


@pytest.mark.parametrize(
    ("template", "tree"),
    [
        ("a: {{ omit }}\nb: 1", {"b": 1}),
        ('a: "{{ omit }}"\nb: 1', {"b": 1}),
        ("a: [1, {{ omit }}, 2]", {"a": [1, 2]}),
        ("a:\n  - {{ omit }}\n", {"a": []}),
        ("a: {b: {{ omit }} }", {"a": {}}),
        ("{{ 'k' }}: {{ omit }}", {}),
        ("a: {{ [1, omit, {'b': omit, 'c': 2}] }}", {"a": [1, {"c": 2}]}),
        ("a: {{ values.nope | default(omit) }}", {}),
        ("{{ omit }}", {}),
    ],
)
def test_omit_drops_the_key_or_the_item(template: str, tree: object) -> None:
    assert render(template) == tree


@pytest.mark.parametrize(
    "template", ["", "\n", "# only a comment", "{# nothing #}", "---\n", "{% set x = 1 %}", "{}", "null", "~"]
)
def test_an_empty_template_is_an_empty_map(template: str) -> None:
    assert render(template) == {}


def test_a_whole_template_can_be_one_value() -> None:
    assert render("{{ values.map }}") == {"x": 1, "y": {"z": [2]}}


def test_values_in_comments_and_anchors_do_no_harm() -> None:
    template = "# {{ values.text }}\na: &{{ values.text }} 1 # {{ pod }}\n"
    assert render(template) == {"a": 1}


def test_aliases_stand_for_what_they_name() -> None:
    assert render("a: &r {cpu: {{ values.port }}}\nb: *r\nc: [*r]") == {
        "a": {"cpu": 15001},
        "b": {"cpu": 15001},
        "c": [{"cpu": 15001}],
    }


FRAGMENTS = [
    ("{% macro m(n) %}\n- name: {{ n }}\n{% endmacro %}\na:\n{{ m('x: y') }}", {"a": [{"name": "x: y"}]}),
    ("{% macro m(n) %}{{ n }}/{{ n }}{% endmacro %}\na: {{ m(1) }}\nb: '{{ m(2) }}'", {"a": "1/1", "b": "2/2"}),
    ("{% macro m() %}{{ values.port }}{% endmacro %}\na: {{ m() }}", {"a": 15001}),
    ("{% macro m() %}15001{% endmacro %}\na: {{ m() }}", {"a": 15001}),
    ("{% set b %}\nx: {{ values.text }}\n{% endset %}\n{{ b }}y: 1", {"x": "abc", "y": 1}),
    ("{% set b %}x: {{ values.text }}\n{% endset %}a:\n  {{ b | indent(2) }}", {"a": {"x": "abc"}}),
    ("{% set b %}\n\n x: 1 \n{% endset %}\n{{ b | trim }}", {"x": 1}),
    ("{% filter indent(2, first=true) %}\nx: {{ values.text }}\n{% endfilter %}", {"x": "abc"}),
    ("a: {% filter upper %}x-{{ values.text }}: y{% endfilter %}", {"a": "X-ABC: Y"}),
    ("a: {% filter lower | replace('x', 'z') %}X{{ values.text }}{% endfilter %}", {"a": "zabc"}),
    (
        "{% macro m() %}\na:\n  {{ caller() | indent(2) }}\n{% endmacro %}\n{% call m() %}"
        "\nb: {{ values.text }}\n{% endcall %}",
        {"a": {"b": "abc"}},
    ),
    ("{% macro m() %}{{ caller('k: v') }}{% endmacro %}{% call(x) m() %}a: {{ x }}{% endcall %}", {"a": "k: v"}),
    ("a: {% for x in [[1, [[2, []]]]] recursive %}[{{ x[0] }}, {{ loop(x[1]) }}]{% endfor %}", {"a": [1, [2]]}),
    ("{% set b | upper %}x: {{ values.text }}{% endset %}a: {{ b }}", {"a": "X: ABC"}),
    (
        "{% macro m() %}{{ 'a: b' }}{% endmacro %}x: {{ m() ~ ': c' }}\ny: {{ [m()] }}\nz: {{ {m(): m()} }}",
        {"x": "a: b: c", "y": ["a: b"], "z": {"a: b": "a: b"}},
    ),
    (
        "{% for i in [1, 2] %}{% set k %}k{{ i }}{% endset %}{{ loop.cycle(k, 'other') }}: {{ i }}\n{% endfor %}",
        {"k1": 1, "other": 2},
    ),
    ("{% set ns = namespace() %}{% set ns.b %}x: {{ values.port }}{% endset %}{{ ns.b }}", {"x": 15001}),
]


@pytest.mark.parametrize(("template", "tree"), FRAGMENTS, ids=[template for template, _ in FRAGMENTS])
def test_the_text_of_macros_and_blocks_is_template_text_when_printed_and_text_otherwise(
    template: str, tree: object
) -> None:
    assert render(template) == tree


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("b == 'x-abc'", True),
        ("'x-abc' == b", True),
        ("b != 'x-abc'", False),
        ("b == values.text", False),
        ("b in ['x-abc']", True),
        ("'abc' in b", True),
        ("b < 'y'", True),
        ("b | length", 5),
        ("b[2:]", "abc"),
        ("b[0]", "x"),
        ("b.split('-')", ["x", "abc"]),
        ("{'x-abc': 5}[b]", 5),
        ("b | to_json", '"x-abc"'),
        ("b | replace('-', b)", "xx-abcabc"),
        ("[b, b] | join('+')", "x-abc+x-abc"),
        ("'%s' | format(b)", "x-abc"),
        ("b + b", "x-abcx-abc"),
        ("b is string", True),
        ("b is eq 'x-abc'", True),
        ("'yes' if b else 'no'", "yes"),
        ("b | default('d')", "x-abc"),
    ],
)
def test_a_blocks_text_is_ordinary_text_in_expressions(expression: str, value: object) -> None:
    template = "{% set b %}x-{{ values.text }}{% endset %}\nvalue: {{ " + expression + " }}"
    assert render(template) == {"value": value}


LINES = [
    ("a:\n  {% for x in [1, 2] %}\n  - {{ x }}\n  {% endfor %}\n", {"a": [1, 2]}),
    ("a: [1{%- if true -%}\n\n  , 2\n  {%- endif -%}\n]", {"a": [1, 2]}),
    ("a: {% if revision %}x{% else %}y{% endif %}\nb: 1", {"a": "x", "b": 1}),
    ("a: {% if revision %}{{ revision }}{% endif %}\nb: 1", {"a": "main", "b": 1}),
    ("a: 1 {# a comment #}\nb: 1 {% set x = 1 %}\nc: {{ x }}", {"a": 1, "b": 1, "c": 1}),
    ("a: '{% raw %}{{ x }}{% endraw %}'\nb: {% raw %}c{% endraw %}\nd: 1", {"a": "{{ x }}", "b": "c", "d": 1}),
    ("a: |\n  one\n  {% if true %}\n  two\n  {# nothing #}\n  {% endif %}\n  three\n", {"a": "one\ntwo\nthree\n"}),
    ("a: |\n  {% if true %}one{% endif %}\n  two\n", {"a": "one\ntwo\n"}),
    ("a:\n  {% if true %}b: 1{% endif %}\n  c: 1", {"a": {"b": 1, "c": 1}}),
    ("a:\n  {% if true %}{% if true %}\n  b: 1\n  {% endif %} {# c #} {% endif %}  \n  c: 1", {"a": {"b": 1, "c": 1}}),
    ("a:\n  {%- if true %} 1{% endif +%}\nb: 1", {"a": 1, "b": 1}),
    ("a: |\n  {%+ if true +%}\n  x\n  {% endif %}\n  é\u00a0y\n", {"a": "\nx\né\u00a0y\n"}),
    ("a:\n  {% set x = [1,\n    2] %}\n  b: {{ x }}", {"a": {"b": [1, 2]}}),
    ("a: x{% if true -%}\n  y{% endif %}\nb: 1", {"a": "xy", "b": 1}),
    ("a: x\r\n{% if true %}\r\nb: 1\r\n{% endif %}\r\nc: 1", {"a": "x", "b": 1, "c": 1}),
]


@pytest.mark.parametrize(("template", "tree"), LINES, ids=[template for template, _ in LINES])
def test_lines_of_statements_leave_no_trace_and_others_keep_their_end(template: str, tree: object) -> None:
    assert render(template) == tree


def test_the_last_newline_of_a_block_scalar_survives() -> None:
    assert render("a: |\n  x\n") == {"a": "x\n"}


def test_square_delimiters_leave_curly_ones_alone() -> None:
    source = "[# a comment #]\n[% if revision %]\na: [[ revision ]] {{ x }}\nb: '{% y %}'\n[% endif %]\n"
    template = compile_template("c/t", source, delimiters=Delimiters.SQUARE)
    assert template.render(CONTEXT).tree == {"a": "main {{ x }}", "b": "{% y %}"}


def test_a_function_can_be_called_even_if_a_variable_has_its_name() -> None:
    template = (
        "{% set ns = namespace(n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}"
        "{% endfor %}a: {{ ns.n }}\nb: {{ namespace.name }}"
    )
    assert render(template) == {"a": 3, "b": "shop"}


def test_a_template_can_define_its_own_macro_under_a_functions_name() -> None:
    assert render("{% macro required(x) %}my {{ x }}{% endmacro %}a: {{ required(1) }}") == {"a": "my 1"}


def test_rendering_changes_nothing_that_was_passed_in() -> None:
    labels = {"a": "1"}
    tree = render("{% set x = labels | merge({'b': '2'}) %}\na: {{ x }}\nb: {{ labels }}", labels=labels)
    assert tree == {"a": {"a": "1", "b": "2"}, "b": {"a": "1"}}
    assert labels == {"a": "1"}


def test_subtrees_without_values_are_shared_between_renderings() -> None:
    template = compile_template("c/t", "a: {{ x }}\nb:\n  c: [1, {d: 2}]\n")
    first, second = (template.render({"x": x}).tree for x in (1, 2))
    assert first["b"] is second["b"]
    assert (first["a"], second["a"]) == (1, 2)


def test_every_shape_of_a_template_is_rendered_right_however_many_there_are() -> None:
    template = compile_template("c/t", "a:\n{% for x in items %}\n  - {{ x }}\n{% endfor %}\nb: {{ items | length }}")
    for _ in range(2):
        for length in range(1, 150):
            assert template.render({"items": list(range(length))}).tree == {"a": list(range(length)), "b": length}


def test_a_shape_that_is_in_use_keeps_its_plan() -> None:
    template = compile_template("c/t", "a:\n{% for x in range(n) %}\n  - {{ x }}\n{% endfor %}\nb: [shared]")
    shared = template.render({"n": 0}).tree["b"]
    for length in range(1, 200):
        template.render({"n": length})
        assert template.render({"n": 0}).tree["b"] is shared


def test_templates_can_be_rendered_in_threads() -> None:
    template = compile_template(
        "c/t", "a:\n{% for x in items %}\n  - k{{ x }}: {{ x }}\n{% endfor %}\nb: {{ items | length }}"
    )

    def once(number: int) -> bool:
        items = [number] * (1 + number % 100)
        tree: dict[str, Any] = {"a": [{f"k{number}": number} for _ in items], "b": len(items)}
        return template.render({"items": items}).tree == tree

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(once, range(600)))
