"""Broken templates: what the message says, and which line it names."""

import re

import pytest

from sidecar_injector.errors import TemplateLimitError, TemplateRefusal, TemplateRenderError, TemplateSyntaxError
from sidecar_injector.templating import Delimiters, compile_template
from sidecar_injector.templating.failures import did_you_mean
from sidecar_injector.templating.markers import holds_marker, marker
from tests.unit.templating.samples import failure

# template, line, what the message has to contain
SYNTAX = [
    ("a: {{ x", 1, "ends too early"),
    ("a: {{- x\nb: 1", 2, "close the expression with `}}`"),
    ("a: {{ x }\nb: 1", 1, "`}` cannot stand here"),
    ("a: {{ }}", 1, "an expression is missing before `}}`"),
    ("b: 1\na: {{ x | }}", 2, "`}}` stands where `name`"),
    ("a: {{ x y }}", 1, "`y` cannot follow here"),
    ("a: {{ x. }}", 1, "a name is missing after `.`"),
    ("a: {{ (x }}", 1, "stands where `)` is expected"),
    ("a: {{ [1, 2 }}", 1, "stands where `]` is expected"),
    ('a: {{ {"a" 1} }}', 1, "`number` stands where `:`"),
    ('a:\n  b: {{ "x }}', 2, "quotes are not closed"),
    ("a: {{ x ? y : z }}", 1, "write `x if condition else y`"),
    ("a: {{ x && y }}", 1, "write `and`"),
    ("a: {{ x || y }}", 1, "write `or`"),
    ("a: {{ !x }}", 1, "write `not`"),
    ("a: {{ $x }}", 1, "names have no `$`"),
    ("a: {{ .Values.x }}", 1, "names do not start with a dot"),
    ("a: {{ x = 1 }}", 1, "compare with `==`"),
    ("a: {{ 1 if }}", 1, "`}}` cannot stand here"),
    ("a: {{ '\\x' }}", 1, "starts no escape sequence"),
    ("a: 1\n{# comment", 2, "comment is not closed"),
    ("a: 1\n{% raw %}x", 2, "`raw` is not closed"),
    ("a: 1\n{% if x %}\nb: 1\n", 2, "`if` is not closed"),
    ("{% if x %}\n{% for y in z %}\n{% endfor %}\n", 1, "`if` is not closed"),
    ("{% for x in y %}\n{% endif %}\n{% endfor %}", 2, "`endif` stands where `endfor` is expected"),
    ("a: 1\n{% endif %}", 2, "`endif` closes nothing"),
    ("{% else %}", 1, "`else` closes nothing"),
    ("{% iff x %}{% endif %}", 1, "did you mean `if`?"),
    ("{% do x %}", 1, "there is no statement `do`"),
    ("{% %}", 1, "a statement is missing"),
    ("{% for x of y %}{% endfor %}", 1, "`of` stands where `in` is expected"),
    ("{% set x %}", 1, "or write `set … = …`"),
    ("{% set x = %}", 1, "an expression is missing before `%}`"),
    ("{% set 1 = 2 %}", 1, "assign to a name"),
    ("{% for loop in [] %}{% endfor %}", 1, "`loop` is the loop's own variable"),
    ("{% macro %}{% endmacro %}", 1, "stands where `name` is expected"),
    ("a: 1\n{% include 'x' %}", 2, "`include` is not supported"),
    ("a: 1\n\n{% extends 'x' %}", 3, "`extends` is not supported"),
    ("{% import 'x' as y %}", 1, "`import` is not supported"),
    ("{% from 'x' import y %}", 1, "`import` is not supported"),
    ("{% block a %}{% endblock %}", 1, "`block` is not supported"),
    ("{% autoescape true %}{% endautoescape %}", 1, "`autoescape` is not supported"),
    ("a: {{ self }}", 1, "`self` is not supported"),
    ("a: 1\nb: {{ values.x | uper }}", 2, "there is no filter `uper` (did you mean `upper`?)"),
    ("{% if false %}{{ x | nope }}{% endif %}", 1, "there is no filter `nope`"),
    ("a: {{ x is defind }}", 1, "there is no test `defind` (did you mean `defined`?)"),
    ("a: {{ requird(x) }}", 1, "there is no function `requird` (did you mean `required`?)"),
    ("a: {{ pod() }}", 1, "there is no function `pod`"),
    ('a: {{ values.text | replace("a") }}', 1, "missing a required argument: `new`"),
    ("a: {{ values.text | upper(1) }}", 1, "write `value | upper`"),
    ("a: {{ x is divisibleby }}", 1, "missing a required argument: `divisor`"),
    ("{% call range(1) %}{% endcall %}", 1, "a call block calls something that is no macro"),
    ("{% call values.text.upper() %}{% endcall %}", 1, "a call block calls something that is no macro"),
]

