"""Where in the template a node of the rendered tree comes from."""

import pytest

from sidecar_injector.errors import Place, TemplateRenderError
from sidecar_injector.templating import Delimiters, Limits, compile_template
from sidecar_injector.templating.program import Program
from sidecar_injector.templating.shapes.tracing import LineMap
from tests.unit.templating.samples import CONTEXT

SOURCE = """\
{% macro env(name, value) %}
      - name: {{ name }}
        value: {{ value }}
{% endmacro %}
metadata:
  {{ "labels" }}:
    {{ values.text }}: {{ omit }}
    b: 1
spec:
  containers:
    {% for c in pod.spec.containers %}
    - name: {{ c.name }}
      env:
{{ env("A", 1) }}{{ env("B", omit) }}
    {% endfor %}
    - {{ omit }}
    - name: last
  x: {{ values.map }}
"""

PLACES = [
    ([], 5),
    (["metadata"], 5),
    (["metadata", "labels"], 6),
    (["metadata", "labels", "b"], 8),
    (["spec", "containers"], 10),
    (["spec", "containers", 0], 12),
    (["spec", "containers", 0, "name"], 12),
    (["spec", "containers", 1, "env"], 13),
    (["spec", "containers", 1, "env", 0], 2),
    (["spec", "containers", 1, "env", 1, "name"], 2),
    (["spec", "containers", 0, "env", 0, "value"], 3),
    (["spec", "containers", 2, "name"], 17),
    (["spec", "x"], 18),
    (["spec", "x", "y", "z"], 18),
    (["spec", "nope"], 9),
    (["spec", "containers", 9], 10),
    (["nope"], 5),
]


@pytest.mark.parametrize(("path", "line"), PLACES)
def test_a_node_is_traced_to_the_line_that_printed_it_or_its_ancestor(path: list[str | int], line: int) -> None:
    rendered = compile_template("c/t", SOURCE).render(CONTEXT)
    place = rendered.place(path)
    assert place == Place("c/t", line, place.column, SOURCE.split("\n")[line - 1])


def test_the_column_is_known_for_lines_that_are_printed_as_they_are() -> None:
    rendered = compile_template("c/t", "a:\n  b: 1\n  {{ 'c' }}: 2\n").render({})
    assert rendered.place(["a", "b"]).column == 3
    assert rendered.place(["a", "c"]).column == 3


def test_places_in_empty_and_one_value_templates() -> None:
    assert compile_template("c/t", "").render({}).place(["a"]).line == 1
    assert compile_template("c/t", "\n\n{{ x }}").render({"x": {"a": 1}}).place(["a"]).line == 3


def test_a_place_within_a_line_is_traced_to_what_printed_it() -> None:
    with pytest.raises(TemplateRenderError, match="cannot start with this character") as caught:
        compile_template("c/t", "{% macro m() %}@{% endmacro %}\na: [1, {{ m() }}, 2]\n").render({})
    assert caught.value.place.line == 1


def test_places_are_found_in_output_close_to_its_limit() -> None:
    with pytest.raises(TemplateRenderError) as caught:
        compile_template("c/t", "# 34567\n" * 16000 + "a: b: c").render({})
    assert caught.value.place.line == 16001


TRACED = [
    "{% set b %}x{% endset %}\n{% if b == 'x' %}\na: 1\n{% endif %}",
    "{% set b %}\n\n  x: {{ 1 }}\n\n{% endset %}\n{{ b | trim }}\ny: {{ b | length }}",
    "{% filter indent(2, first=true) %}\nx: {{ 1 }}\n\ny: 2\n{% endfilter %}",
    "a: |\n  x\n\n   y {{ 1 }}\n  {% if true %}\n  z\n  {% endif %}\nb: 1",
    "{% for i in range(3) recursive %}{% if loop.depth < 2 %}k{{ i }}: [{{ loop([i]) }}]\n{% else %}"
    "{{ i }}{% endif %}{% endfor %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}\nb: {{ 2 }}\n{% endcall %}",
    SOURCE,
]


@pytest.mark.parametrize("source", TRACED)
def test_tracing_does_not_change_what_is_rendered(source: str) -> None:
    program = Program("c/t", source, Delimiters.CURLY, Limits())
    assert LineMap(program.run_traced(CONTEXT)).shape == "".join(program.run(CONTEXT)[0])
