"""Whatever is printed: it ends up in its place, whole, and moves nothing else."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar_injector.errors import InputFileError, TemplateError
from sidecar_injector.templating import (
    Delimiters,
    Limits,
    compile_template,
    dump_yaml,
    load_all_yaml,
    load_yaml,
)
from sidecar_injector.templating.markers import holds_marker, line_mark, marker
from sidecar_injector.templating.program import Program
from sidecar_injector.templating.shapes.tracing import LineMap
from sidecar_injector.templating.yaml12 import compose
from sidecar_injector.templating.yaml12.construct import construct

untimed = settings(deadline=None)

_SYNTAX = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "{{ x }}",
            "{% raw %}",
            "- ",
            "? ",
            ": ",
            ":",
            "#",
            " # ",
            "\n",
            "\r\n",
            "\r",
            "\t",
            " ",
        ),
        *(
            "'",
            '"',
            "''",
            "\\",
            "\\n",
            "\\x",
            "|",
            ">",
            "&a",
            "*a",
            "!!str ",
            "!",
            "@",
            "`",
            "%",
            "%YAML 1.1",
            "---",
            "...",
            "\n---\n",
        ),
        *(
            "[",
            "]",
            "{",
            "}",
            ",",
            "~",
            "null",
            "true",
            "on",
            "0644",
            "1e3",
            ".inf",
            "<<",
            "=",
            "omit",
            "\x00",
            "\x85",
            "\u2028",
        ),
        *("\ufeff", "\ufffe", "\ud800", "\udfff", "😀", "é", "a", "b: c", "\n- d", "\n  e: f"),
        *(marker(0), marker(1), marker(7), marker(9999), line_mark(1), marker(0)[:-1], marker(0)[1:]),
    ]
)
texts = st.one_of(
    st.lists(_SYNTAX, max_size=8).map("".join),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=20),
    st.text(max_size=20),
)
"""Any text at all: also control characters, lone surrogates, and the very markers of this process."""

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

# how a text is printed, and what has to come of it; @ stands for the text
POSITIONS = {
    "plain": ("p: {{ x }}", {"p": "@"}),
    "single-quoted": ("p: '{{ x }}'", {"p": "@"}),
    "double-quoted": ('p: "{{ x }}"', {"p": "@"}),
    "literal block": ("p: |-\n  {{ x }}", {"p": "@"}),
    "literal block between lines": ("p: |\n  a\n   {{ x }}\n  b\n", {"p": "a\n @\nb\n"}),
    "folded block": ("p: >-\n  {{ x }}\n  b", {"p": "@ b"}),
    "flow": ('p: {k: {{ x }}, l: [{{ x }}, "{{ x }}", {{ x }}]}', {"p": {"k": "@", "l": ["@", "@", "@"]}}),
    "json": ('{"p":{{ x }},"q":["{{ x }}"]}', {"p": "@", "q": ["@"]}),
    "list": ("p:\n- {{ x }}\n- - {{ x }}\n  - b", {"p": ["@", ["@", "b"]]}),
    "longer plain": ("p: a {{ x }} b{{ x }}", {"p": "a @ b@"}),
    "longer quoted": ("p: ['{{ x }}''a', \"\\t{{ x }}\\\"\"]", {"p": ["@'a", '\t@"']}),
    "key": ("p: {'k {{ x }}': 1}\nq:\n  {{ x }}: 2\n", {"p": {"k @": 1}, "q": {"@": 2}}),
    "comment": ("p: 1 # {{ x }}", {"p": 1}),
    "macro": ("{% macro m(y) %}{k: {{ y }}}{% endmacro %}p: {{ m(x) }}", {"p": {"k": "@"}}),
    "set block": ("{% set y %}k: {{ x }}{% endset %}p:\n  {{ y }}", {"p": {"k": "@"}}),
    "call block": ("{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}p: {{ x }}{% endcall %}", {"p": "@"}),
    "block as a value": ("{% set y %}a{{ x }}{% endset %}p: {{ y ~ 'b' }}", {"p": "a@b"}),
    "block compared": ("{% set y %}{{ x }}{% endset %}p: {{ y == x }}", {"p": True}),
    "filter block": ("p: {% filter replace('', '') %}{{ x }}{% endfilter %}", {"p": "@"}),
    "indented block": (
        "{% set y %}k: {{ x }}\nl: {{ x }}{% endset %}p:\n  {{ y | indent(2) }}",
        {"p": {"k": "@", "l": "@"}},
    ),
    "loop": ("p:\n{% for y in [x, x] %}\n- {{ y }}\n{% endfor %}", {"p": ["@", "@"]}),
    "inside a value": ("p: {{ {'k': [x]} }}", {"p": {"k": ["@"]}}),
    "joined": ("p: {{ [x, x] | join('-') }}", {"p": "@-@"}),
    "JSON": ("p: {{ x | to_json | from_json }}", {"p": "@"}),
    "defaulted": ("p: {{ nope | default(x) }}", {"p": "@"}),
    "tagged": ("p: !!str {{ x }}", {"p": "@"}),
    "anchored": ("p: &a {{ x }}\nq: *a", {"p": "@", "q": "@"}),
}


def expected(tree: Any, text: str) -> Any:
    if isinstance(tree, dict):
        return {expected(key, text): expected(member, text) for key, member in tree.items()}
    if isinstance(tree, list):
        return [expected(item, text) for item in tree]
    return tree.replace("@", text) if isinstance(tree, str) else tree


@pytest.mark.parametrize("position", POSITIONS)
@untimed
@given(text=texts)
@example(text="a: b\n- {{ c }}")
@example(text=marker(0))
def test_any_text_in_any_position_arrives_whole_and_moves_nothing_else(position: str, text: str) -> None:
    source, tree = POSITIONS[position]
    whole = f"before: [1]\n{source}\nafter: 2\n" if not source.startswith('{"') else source
    surrounded = {"before": [1], **tree, "after": 2} if not source.startswith('{"') else tree
    assert compile_template("c/t", whole).render({"x": text}).tree == expected(surrounded, text)


TEMPLATES = {
    source: compile_template("c/t", source) for source in ("a: {{ x }}\nb: [{{ x }}]", "a: '{{ x }}'\nb: k{{ x }}")
}


@untimed
@given(value=json_values)
def test_any_value_printed_alone_keeps_its_type_and_in_quotes_becomes_text(value: Any) -> None:
    alone, quoted = TEMPLATES.values()
    tree = alone.render({"x": value}).tree
    assert tree == {"a": value, "b": [value]}
    assert json.dumps(tree["a"]) == json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert quoted.render({"x": value}).tree == {"a": text, "b": f"k{text}"}


dumpable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | (texts | st.text("ab \n:-#|>'\"%&*![]{}~.0123eExoy_=<,", max_size=12)).filter(
        lambda text: text.isprintable() or _utf8(text)
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@untimed
@given(value=dumpable)
def test_dumps_are_read_back_as_they_were_by_every_reader(value: Any) -> None:
    text = dump_yaml(value)
    assert load_yaml(text, "f") == value
    assert yaml.load(text, yaml.SafeLoader) == value
    documents = load_all_yaml(text, "f")
    assert (documents[0].value if documents else None) == value


_YAML = st.sampled_from(
    [
        *(
            "a",
            "b",
            "1",
            "- ",
            ": ",
            ":",
            "\n",
            "\n  ",
            "\n    ",
            " ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            '"',
            "'",
            " # ",
            "|",
            ">",
            "|-",
            ">+",
            "&a ",
            "*a",
        ),
        *(
            "!!str ",
            "? ",
            "---",
            "\n---\n",
            "...",
            "\\",
            "\\n",
            "~",
            "null",
            "x y",
            "key: ",
            "- - ",
            "@",
            "`",
            "!",
            "é",
            "<<",
            "''",
            '""',
            "0",
            ".",
        ),
    ]
)


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML is built without libyaml")
@untimed
@given(text=st.lists(_YAML, max_size=14).map("".join))
def test_both_parsers_give_the_same(text: str) -> None:
    assert _composed(text, yaml.CSafeLoader) == _composed(text, yaml.SafeLoader)


def _composed(text: str, parser: type) -> object:
    before, compose.PARSER = compose.PARSER, parser
    try:
        documents = compose.compose(text, compose.YamlLimits())
        return [None if document.root is None else construct(document.root) for document in documents]
    except compose.YamlProblem:
        return "refused"
    finally:
        compose.PARSER = before


_TEMPLATE = st.sampled_from(
    [
        *(
            "a: ",
            "b:\n",
            "- ",
            "\n",
            "\n  ",
            "  ",
            ": ",
            "1",
            "x",
            '"',
            "'",
            "[",
            "]",
            "{",
            "}",
            "|\n  ",
            "# ",
            "&r ",
            "*r",
            "!!str ",
            "---\n",
        ),
        *(
            "{{ ",
            " }}",
            "{% ",
            " %}",
            "{# ",
            " #}",
            "{%- ",
            " -%}",
            "{{ x }}",
            "{{ n }}",
            "{{ m }}",
            "{{ l }}",
            "{{ omit }}",
            "{{ nope }}",
        ),
        *(
            "{% if x %}",
            "{% else %}",
            "{% endif %}",
            "{% for i in l %}",
            "{% for k, v in m.items() %}",
            "{% endfor %}",
            "{{ i }}",
            "{{ k }}",
        ),
        *(
            "{% set y %}",
            "{% endset %}",
            "{{ y }}",
            "{% macro f(p) %}",
            "{% endmacro %}",
            "{{ f(1) }}",
            "{{ caller() }}",
            "{% call f(2) %}",
        ),
        *(
            "{% endcall %}",
            "{% filter upper %}",
            "{% endfilter %}",
            "{% raw %}",
            "{% endraw %}",
            "{{ x | indent(2) }}",
            "{{ y | trim }}",
        ),
        *(
            "x",
            "n",
            "m",
            "l",
            ".a",
            "[0]",
            "(1)",
            " | upper",
            " | join",
            " ~ ",
            " + ",
            " == ",
            " in ",
            " if ",
            " else ",
            " is defined",
            " and ",
        ),
    ]
)


@untimed
@given(source=st.lists(_TEMPLATE, max_size=16).map("".join))
def test_any_template_is_rendered_or_refused_with_a_place_in_it(source: str) -> None:
    context = {"x": "t: u", "n": 1, "m": {"a": 1, "b": [2]}, "l": ["c", "d"]}
    last_line = source.count("\n") + 1
    try:
        rendered = compile_template("c/t", source).render(context)
    except TemplateError as caught:
        error = caught
    else:
        assert isinstance(rendered.tree, dict)
        assert not holds_marker(json.dumps(rendered.tree))
        assert all(1 <= rendered.place([key]).line <= last_line for key in rendered.tree)
        program = Program("c/t", source, Delimiters.CURLY, Limits())
        assert LineMap(program.run_traced(context)).shape == "".join(program.run(context)[0])
        return
    assert 1 <= error.place.line <= last_line
    assert not holds_marker(str(error))
    assert error.problem
    assert error.remedy


@untimed
@given(text=st.lists(_YAML | _SYNTAX, max_size=12).map("".join))
def test_any_file_is_read_or_refused(text: str) -> None:
    try:
        documents = load_all_yaml(text, "f")
    except InputFileError as caught:
        error = caught
    else:
        numbers = [document.number for document in documents]
        assert numbers == sorted(set(numbers))
        json.dumps([document.value for document in documents], allow_nan=False)
        return
    assert str(error).startswith("f: document ")