RENDER = [
    ("a: {{ foo }}", 1, "`foo` is undefined"),
    ("a: {{ foo }}", 1, "variables are `pod`, `namespace`"),
    ("a: {{ pdo.metadata }}", 1, "did you mean `pod`?"),
    ("a:\n  b: {{ pod.spec.hostNetwork }}", 2, "`pod.spec.hostNetwork` is undefined"),
    ("a:\n  b: {{ pod.spec.hostNetwork }}", 2, "if it may be missing, write `pod.spec.hostNetwork | default(…)`"),
    ("a: {{ pod.spec.contaners }}", 1, "did you mean `containers`"),
    ("a: {{ pod.metadata.labels['appp'] }}", 1, '`pod.metadata.labels["appp"]` is undefined (did you mean `app`?)'),
    ("a: {{ pod.spec.nope.deeper }}", 1, "`pod.spec.nope` is undefined"),
    ("a: {{ pod.spec.containers[5].name }}", 1, "`pod.spec.containers[5]` is undefined: the length is 2"),
    ("a: {{ pod.spec.containers.name }}", 1, "a list has no fields"),
    ("a: {{ pod.metadata.name.upper }}", 1, "text has no fields"),
    ("a: {{ values.nothing.x }}", 1, "null has no fields"),
    ("a: {{ pod.metadata.labels.items }}", 1, "write `pod.metadata.labels.items()`"),
    ("{% if pod.spec.nope %}{% endif %}", 1, "`pod.spec.nope` is undefined"),
    ("a: {{ values.nope == 1 }}", 1, "`values.nope` is undefined"),
    ("a: {{ values.nope + 1 }}", 1, "`values.nope` is undefined"),
    ("a: {{ values.nope | upper }}", 1, "`values.nope` is undefined"),
    ("a: {{ values.nope.upper() }}", 1, "`values.nope` is undefined"),
    ("a: {{ values[values.nope] }}", 1, "`values.nope` is undefined"),
    ("a: {{ [values.nope] }}", 1, "`values.nope` is undefined"),
    ("a: {{ 'x' if false }}", 1, "no `else`"),
    ("a: {{ [] | first }}", 1, "the list is empty"),
    ("{% for x in [1] %}\na: {{ loop.previtem }}{% endfor %}", 2, "there is no previous item"),
    ("a: {{ pod.spec.containers + 1 }}", 1, "a list and a number are added"),
    ('a: {{ "x" + 1 }}', 1, "join text and other values with `~`"),
    ("a: {{ values.map - 1 }}", 1, "a number is subtracted from a map"),
    ("a: {{ values.text * 'x' }}", 1, "text is multiplied with text"),
    ("a: {{ 1 / 0 }}", 1, "divided by zero"),
    ("a: {{ -values.text }}", 1, "the sign `-` stands before text"),
    ("a: {{ values.text % 3 }}", 1, "text is formatted with `%`"),
    ("a: {{ (-1) ** 0.5 }}", 1, "a root of a negative number"),
    ("a: {{ values.text < 3 }}", 1, "text and a number are compared with `<`"),
    ("a: {{ values.map > values.port }}", 1, "a map and a number are compared with `>`"),
    ("a: {{ 1 in values.text }}", 1, "`in` looks for a number in text"),
    ("a: {{ 1 in values.port }}", 1, "`in` looks inside a number"),
    ("a: {{ values.map in values.list }}", 1, "`in` looks for a map"),
    ("a: {{ {1: 2} }}", 1, "a number is used as the key of a map"),
    ("a: {{ values.port[0] }}", 1, "looks up a number in a number"),
    ("a: {{ values.map[values.list] }}", 1, "looks up a list in a map"),
    ("a: {{ values.map[1:] }}", 1, "a part of a map is taken"),
    ('a: {{ values.text[1:"x"] }}', 1, "the bounds in `[:]` are no whole numbers"),
    ("a: 1\n{% for x in values.port %}\n{% endfor %}", 2, "the loop runs over a number"),
    ("{% for x in values.text %}{% endfor %}", 1, "split it into a list first"),
    ("{% for x in values.nothing %}{% endfor %}", 1, "write `| default([], true)`"),
    ("{% for x in pod.spec.nope %}{% endfor %}", 1, "`pod.spec.nope` is undefined"),
    ("{% for k, v in values.map %}\n{% endfor %}", 1, "loop over `.items()`"),
    ("{% for k, v in [1] %}{% endfor %}", 1, "a number cannot be taken apart"),
    ("{% set a, b = [1, 2, 3] %}", 1, "taken apart into 2 values"),
    ("{% for x in [1] %}{{ loop(x) }}{% endfor %}", 1, "the loop runs over a number"),
    ("{% for x in [1] %}{{ loop([1]) }}{% endfor %}", 1, "write `{% for … in … recursive %}`"),
    ("a: {{ values.text.foo() }}", 1, "text has no method `foo`"),
    ("a: {{ values.list.append(1) }}", 1, "a list has no method `append`"),
    ("a: {{ values.map.item() }}", 1, "did you mean `items`?"),
    ("a: {{ values.text.split() }}\nb: {{ values.map.x() }}", 2, "`x` is a number and cannot be called"),
    ("a: {{ values.text.replace('x') }}", 1, "method `replace`: missing a required argument: `new`"),
    ("{% set x = 1 %}a: {{ x() }}", 1, "a number is called like a function"),
    ("{% set pod.x = 2 %}", 1, "make it with `{% set ns = namespace() %}` first"),
    ("a: {{ values.map | upper }}", 1, "filter `upper`: it takes text, found a map"),
    ("a: {{ values.text | round }}", 1, "filter `round`: it takes a number, found text"),
    ("a: {{ values.port | join }}", 1, "filter `join`: it takes a list, found a number"),
    ("a: {{ [1, 'a'] | sort }}", 1, "it sorts texts or numbers, found a number and text"),
    ('a: {{ values.list | map("nope") }}', 1, "there is no filter `nope`"),
    ("a: {{ values.list | map }}", 1, "write `map('upper')` or `map(attribute='name')`"),
    ('a: {{ pod.spec.containers | selectattr("name", "nope") }}', 1, "there is no test `nope`"),
    ('a: {{ pod.spec.containers | map(attribute="ports") }}', 1, "`ports` is undefined"),
    ('a: {{ range("x") }}', 1, "function `range`: it takes a whole number, found text"),
    ("a: {{ range(1, 2, 0) }}", 1, "no step of 0"),
    ("a: {{ values.list | replace(*[1]) }}", 1, "missing a required argument: `new`"),
    ("a: {{ range(*values.text) }}", 1, "text is spread over arguments"),
    ("a: {{ values.text | from_json }}", 1, "the text is not JSON"),
    ('a: {{ "b: [" | from_yaml }}', 1, "line 2 of the text"),
    ('a: {{ "a: 1\\na: 2" | from_yaml }}', 1, 'the key "a" is there twice'),
    ('a: {{ "!!" | b64decode }}', 1, "not Base64"),
    ('a: {{ "x" | quantity }}', 1, '"x" is no quantity'),
    ('a: {{ "5" | duration }}', 1, "write it as Go does"),
    ('a: {{ "%d" | format("x") }}', 1, "`%d` takes a number, found text"),
    ('a: {{ "%q" | format(1) }}', 1, "`%q` is no format"),
    ('a: {{ "%s" | format }}', 1, "1 places, but 0 values"),
    ("a: {{ omit ~ 'x' }}", 1, "`omit` is printed inside a longer text"),
    ("a: {{ namespace }}{% set ns = namespace() %}\nb: {{ ns }}", 2, "a namespace cannot be used as a value"),
    ("{% macro m() %}{% endmacro %}\na: {{ m }}", 2, "put `( )` behind its name"),
    ("{% for x in [1] %}\na: {{ loop }}{% endfor %}", 2, "use a field of it, such as `loop.index`"),
    ("a: {{ 1e308 * 10 }}", 1, "JSON cannot hold"),
    ("{% macro m(p) %}\n{{ p.nope }}\n{% endmacro %}\na: {{ m(pod) }}", 2, "`p.nope` is undefined"),
    ("{% macro m(p) %}{{ p }}{% endmacro %}\na: {{ m() }}", 1, "the macro's parameter `p` is not given"),
    ("{% macro m(p) %}{{ p }}{% endmacro %}\na: {{ m(1, 2) }}", 2, "macro `m` takes not more than 1 argument"),
    ("{% macro m(p) %}{{ p }}{% endmacro %}\na: {{ m(q=1) }}", 2, "macro `m` takes no keyword argument `q`"),
    ("{% macro m() %}{{ caller() }}{% endmacro %}\na: {{ m() }}", 1, "the macro is not used in a call block"),
    ("{% macro m() %}{% endmacro %}\n{% call m() %}{% endcall %}", 2, "print `caller()` in macro `m`"),
    (
        "a:\n{% for c in pod.spec.containers %}\n  - {{ c.name }}\n  - {{ c.nope }}\n{% endfor %}",
        4,
        "`c.nope` is undefined",
    ),
    ("a: {{ [1,\n  2,\n  values.nope] }}", 1, "`values.nope` is undefined"),
    ("a: {{ values.text\n  | upper\n  | round }}", 1, "filter `round`"),
]

