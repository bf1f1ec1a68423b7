"""Templates that try to take all time or memory, or to reach what is not theirs: each ends in a clear message."""

import time

import pytest

from sidecar_injector.errors import TemplateError, TemplateLimitError
from sidecar_injector.templating import compile_template
from tests.unit.templating.samples import CONTEXT, failure

_STEPS = "takes more than 100000 steps"
_TEXT = "grows to more than 1048576 characters"
_DEEP = "nested more than 25 levels deep"
_LONG = "more than 8000 words and signs"
_SHARED = "{% set a = namespace(s=[1]) %}{% for i in range(45) %}{% set a.s = [a.s, a.s] %}{% endfor %}"
_TWO_SHARED = (
    "{% set a = namespace(s=[1]) %}{% set b = namespace(s=[1]) %}"
    "{% for i in range(45) %}{% set a.s = [a.s, a.s] %}{% set b.s = [b.s, b.s] %}{% endfor %}"
)
_BIG = "{% set big = 'a' * 1000000 %}{% for i in range(9000) %}"

# template, what the message has to contain
LIMITS = [
    # numbers
    ("a: {{ 2 ** 200000000 }}", "exponent"),
    ("a: {{ 10 ** 10 ** 8 }}", "does not fit 64 bits"),
    ("a: {{ 9.0 ** 64 ** 1000 }}", "exponent"),
    ("a: {{ 2 ** 64 }}", "does not fit 64 bits"),
    (
        "{% set n = namespace(x=2) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
        "does not fit 64 bits",
    ),
    ("a: 1\nb: {{ " + "9" * 4000 + " }}", "does not fit 64 bits"),
    ("a: 1\nb: {{ " + "9" * 100000 + " }}", "too many digits"),
    ("a: {{ 1e999 }}", "does not fit 64 bits"),
    ("a: {{ ('9' * 4000) | from_json }}", "does not fit 64 bits"),
    # text
    ("a: {{ 'a' * 10 ** 9 }}", _TEXT),
    ("a: {{ '%999999999d' | format(1) }}", "wider than 1000"),
    ("a: {{ '%.999999999f' | format(1) }}", "wider than 1000"),
    ("a: {{ ('%1000d' * 9000) | format(*range(9000)) }}", _TEXT),
    ("a: {{ 'a\\nb' | indent(10 ** 9) }}", "the width"),
    ("a: {{ ('a\\n' * 100000) | indent(1000) }}", _TEXT),
    ("a: {{ ('a' * 1000000) | replace('a', 'b' * 1000) }}", _TEXT),
    ("a: {{ ('a' * 1000000).replace('', 'b' * 1000) }}", _TEXT),
    ("a: {{ (['a' * 100000] * 100) | join }}", _TEXT),
    ("a: {{ (['a'] * 9000).index('b') ~ ('b' * 100000).join(['a'] * 9000) }}", _TEXT),
    ("{% set n = namespace(s='a') %}{% for i in range(40) %}{% set n.s = n.s ~ n.s %}{% endfor %}", _TEXT),
    ("{% set n = namespace(s='a') %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}", _TEXT),
    ("a: {{ ('a' * 1000000) | b64encode | b64encode }}", _TEXT),
    (_BIG + "{% if 'aaab' in big %}{% endif %}{% endfor %}", _STEPS),
    (_BIG + "{% if big == big[:] %}{% endif %}{% endfor %}", _STEPS),
    (_BIG + "{% set c = big | upper %}{% endfor %}", _STEPS),
    (_BIG + "{% set c = big[1:] %}{% endfor %}", _STEPS),
    (_BIG + "{% set c = big.count('aa') %}{% endfor %}", _STEPS),
    (_BIG + "{% set c = big | sha256 %}{% endfor %}", _STEPS),
    (_BIG + "{% set c = big | to_yaml %}{% endfor %}", _STEPS),
    (_BIG + "{% set c = big | to_json %}{% endfor %}", _STEPS),
    # lists
    ("a: {{ [0] * 10 ** 9 }}", _TEXT),
    ("{% for i in range(10 ** 9) %}{% endfor %}", "more than 10000 numbers"),
    ("a: {{ range(10 ** 18) | list }}", "more than 10000 numbers"),
    ("{% set n = namespace(s=[1]) %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}", _STEPS),
    ("{% for i in range(9000) %}{% set x = range(9000) | sort %}{% endfor %}", _STEPS),
    ("{% for i in range(9000) %}{% set x = range(9000) | map('string') %}{% endfor %}", _STEPS),
    ("{% for i in range(9000) %}{% set x = range(9000) | sum %}{% endfor %}", _STEPS),
    ("{% for i in range(9000) %}{% set x = range(9000) | select('odd') %}{% endfor %}", _STEPS),
    ("{% for i in range(9000) %}{% if 1.5 in range(9000) %}{% endif %}{% endfor %}", _STEPS),
    ("a: {{ ('a,' * 500000).split(',') }}", _STEPS),
    ("a: {{ ('a' * 1000000) | list }}", _STEPS),
    ("a: {{ ('\\n' * 1000000).splitlines() }}", _STEPS),
    # values that are small in memory and endless when walked
    (_SHARED + "a: {{ a.s }}", _STEPS),
    (_SHARED + "a: {{ a.s | string }}", _STEPS),
    (_SHARED + "a: {{ a.s ~ '' }}", _STEPS),
    (_SHARED + "a: {{ a.s | to_json }}", _STEPS),
    (_SHARED + "a: {{ a.s | join }}", _STEPS),
    (_SHARED + "a: {{ a.s | unique }}", _STEPS),
    (_SHARED + "a: {{ a.s | omit_null }}", _STEPS),
    (_SHARED + "a: {{ '%s' | format(a.s) }}", _STEPS),
    (_TWO_SHARED + "a: {{ a.s == b.s }}", _STEPS),
    (_TWO_SHARED + "a: {{ a.s < b.s }}", _STEPS),
    (_TWO_SHARED + "a: {{ a.s is eq b.s }}", _STEPS),
    (_TWO_SHARED + "a: {{ [a.s] | select('eq', b.s) }}", _STEPS),
    (
        "{% set a = namespace(s=1) %}{% for i in range(45) %}{% set a.s = [a.s, a.s] %}"
        "{{ loop.changed(a.s) }}{% endfor %}",
        _STEPS,
    ),
    (
        "{% set a = namespace(s=1) %}{% for i in range(9000) %}{% set a.s = [a.s] %}{% endfor %}a: {{ a.s }}",
        "nested more than 50",
    ),
    # loops, macros and output
    ("{% for i in range(9999) %}\n{% for j in range(9999) %}\n{% endfor %}{% endfor %}", _STEPS),
    ("{% for i in range(9999) %}" + "{% if i == 1 %}{% endif %}" * 700 + "{% endfor %}", _STEPS),
    ("{% for i in range(9999) %}" + "{{ i }}" * 1500 + "{% endfor %}", _STEPS),
    ("{% for i in range(9999) %}{% for j in range(9999) if j < 0 %}{% endfor %}{% endfor %}", _STEPS),
    ("{% set l = range(10) %}" + "{% for a in l %}" * 12 + "{% endfor %}" * 12, _STEPS),
    ("{% for a in [1] %}" * 16 + "{% endfor %}" * 16, "more than 15 loops"),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "more than 25 levels deep"),
    (
        "{% macro m() %}{% call m() %}{% endcall %}{{ caller }}{% endmacro %}{% call m() %}{% endcall %}",
        "more than 25 levels",
    ),
    ("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(20) }}", _STEPS),
    ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "more than 25 levels deep"),
    (
        "{% for x in [1, 1, 1, 1] recursive %}{% if loop.depth < 20 %}{{ loop([1, 1, 1, 1]) }}{% endif %}{% endfor %}",
        _STEPS,
    ),
    ("{% for i in range(9000) %}" + "x" * 1000 + "{% endfor %}", "prints more than 262144 characters"),
    (
        "{% macro m() %}{% for i in range(9000) %}" + "x" * 1000 + "{% endfor %}{% endmacro %}{{ m() }}",
        "prints more than",
    ),
    (
        "{% set n = namespace() %}{% set n.s %}{{ 1 }}{% endset %}{% for i in range(40) %}{% set n.s %}"
        "{{ n.s }}{{ n.s }}{% endset %}{% endfor %}",
        "prints more than",
    ),
    ("{% set big = 'a' * 1000000 %}{% for i in range(9000) %}- {{ big }}\n{% endfor %}", "all printed values together"),
    (
        "{% set b %}{{ 'a' * 1000000 }}{% endset %}a:\n{% for i in range(9) %}- {{ b }}\n{% endfor %}",
        "all printed values together",
    ),
    (
        "{% set n = namespace(v='x' * 1000) %}{% for i in range(40) %}{% set b %}{{ n.v }}{{ n.v }}"
        "{% endset %}{% set n.v = b | string %}{% endfor %}",
        _TEXT,
    ),
    (
        "{% set v %}{{ 'a' * 1000000 }}{% endset %}{% set b %}" + "{{ v }}" * 999 + "{% endset %}a: {{ b | length }}",
        _TEXT,
    ),
    # source
    ("x" * 140000, "the template has 140000 characters"),
    ("a: 1\nb: {{ " + "(" * 5000 + "1", _DEEP),
    ("a: {{ " + "[" * 5000, _DEEP),
    ("a: {{ " + "{'a': " * 2000, _DEEP),
    ("a: {{ " + "not " * 5000 + "1 }}", _DEEP),
    ("a: {{ " + "-" * 5000 + "1 }}", _DEEP),
    ("a: {{ " + "1 if 1 else " * 1000 + "1 }}", _DEEP),
    ("{% if 1 %}" * 1000, _DEEP),
    ("a: {{ " + "(" * 100000, _LONG),
    ("a: {{ " + "-" * 100000 + "1 }}", _LONG),
    ("{% if 1 %}" * 9000, _LONG),
    ("{# x #}" * 18000, _LONG),
    ("{% raw %}x{% endraw %}" * 5000, _LONG),
    ("a: {{ x" + " == x" * 3000 + " }}", "more than 60 operators in a row"),
    ("a: {{ x" + " ~ x" * 3000 + " }}", "more than 60 operators in a row"),
    ("a: {{ x" + " | int" * 100 + " }}", "more than 60 operators in a row"),
    ("a: {{ x" + ".y" * 100 + " }}", "more than 60 operators in a row"),
    ("a: {{ x" + "[0]" * 100 + " }}", "more than 60 operators in a row"),
    ("a: {{ 1" + " + 1" * 100 + " }}", "more than 60 operators in a row"),
    ("a: {{ 1" + " and 1" * 100 + " }}", "more than 60 operators in a row"),
    ("a: {{ 1" + " + 1" * 20000 + " }}", _LONG),
    ("a: {{ 1" + " ~ 1" * 20000 + " }}", _LONG),
    ("a: {{ x" + " | int" * 20000 + " }}", _LONG),
    ("{{1}}" * 20000, _LONG),
    ("{% set a=1 %}" * 9000, _LONG),
    ("{% if 0 %}" + "{% elif 0 %}" * 9000 + "{% endif %}", _LONG),
    ("{% macro a() %}{% endmacro %}" * 4000, _LONG),
    # YAML
    ("[" * 100000, "nested more than 50 levels"),
    ("- " * 60000, "nested more than 50 levels"),
    ("? " * 60000, "nested more than 50 levels"),
    ("\n".join(" " * depth + "a:" for depth in range(400)), "nested more than 50 levels"),
    ("a: [" + "1," * 60000 + "]", "more than 10000 nodes"),
    ("- 1\n" * 30000, "more than 10000 nodes"),
    (
        "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b ["
        + "*a," * 9
        + "]\nc: &c ["
        + "*b," * 9
        + "]\nd: &d ["
        + "*c," * 9
        + "]\ne: ["
        + "*d," * 9
        + "]",
        "10000 nodes",
    ),
    ("a: {{ ('[' * 100000) | from_yaml }}", "nested more than 50 levels"),
    ("a: {{ ('[' * 100000) | from_json }}", "nested too deeply"),
]

