"""compile_config: templates, names, digest."""

from typing import Any

import pytest

from sidecar_injector.config import CompiledConfig, compile_config, parse_config
from sidecar_injector.errors import ConfigError, UnknownTemplateError
from tests.unit.config.resources import MINIMAL, edited, templates, with_match, with_spec, with_template

ALIASES = [{"name": "all", "templates": ["c", "a"]}, {"name": "some", "templates": ["b"]}]


def compiled(resource: dict[str, Any]) -> CompiledConfig:
    return compile_config(parse_config(resource))


def test_templates_keep_the_order_of_the_spec() -> None:
    assert list(compiled(with_spec(templates=templates("b", "c", "a"))).templates) == ["b", "c", "a"]


def test_compiled_templates_render() -> None:
    config = compiled(with_template(template="metadata: {labels: {of: {{ values.x }}}}"))
    assert config.templates["main"].template.render({"values": {"x": "y"}}).tree == {
        "metadata": {"labels": {"of": "y"}}
    }


def test_every_template_that_does_not_compile_is_a_problem_with_path_place_and_excerpt() -> None:
    broken = [{"name": "good", "template": "spec: {}"}, {"name": "bad", "template": "a: 1\nb: {{ }}"}]
    with pytest.raises(ConfigError) as caught:
        compiled(with_spec(templates=[*broken, {"name": "worse", "template": "{% if %}"}]))
    assert [problem.path for problem in caught.value.problems] == [
        "spec.templates[1].template",
        "spec.templates[2].template",
    ]
    assert caught.value.problems[0].message.startswith("proxy/bad:2")
    assert "b: {{ }}" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("defaults", "expected"),
    [(None, ("a", "b", "c")), (["b"], ("b",)), (["all", "b"], ("c", "a", "b")), (["b", "some"], ("b",))],
)
def test_default_templates_are_expanded_once_each(defaults: list[str] | None, expected: tuple[str, ...]) -> None:
    resource = with_spec(templates=templates("a", "b", "c"), aliases=ALIASES, defaultTemplates=defaults)
    assert compiled(resource).default_names == expected


def test_names_that_a_pod_asks_for_are_expanded() -> None:
    config = compiled(with_spec(templates=templates("a", "b", "c"), aliases=ALIASES))
    assert config.expand(["some", "all", "a"]) == ("b", "c", "a")
    assert config.expand([]) == ()


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    config = compiled(with_spec(templates=templates("a", "b", "c"), aliases=ALIASES))
    with pytest.raises(UnknownTemplateError) as caught:
        config.expand(["a", "x", "y"])
    assert caught.value.names == ("x", "y")
    assert caught.value.known == ("a", "b", "c", "all", "some")


def test_a_digest_is_ten_hexadecimal_digits() -> None:
    digest = compiled(MINIMAL).digest
    assert len(digest) == 10
    assert set(digest) <= set("0123456789abcdef")


SAME_SIDECARS = [
    edited(metadata__generation=9, metadata__uid="x", metadata__labels={"a": "b"}),
    with_spec(mode="Audit"),
    with_spec(failurePolicy="Ignore"),
    with_spec(timeoutSeconds=9),
    with_spec(reinvocationPolicy="Never"),
    with_spec(order=1),
    with_match(podSelector={"matchLabels": {"a": "b"}}),
    with_match(namespaceSelector={"matchLabels": {"a": "b"}}),
    with_match(policy="Disabled"),
    with_match(neverInject=[{"matchLabels": {"a": "b"}}]),
    with_match(conditions=[{"name": "a", "expression": "true"}]),
    with_spec(defaultTemplates=["main"]),
    with_spec(revision="proxy"),
    with_spec(values={}),
]


@pytest.mark.parametrize("resource", SAME_SIDECARS)
def test_edits_that_leave_sidecars_alone_keep_the_digest(resource: dict[str, Any]) -> None:
    assert compiled(resource).digest == compiled(MINIMAL).digest


OTHER_SIDECARS = [
    edited(metadata__name="other", spec__revision="proxy"),
    with_spec(profile="Generic"),
    with_spec(revision="canary"),
    with_template(template="spec: { }"),
    with_template(name="renamed"),
    with_template(delimiters="Square"),
    with_template(position={"at": "First"}),
    with_template(position={"before": ["a"]}),
    with_template(position={"after": ["a"]}),
    with_spec(aliases=[{"name": "a", "templates": ["main"]}]),
    with_spec(values={"a": 1}),
    with_spec(values={"a": "1"}),
    with_spec(meshConfig={"a": 1}),
    with_spec(sidecarMode="Native"),
    with_spec(conflictPolicy="Skip"),
]


def test_values_come_in_the_order_of_the_api_server_so_that_equal_digests_inject_the_same() -> None:
    one, other = (
        compiled(with_spec(values={"env": env}, meshConfig=env))
        for env in ({"b": {"y": 1, "x": 2}, "a": 1}, {"a": 1, "b": {"x": 2, "y": 1}})
    )
    assert one.digest == other.digest
    assert repr(one.spec.values) == repr(other.spec.values)
    assert repr(one.spec.mesh_config) == repr({"a": 1, "b": {"x": 2, "y": 1}})


def test_every_edit_that_may_change_sidecars_changes_the_digest() -> None:
    digests = [compiled(resource).digest for resource in [MINIMAL, *OTHER_SIDECARS]]
    assert len(set(digests)) == len(digests)


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    one, two = {"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}
    assert compiled(with_spec(values=one)).digest == compiled(with_spec(values=two)).digest


def test_the_digest_is_the_same_in_every_process_and_release() -> None:
    resource = with_spec(profile="Generic", values={"text": "ü", "n": [1, 2.5, None, True]})
    assert compiled(resource).digest == "3826f347d5"


def test_a_template_that_an_edit_leaves_alone_is_not_compiled_again() -> None:
    first, second = (compiled(with_spec(values={"version": version})) for version in ("1", "2"))
    assert first.templates["main"].template is second.templates["main"].template
    assert first.serial != second.serial


@pytest.mark.parametrize(
    "edit",
    [
        edited(metadata__name="other"),
        with_template(name="other"),
        with_template(template="spec: {} "),
        with_template(delimiters="Square"),
    ],
)
def test_a_template_of_another_name_text_or_delimiters_is_another_one(edit: dict[str, Any]) -> None:
    (other,) = compiled(edit).templates.values()
    assert other.template is not compiled(MINIMAL).templates["main"].template