YAML = [
    ("a: b: c", 1, "a second `: ` in this line"),
    ("a: [1", 1, "`[` is not closed"),
    ("b: 1\na: {b", 2, "`{` is not closed"),
    ("b: 1\na: 'x\nc: 1", 2, "quotes are not closed"),
    ('a: "\\q"', 1, "starts no escape sequence"),
    ("a:\n\tb: 1", 2, "indent with spaces"),
    ("a:\n  - b\n c: 1", 3, "the indentation does not fit"),
    ("a: 1\nb: 2\na: 3", 3, 'the key "a" is there twice'),
    ("a: {b: 1, b: 2}", 1, 'the key "b" is there twice'),
    ("{{ values.text }}: 1\nabc: 2", 2, 'the key "abc" is there twice'),
    ("a:\n{% for x in [1, 1] %}\n  {{ x }}: 1\n{% endfor %}", 3, 'the key "1" is there twice'),
    ("80: x", 1, 'put it in quotes: "80"'),
    ("a:\n  true: x", 2, "the key true is not text"),
    ("~: x", 1, "the key ~ is not text"),
    ("? [a]\n: 1", 1, "a list is used as a key"),
    ("a: @x", 1, "put the text in quotes"),
    ("a: *x", 1, "names no anchor above it"),
    ("a: &x [*x]", 1, "stands inside what it names"),
    ("a: !x y", 1, "the tag !x cannot be used here"),
    ("a: !!binary y", 1, "the tag !!binary cannot be used here"),
    ("a: !!int y", 1, "the tag !!int does not fit"),
    ("a: !!int {{ values.port }}", 1, "stands before a printed value"),
    ("a: !!map [b]", 1, "the tag !!map cannot be used here"),
    ("a: 0644", 1, "0644 is octal in YAML 1.1"),
    ("a: .inf", 1, "JSON can hold"),
    ("a: 1e999", 1, "JSON can hold"),
    ("a: 99999999999999999999", 1, "does not fit 64 bits"),
    ("<<: {a: 1}", 1, "merge keys"),
    ("a: 1\n---\nb: 2", 3, "a second YAML document"),
    ("%TAG ! x\n---\na: 1", 1, "YAML directives are not supported"),
    ("%{{ values.text }}\n---\na: 1", 1, "YAML directives are not supported"),
    ("a: 1\nb: \x07", 2, "U+0007"),
    ("a: b\u2028c", 1, "U+2028"),
    ("a: \ud800", 1, "U+D800"),
    ("- a", 1, "prints a list where a map is expected"),
    ("just text", 1, "prints text where a map is expected"),
    ("{{ values.list }}", 1, "prints a list where a map is expected"),
    ("a: 1\n{{ values.map }}", 2, "a printed value is one value"),
    ("a:\n{{ values.map | to_yaml }}", 2, "a printed value is one value"),
    ("a:\n  {{ values.map | to_yaml | indent(2) }}", 2, "print the value itself, without filters"),
    ("a: 1\nb: x {{ omit }}", 2, "`omit` is printed inside a longer text"),
    ("{{ omit }}: 1", 1, "`omit` is printed as the key"),
    ("{{ values.map }}: 1", 1, "a map is printed as the key"),
    ("a: {{ values.text }}: b", 1, "a second `: ` in this line"),
    ('a: "\\{{ values.text }}"', 1, "starts no escape sequence"),
    ('a: "\\x{{ values.text }}"', 1, "starts no escape sequence"),
    ("a: *{{ values.text }}", 1, "the alias *{{ … }} names no anchor"),
    ("a: !{{ values.text }} x", 1, "the tag !{{ … }} cannot be used"),
    ("a: 1\n{% macro m() %}\nx: 1\n  y: 2\n{% endmacro %}\n\n{{ m() }}", 4, "a second `: ` in this line"),
    ("a:\n{% for x in [1] %}\n  - b: {{ x }}\n   c: 1\n{% endfor %}", 4, "does not fit the lines above"),
    ("{% filter upper %}\nx: {{ values.text }}\n{% endfilter %}", 1, "prints text where a map is expected"),
]


