"""parse_config: what is accepted, what is refused and in which words, and what absent fields become."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar_injector.config import parse_config
from sidecar_injector.config.fields import MAX_DEPTH
from sidecar_injector.config.model import (
    At,
    ConflictPolicy,
    FailurePolicy,
    Guardrail,
    Match,
    MatchCondition,
    Mode,
    OverrideSpec,
    OverrideType,
    Policy,
    Position,
    ProfileName,
    ReinvocationPolicy,
    SidecarMode,
    Source,
    Spec,
    TemplateSpec,
)
from sidecar_injector.config.selectors import LabelSelector, Operator, Requirement
from sidecar_injector.errors import ConfigError, Problem
from sidecar_injector.templating import Delimiters
from tests.unit.config.accepted import ACCEPTED
from tests.unit.config.refused import REFUSED
from tests.unit.config.resources import MINIMAL, Refused, edited, with_match, with_spec, with_template


def problems_of(resource: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_config(resource)
    return caught.value.problems


@pytest.mark.parametrize("resource", [resource for _, resource in ACCEPTED], ids=[title for title, _ in ACCEPTED])
def test_what_the_schema_accepts_is_accepted(resource: dict[str, Any]) -> None:
    assert parse_config(resource).name == resource["metadata"]["name"]


@pytest.mark.parametrize("case", REFUSED, ids=[case.title for case in REFUSED])
def test_a_mistake_is_refused_once_with_the_path_of_its_field(case: Refused) -> None:
    [problem] = problems_of(case.resource)
    assert problem.path == case.path
    assert case.message in problem.message


def test_every_mistake_is_reported_at_once() -> None:
    resource = with_spec(mode="Off", timeoutSeconds=99, typo=1, templates=[{"name": "A", "template": ""}, {}])
    assert [problem.path for problem in problems_of(resource)] == [
        "spec.typo",
        "spec.templates[0].name",
        "spec.templates[0].template",
        "spec.templates[1].name",
        "spec.templates[1].template",
        "spec.mode",
        "spec.timeoutSeconds",
    ]


def test_the_error_names_the_config_and_lists_the_problems_line_by_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(with_spec(mode="Off", order=-1))
    assert caught.value.config == "proxy"
    assert str(caught.value).splitlines() == [
        "spec.mode: is 'Off'; allowed: Enforce, Audit, Disabled",
        "spec.order: is -1; allowed: 0 to 1000",
    ]


def test_absent_fields_get_the_documented_defaults() -> None:
    assert parse_config(MINIMAL).spec == Spec(
        profile=ProfileName.ISTIO,
        revision="proxy",
        mode=Mode.ENFORCE,
        match=Match(
            namespace_selector=None,
            pod_selector=LabelSelector(),
            conditions=(),
            policy=Policy.ENABLED,
            never_inject=(),
            always_inject=(),
        ),
        templates=(TemplateSpec("main", "spec: {}", Delimiters.CURLY, Position()),),
        default_templates=(),
        aliases={},
        values={},
        mesh_config={},
        sidecar_mode=SidecarMode.AUTO,
        conflict_policy=ConflictPolicy.MERGE,
        failure_policy=FailurePolicy.FAIL,
        timeout_seconds=5,
        reinvocation_policy=ReinvocationPolicy.IF_NEEDED,
        order=100,
        revision_history_limit=10,
        allowed=frozenset(),
        overrides=(),
    )


def test_only_profile_generic_has_namespaces_of_its_own_by_default() -> None:
    labelled = LabelSelector(match_labels=(("istio-injection", "enabled"),))
    for profile, expected in ((ProfileName.GENERIC, labelled), (ProfileName.ISTIO, None)):
        for match in ({}, {"policy": "Disabled"}, {"namespaceSelector": None}):
            assert parse_config(with_spec(profile=profile, match=match)).spec.match.namespace_selector == expected


def test_a_namespace_selector_is_taken_in_every_profile() -> None:
    for profile in ProfileName:
        resource = with_spec(profile=profile, match={"namespaceSelector": {"matchLabels": {"team": "a"}}})
        expected = LabelSelector(match_labels=(("team", "a"),))
        assert parse_config(resource).spec.match.namespace_selector == expected


def test_given_fields_are_read() -> None:
    resource = with_spec(
        profile="Generic",
        revision="canary",
        mode="Audit",
        match={
            "namespaceSelector": {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["dev", ""]}]},
            "podSelector": {"matchLabels": {"app": "web"}},
            "conditions": [{"name": "c", "expression": "true"}],
            "policy": "Disabled",
            "neverInject": [{"matchLabels": {"x": "y"}}],
            "alwaysInject": [{"matchExpressions": [{"key": "z", "operator": "Exists"}]}],
        },
        templates=[
            {"name": "a", "template": "x", "delimiters": "Square", "position": {"after": ["app", "web"]}},
            {"name": "b", "template": "y", "position": {"at": "First"}},
        ],
        defaultTemplates=["both", "b"],
        aliases=[{"name": "both", "templates": ["b", "a"]}],
        values={"list": [1, {"deep": None}]},
        meshConfig={"defaultConfig": {"a": 1}},
        sidecarMode="Classic",
        conflictPolicy="Skip",
        failurePolicy="Ignore",
        timeoutSeconds=30,
        reinvocationPolicy="Never",
        order=0,
        revisionHistoryLimit=3,
        guardrails={"allow": ["HostPath", "Privileged"]},
        overrides=[
            {
                "name": "level",
                "type": "String",
                "enum": ["info", "debug"],
                "default": "info",
                "description": "How much.",
            },
            {"name": "image", "type": "String", "pattern": "[a-z]+", "maxLength": 63, "from": ["Namespace"]},
            {"name": "cpu", "type": "Quantity", "minimum": "10m", "maximum": 2, "default": 1.0, "from": ["Pod"]},
        ],
    )
    assert parse_config(resource).spec == Spec(
        profile=ProfileName.GENERIC,
        revision="canary",
        mode=Mode.AUDIT,
        match=Match(
            namespace_selector=LabelSelector(match_expressions=(Requirement("env", Operator.NOT_IN, ("dev", "")),)),
            pod_selector=LabelSelector(match_labels=(("app", "web"),)),
            conditions=(MatchCondition("c", "true"),),
            policy=Policy.DISABLED,
            never_inject=(LabelSelector(match_labels=(("x", "y"),)),),
            always_inject=(LabelSelector(match_expressions=(Requirement("z", Operator.EXISTS),)),),
        ),
        templates=(
            TemplateSpec("a", "x", Delimiters.SQUARE, Position(after=("app", "web"))),
            TemplateSpec("b", "y", Delimiters.CURLY, Position(at=At.FIRST)),
        ),
        default_templates=("both", "b"),
        aliases={"both": ("b", "a")},
        values={"list": [1, {"deep": None}]},
        mesh_config={"defaultConfig": {"a": 1}},
        sidecar_mode=SidecarMode.CLASSIC,
        conflict_policy=ConflictPolicy.SKIP,
        failure_policy=FailurePolicy.IGNORE,
        timeout_seconds=30,
        reinvocation_policy=ReinvocationPolicy.NEVER,
        order=0,
        revision_history_limit=3,
        allowed=frozenset((Guardrail.HOST_PATH, Guardrail.PRIVILEGED)),
        overrides=(
            OverrideSpec(
                "level", OverrideType.STRING, ("info", "debug"), None, None, None, None, "info", frozenset(Source)
            ),
            OverrideSpec(
                "image", OverrideType.STRING, (), "[a-z]+", 63, None, None, None, frozenset((Source.NAMESPACE,))
            ),
            OverrideSpec("cpu", OverrideType.QUANTITY, (), None, None, "10m", "2", "1", frozenset((Source.POD,))),
        ),
    )


def test_generation_and_uid_come_from_the_cluster() -> None:
    config = parse_config(edited(metadata__generation=7, metadata__uid="5c0f"))
    assert (config.generation, config.uid) == (7, "5c0f")
    assert (parse_config(MINIMAL).generation, parse_config(MINIMAL).uid) == (0, "")


def test_a_whole_number_is_an_int_however_it_was_written() -> None:
    timeout = parse_config(with_spec(timeoutSeconds=7.0)).spec.timeout_seconds
    assert timeout == 7
    assert isinstance(timeout, int)


def test_the_config_does_not_change_when_the_resource_does() -> None:
    resource = with_spec(values={"a": {"b": [1]}})
    config = parse_config(resource)
    resource["spec"]["values"]["a"]["b"].append(2)
    assert config.spec.values == {"a": {"b": [1]}}


def nested(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_values_may_be_nested_deeply_but_not_without_end() -> None:
    assert parse_config(with_spec(values={"a": nested(MAX_DEPTH - 1)}))
    [problem] = problems_of(with_spec(values={"a": nested(MAX_DEPTH)}))
    assert problem.path.startswith("spec.values.a[0]")
    assert "nested deeper than 100 levels" in problem.message


def test_values_that_refer_to_themselves_are_refused() -> None:
    values: dict[str, object] = {}
    values["self"] = values
    assert "nested deeper" in problems_of(with_spec(values=values))[0].message


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"a": float("nan")}, "spec.values.a", "JSON"),
        ({"a": {1: "x"}}, "spec.values.a", "keys are text"),
        ({"a": {1, 2}}, "spec.values.a", "is a set, which JSON does not have"),
    ],
)
def test_values_that_json_cannot_hold_are_refused(values: dict[str, object], path: str, message: str) -> None:
    [problem] = problems_of(with_spec(values=values))
    assert problem.path == path
    assert message in problem.message


def test_a_typo_in_a_selector_is_not_reported_as_an_empty_selector_too() -> None:
    [problem] = problems_of(with_match(neverInject=[{"matchLabel": {"a": "b"}}]))
    assert problem.path == "spec.match.neverInject[0].matchLabel"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything inside a resource."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, member in inside for found in [(*path, key), *places(member, (*path, key))]]


FULL = with_spec(
    match={"podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, "neverInject": []},
    templates=[{"name": "a", "template": "x", "position": {"before": ["app"]}}],
    aliases=[{"name": "b", "templates": ["a"]}],
    defaultTemplates=["b"],
    values={"x": {"y": 1}},
)


@given(path=st.sampled_from(places(FULL)), value=JSON)
def test_nothing_but_a_config_error_comes_of_nonsense(path: tuple[Any, ...], value: object) -> None:
    resource = copy.deepcopy(FULL)
    target: Any = resource
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    problems: tuple[Problem, ...] = ()
    try:
        parse_config(resource)
    except ConfigError as error:
        problems = error.problems
    assert all(problem.path and problem.message for problem in problems)


def test_the_template_is_kept_to_the_letter() -> None:
    text = "spec:\n  sidecars: []  # \u00fc\n"
    assert parse_config(with_template(template=text)).spec.templates[0].template == text