# template, what the message has to contain
OUT_OF_REACH = [
    ("a: {{ ''.__class__ }}", "text has no fields"),
    ("a: {{ ''.__class__.__mro__[1].__subclasses__() }}", "text has no fields"),
    ("a: {{ ''['__class__'] }}", "text has no fields"),
    ("a: {{ [].__len__() }}", "a list has no method `__len__`"),
    ("a: {{ pod.__class__ }}", "`pod.__class__` is undefined"),
    ("a: {{ [''] | map(attribute='__class__') }}", "text has no fields"),
    ("a: {{ [''] | sort(attribute='__class__') }}", "text has no fields"),
    ("a: {{ '' | attr('__class__') }}", "there is no filter `attr`"),
    ("a: {{ '{0.__class__}'.format('') }}", "text has no method `format`"),
    ("a: {{ '{a}'.format_map({'a': 1}) }}", "text has no method `format_map`"),
    ("a: {{ ('%s' % '') }}", "text is formatted with `%`"),
    ("a: {{ range.__globals__ }}", "`range` is undefined"),
    ("a: {{ cycler.__init__.__globals__ }}", "`cycler` is undefined"),
    ("a: {{ joiner }}", "`joiner` is undefined"),
    ("a: {{ lipsum(n=10 ** 6) }}", "there is no function `lipsum`"),
    ("a: {{ context }}", "`context` is undefined"),
    ("a: {{ environment }}", "`environment` is undefined"),
    ("a: {{ self._TemplateReference__context }}", "`self` is not supported"),
    ("{% macro m() %}{% endmacro %}a: {{ m._environment }}", "a macro has no fields"),
    ("{% macro m() %}{% endmacro %}a: {{ m.__call__.__globals__ }}", "a macro has no fields"),
    ("{% for x in [1] %}a: {{ loop._undefined }}{% endfor %}", "`loop` has no fields"),
    ("{% set n = namespace() %}a: {{ n._Namespace__attrs }}", "a namespace has no fields"),
    ("{% set n = namespace() %}a: {{ n['__class__'] }}", "a namespace has no fields"),
    ("{{ pod.update({'hacked': 1}) }}", "a map has no method `update`"),
    ("{{ pod.setdefault('k', 1) }}", "a map has no method `setdefault`"),
    ("{{ pod.pop('spec') }}", "a map has no method `pop`"),
    ("{{ values.list.append(1) }}", "a list has no method `append`"),
    ("{{ values.list.sort() }}", "a list has no method `sort`"),
    ("{% set values.list = 1 %}", "namespace() %}"),
    ("{% include '/etc/passwd' %}", "`include` is not supported"),
    ("a: {{ [1] | random }}", "there is no filter `random`"),
    ("a: {{ 'x' | center(10 ** 9) }}", "there is no filter `center`"),
    ("a: {{ 'x' | wordwrap(1) }}", "there is no filter `wordwrap`"),
    ("a: {{ [1] | batch(10 ** 9, 0) }}", "there is no filter `batch`"),
    ("a: {{ [1] | slice(10 ** 9) }}", "there is no filter `slice`"),
    ("a: {{ 'x' | urlize }}", "there is no filter `urlize`"),
    ("a: {{ {} | xmlattr }}", "there is no filter `xmlattr`"),
    ("a: {{ pod | pprint }}", "there is no filter `pprint`"),
    ("a: {{ 'x'.ljust(10 ** 9) }}", "text has no method `ljust`"),
    ("a: {{ 'x'.zfill(10 ** 9) }}", "text has no method `zfill`"),
    ("a: {{ 'x'.expandtabs(10 ** 9) }}", "text has no method `expandtabs`"),
    ("a: {{ 'x'.encode() }}", "text has no method `encode`"),
    ("a: {{ 'x'.translate({}) }}", "text has no method `translate`"),
    ("a: {{ dict(**[1]) }}", "no map is spread with `**`"),
    ("a: {{ (1).__add__ }}", "a number has no fields"),
    ("a: {{ omit.__class__ }}", "`omit` has no fields"),
]