def ids(table: list[tuple[str, int, str]]) -> list[str]:
    return [f"{template[:60]!r}" for template, _, _ in table]


@pytest.mark.parametrize(("template", "line", "phrase"), SYNTAX, ids=ids(SYNTAX))
def test_a_template_that_does_not_compile_says_where_and_why(template: str, line: int, phrase: str) -> None:
    error = failure(template)
    assert isinstance(error, TemplateSyntaxError)
    assert phrase in str(error)
    assert error.place.line == line


@pytest.mark.parametrize(("template", "line", "phrase"), RENDER, ids=ids(RENDER))
def test_a_template_that_does_not_render_says_where_and_why(template: str, line: int, phrase: str) -> None:
    error = failure(template)
    assert isinstance(error, TemplateRenderError)
    assert phrase in str(error)
    assert error.place.line == line


REFUSALS = [
    ('a: 1\nb: {{ fail("no image for " ~ pod.metadata.name) }}', 2, "no image for web"),
    ('a: {{ required(values.nothing, "set values.nothing") }}', 1, "set values.nothing"),
    ('a: {{ values.nope | required("set values.nope") }}', 1, "set values.nope"),
]


@pytest.mark.parametrize(("template", "line", "phrase"), REFUSALS, ids=ids(REFUSALS))
def test_what_a_template_refuses_in_its_authors_words_is_no_error_of_the_template(
    template: str, line: int, phrase: str
) -> None:
    error = failure(template)
    assert isinstance(error, TemplateRefusal)
    assert (error.problem, error.place.line) == (phrase, line)


