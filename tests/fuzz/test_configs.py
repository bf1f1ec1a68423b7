"""Any SidecarInjectorConfig is accepted, or refused with the paths of what is wrong; and soon."""

import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar_injector.errors import ConfigError
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.istio.stock import stock_config
from sidecar_injector.templating import load_all_yaml
from tests.fuzz.mutation import ODD_VALUES, mutated
from tests.fuzz.profile import FUZZ
from tests.unit.config.accepted import ACCEPTED

MOST_SECONDS = 2.0
"""Of CPU; the stock config takes about a tenth of it."""
STOCK = load_all_yaml(stock_config(), "stock config")[0].value
CONFIGS = st.sampled_from([*(resource for _, resource in ACCEPTED), STOCK])
EXPRESSIONS = st.sampled_from(
    [
        "pod",
        "values",
        "namespace.labels",
        "'x'",
        "1",
        "[1, 2]",
        "{'a': 1}",
        "omit",
        "nope",
        "pod.spec.containers",
        "none",
    ]
)
FILTERS = st.sampled_from(
    [
        "",
        "|length",
        "|to_json",
        "|to_yaml",
        "|default('d')",
        "|first",
        "|int",
        "|join(',')",
        "|map('upper')|list",
        "|nope",
    ]
)
PIECES = st.one_of(
    st.builds("{{{{ {}{} }}}}".format, EXPRESSIONS, FILTERS),
    st.builds("{{% for x in {} %}}".format, EXPRESSIONS),
    st.builds("{{% if {} %}}".format, EXPRESSIONS),
    st.builds("{{% set {} = {} %}}".format, st.sampled_from(["a", "b", "pod"]), EXPRESSIONS),
    st.sampled_from(["{% endfor %}", "{% endif %}", "{% else %}", "{% macro m(a) %}", "{% endmacro %}", "{{ m(1) }}"]),
    st.sampled_from(
        ["spec:\n", "  containers:\n", "  - name: a\n", "    image: b\n", "{", "}", "[", "]", ": ", "- ", "\n"]
    ),
    st.sampled_from(
        ["&a ", "*a", "!!str ", "|\n", ">\n", '"', "'", "#", "---\n", "%YAML 1.2\n", "{{", "}}", "{%", "%}"]
    ),
    st.text(max_size=4),
)


def judge(resource: Any) -> None:
    start, problems = time.process_time(), None
    try:
        accept(resource)
    except ConfigError as error:
        problems = error.problems
    assert problems is None or (problems and all(problem.path and problem.message for problem in problems))
    assert time.process_time() - start < MOST_SECONDS


@settings(FUZZ)
@given(mutated(CONFIGS))
def test_mutated_configs_are_accepted_or_refused_with_paths(resource: Any) -> None:
    judge(resource)


@settings(FUZZ)
@given(ODD_VALUES)
def test_what_is_no_config_is_refused(resource: Any) -> None:
    judge(resource)


@settings(FUZZ)
@given(st.dictionaries(st.sampled_from(list(STOCK["spec"])), ODD_VALUES, max_size=4))
def test_odd_specs_are_accepted_or_refused_with_paths(fields: dict[str, Any]) -> None:
    judge({**STOCK, "spec": {**STOCK["spec"], **fields}})


@settings(FUZZ)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_random_templates_are_accepted_or_refused_with_paths(template: str) -> None:
    judge({**STOCK, "spec": {"profile": "Generic", "templates": [{"name": "t", "template": template}]}})