_MOST_SECONDS = 0.3
"""Of CPU: ends of endless work are far beyond this, and the ordinary time of a case, about 0.03 s, far below."""
_ATTEMPTS = 3
"""The garbage collector, with much to look through late in a run, may fall into one of them."""


@pytest.mark.parametrize(("template", "phrase"), LIMITS, ids=[f"{template[:70]!r}" for template, _ in LIMITS])
def test_a_template_that_takes_too_much_is_stopped_with_its_line(template: str, phrase: str) -> None:
    seconds = []
    while min(seconds, default=_MOST_SECONDS) >= _MOST_SECONDS and len(seconds) < _ATTEMPTS:
        start = time.process_time()
        error = failure(template)
        seconds.append(time.process_time() - start)
    assert min(seconds) < _MOST_SECONDS
    assert phrase in str(error)
    assert error.place.line >= 1
    assert isinstance(error, TemplateLimitError)


@pytest.mark.parametrize(
    ("template", "phrase"), OUT_OF_REACH, ids=[f"{template[:70]!r}" for template, _ in OUT_OF_REACH]
)
def test_a_template_reaches_only_what_is_listed(template: str, phrase: str) -> None:
    assert phrase in str(failure(template))


@pytest.mark.parametrize(
    "template",
    [
        "\n" * 131000,
        "# " + "x" * 131000,
        "{#" + "x" * 131000 + "#}",
        " " * 131000 + "{% if true %}{% endif %}",
        "{{" + " " * 131000,
        "}}" * 60000,
        "{{" * 60000,
        "{%" * 60000,
        "{#" * 60000,
        "{{ '" * 30000,
        "{{-" * 40000,
        '"' * 131000,
        "*a " * 40000,
        "&a " * 40000,
        ": " * 60000,
        "!!str " * 20000,
        "a" * 130000 + ": 1",
        "a:\n" + "  x\n" * 30000,
        "{% set a=1 %}" * 1500,
        "a: '" + "{{ 1 }}" * 2000 + "'",
    ],
    ids=lambda template: f"{template[:20]!r}",
)
def test_long_sources_of_any_kind_are_rendered_or_refused_in_time(template: str) -> None:
    start, message = time.process_time(), ""
    try:
        compile_template("c/t", template).render(CONTEXT)
    except TemplateError as error:
        message = str(error)
    assert len(message) < 1000
    assert time.process_time() - start < _MOST_SECONDS


def test_a_limit_inside_a_loop_names_the_line_in_the_loop() -> None:
    error = failure("a: 1\n{% for i in range(9000) %}\n{% set x = range(9000) | sort %}\n{% endfor %}")
    assert error.place.line == 3


def test_nothing_is_computed_while_compiling() -> None:
    compile_template(
        "c/t",
        "{% if false %}{{ 2 ** 200000000 }}{{ 'a' * 10 ** 10 }}{{ [1] | first | fail }}{% endif %}".replace(
            "| fail", ""
        ),
    )