@pytest.mark.parametrize(("template", "line", "phrase"), YAML, ids=ids(YAML))
def test_yaml_that_cannot_be_used_is_traced_to_the_template_line_that_printed_it(
    template: str, line: int, phrase: str
) -> None:
    error = failure(template)
    assert isinstance(error, TemplateRenderError)
    assert phrase in str(error)
    assert error.place.line == line


INTERNALS = re.compile(
    r"object|NoneType|(?<!`)\bdict\b|\bstr\b|\bint\b'|traceback|jinja|<.*at 0x|Error\b|iterable|unhashable|__"
    r"|expected token",
    re.I,
)


@pytest.mark.parametrize("template", [row[0] for row in SYNTAX + RENDER + YAML])
def test_messages_are_in_the_users_words(template: str) -> None:
    error = failure(template)
    for text in (error.problem, error.remedy):
        assert not INTERNALS.search(text)
        assert not holds_marker(text)
    assert error.problem
    assert error.remedy
    assert error.place.text == template.split("\n")[error.place.line - 1]


def test_a_message_has_place_problem_excerpt_and_remedy() -> None:
    error = failure("metadata:\n  name: {{ pod.metadata.nmae }}\n")
    assert str(error).split("\n") == [
        "config/template:2:12: `pod.metadata.nmae` is undefined (did you mean `name`?)",
        "    2 |   name: {{ pod.metadata.nmae }}",
        "      |            ^",
        "if it may be missing, write `pod.metadata.nmae | default(…)`",
    ]


