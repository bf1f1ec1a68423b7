"""Every limit is kept, and can be set."""

from dataclasses import fields, replace

import pytest

from sidecar_injector.errors import TemplateLimitError
from sidecar_injector.templating import Limits, compile_template

# limit, its value, a template that just fits, one that does not
CASES = [
    ("source", 4, "a: 1", "ab: 1"),
    ("tokens", 6, "a: {{ 1 }}", "a: {{ 1 + 1 + 1 }}"),
    ("nesting", 3, "a: {{ ((1)) }}", "a: {{ ((((1)))) }}"),
    (
        "nesting",
        3,
        "{% if 1 %}{% if 1 %}{% if 1 %}{% endif %}{% endif %}{% endif %}",
        "{% if 1 %}" * 4 + "{% endif %}" * 4,
    ),
    ("chain", 5, "a: {{ 1 + 1 + 1 }}", "a: {{ 1 + 1 + 1 + 1 + 1 + 1 }}"),
    ("steps", 30, "{% for i in range(5) %}{{ i }}: 1\n{% endfor %}", "{% for i in range(9) %}{{ i }}: 1\n{% endfor %}"),
    (
        "calls",
        2,
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(1) }}",
        "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    ),
    ("text", 8, "a: {{ 'abcd' ~ 'abcd' }}", "a: {{ 'abcde' ~ 'abcd' }}"),
    ("output", 40, "a: 1", "a: " + "x" * 40),
    ("result", 8, "a: {{ 'abcd' }}{{ 'abcd' }}", "a: {{ 'abcd' }}{{ 'abcde' }}"),
    (
        "result",
        8,
        "{% set b %}{{ 'abcd' }}{% endset %}a: {{ b }}",
        "{% set b %}{{ 'abcd' }}{% endset %}a: {{ b }}{{ b }}{{ b }}",
    ),
    ("nodes", 5, "a: [1, 2]", "a: [1, 2, 3, 4]"),
    ("depth", 3, "a: [[1]]", "a: [[[1]]]"),
    ("depth", 3, "a: {{ [[[1]]] }}", "a: {{ [[[[1]]]] }}"),
]


@pytest.mark.parametrize(("name", "value", "fits", "exceeds"), CASES)
def test_a_limit_lets_through_what_fits_and_nothing_more(name: str, value: int, fits: str, exceeds: str) -> None:
    limits = replace(Limits(), **{name: value})
    compile_template("c/t", fits, limits=limits).render({})
    with pytest.raises(TemplateLimitError):
        compile_template("c/t", exceeds, limits=limits).render({})
    compile_template("c/t", exceeds.replace("{{ m(n) }}", ""), limits=Limits()).render({})


def test_every_limit_is_in_the_table() -> None:
    assert {field.name for field in fields(Limits)} == {name for name, *_ in CASES}