@pytest.mark.parametrize(
    ("template", "column"),
    [
        ("a: {{ values.nope }}", 7),
        ("a: {{ values.nope }}{{ values.nope }}", 0),
        ("a: {{ x | nofilter }}", 11),
        ("a: b: c", 5),
        ("a: 1\nb:  @x", 5),
        ("a: {{ values.text }}: b", 0),
        ("\ta: 1", 1),
    ],
)
def test_the_column_is_named_where_it_is_known(template: str, column: int) -> None:
    assert failure(template).place.column == column


def test_lines_are_counted_alike_whatever_ends_them() -> None:
    for newline in ("\n", "\r\n", "\r"):
        error = failure(newline.join(["a: 1", "b: 2", "c: {{ nope }}", "d: 4"]))
        assert (error.place.line, error.place.text) == (3, "c: {{ nope }}")


def test_errors_name_lines_of_the_template_after_many_lines_of_output() -> None:
    template = "a:\n{% for x in range(500) %}\n  - {{ x }}\n{% endfor %}\nb: 1\nb: 2\n"
    assert failure(template).place.line == 6


FIRST_OF_TWO = [
    ("a: {{ nope }}\nb: {{ 1 / 0 }}", 1, "nope"),
    ("a: {{ 1 / 0 }}\nb: {{ nope }}", 1, "zero"),
    ("a: {{ one }}\nb: {{ nope }}\nc: {{ gone }}", 2, "nope"),
    ("a: {{ one }}\nb: {{ values.nope.x }}\nc: {{ one - 1 }}", 2, "nope"),
    ("{% macro m() %}x: {{ nope }}{% endmacro %}\na: {{ one }}\nb: {{ gone }}\n{{ m() }}", 3, "gone"),
    ("{% macro m() %}\nx: {{ nope }}\n{% endmacro %}\na: {{ one }}\n{{ m() }}\nb: {{ gone }}", 2, "nope"),
    ("a: {{ one }}\nb: {{ values.get }}\nc: {{ nope }}", 2, "get"),
    ("a: {{ one }}\nb: {{ long }}{{ long }}\nc: {{ long }}\nd: {{ nope }}", 3, "all printed values together"),
    ("a: {{ [one, nope] }}\nb: {{ one }}", 1, "nope"),
    ("a: {{ one }}\nb: {{ deep }}\nc: {{ nope }}", 2, "nested"),
]


@pytest.mark.parametrize(("template", "line", "phrase"), FIRST_OF_TWO, ids=range(len(FIRST_OF_TWO)))
def test_of_two_mistakes_near_each_other_the_first_is_told_with_its_line(template, line, phrase) -> None:
    deep: list[object] = []
    for _ in range(60):
        deep = [deep]
    error = failure(template, one="1", long="x" * 1_500_000, deep=deep)
    assert phrase in str(error)
    assert error.place.line == line


def test_square_delimiters_are_named_in_messages() -> None:
    with pytest.raises(TemplateSyntaxError, match=r"close the expression with `\]\]`"):
        compile_template("c/t", "a: [[ x y ]]", delimiters=Delimiters.SQUARE)


def test_a_template_error_on_one_input_leaves_the_template_usable() -> None:
    template = compile_template("c/t", "a: {{ x.y }}\nb: {{ x.z | default([]) }}")
    for _ in range(2):
        with pytest.raises(TemplateRenderError, match=r"x\.y"):
            template.render({"x": {}})
        assert template.render({"x": {"y": 1}}).tree == {"a": 1, "b": []}


def test_a_template_cannot_hold_the_markers_of_this_process() -> None:
    assert "a word that is reserved" in str(failure(f"a: 1\nb: {marker(0)} {{{{ values.text }}}}"))


def test_only_a_bounded_number_of_names_is_searched_for_close_ones() -> None:
    assert did_you_mean("name", ["nmae"]) == " (did you mean `nmae`?)"
    assert did_you_mean("name", [*map(str, range(100_000)), "nmae"]) == ""


def test_limits_have_their_own_error() -> None:
    assert isinstance(failure("a: {{ 'a' * 10 ** 9 }}"), TemplateLimitError)
