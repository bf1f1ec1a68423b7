"""Overrides: typed knobs that a Namespace or a Pod turns by annotation, and nothing but what was declared."""

import pytest

from sidecar_injector.errors import ConfigError, PodRejected
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.names import GROUP, Reason
from tests.unit.injection.support import config, container, injected, outcome, pod
from tests.unit.profiles.istio.support import stock

SHOW = """
metadata:
  annotations:
    example.org/overrides: {{ overrides | to_json }}
"""


def declared(*overrides, template=SHOW, **spec):
    return config(template, overrides=list(overrides), **spec)


def turned(compiled, annotations=None, namespace=None):
    """Return what the template has seen, as JSON."""
    facts = ClusterFacts(namespaces={"shop": NamespaceFacts("shop", {}, namespace or {})})
    return injected(pod(annotations=annotations), compiled, facts=facts)["metadata"]["annotations"][
        "example.org/overrides"
    ]


def note(value, name="level"):
    return {f"{GROUP}/{name}": value}


def override(kind, **fields):
    return {"name": "level", "type": kind, **fields}


@pytest.mark.parametrize(
    ("fields", "text", "seen"),
    [
        (override("String"), 'a "b"\n{{ c }}', '{"level":"a \\"b\\"\\n{{ c }}"}'),
        (override("String"), "", '{"level":""}'),
        (override("String", enum=["info", "debug"]), "debug", '{"level":"debug"}'),
        (override("String", pattern="[a-z]+-[0-9]{1,3}"), "a-1", '{"level":"a-1"}'),
        (override("String", maxLength=3), "abc", '{"level":"abc"}'),
        (override("Integer"), "-7", '{"level":-7}'),
        (override("Integer", minimum=1, maximum=3), "3", '{"level":3}'),
        (override("Number", minimum="0.25"), "0.25", '{"level":0.25}'),
        (override("Number"), "2", '{"level":2}'),
        (override("Boolean"), "false", '{"level":false}'),
        (override("Quantity", minimum="100m", maximum="1"), "1000m", '{"level":"1000m"}'),
        (override("Quantity", maximum="1Gi"), "1024Mi", '{"level":"1024Mi"}'),
        (override("Duration", minimum="1s", maximum="1m"), "60000ms", '{"level":"60000ms"}'),
    ],
)
def test_a_value_that_is_allowed_is_seen_with_its_type(fields, text, seen):
    assert turned(declared(fields), note(text)) == seen


@pytest.mark.parametrize(
    ("fields", "text", "allowed"),
    [
        (override("String", enum=["info", "debug"]), "Debug", "info, debug"),
        (override("String", pattern="[a-z]+"), "a1", "text of at most 256 characters that matches [a-z]+"),
        (override("String", pattern="^[a-z]+$"), "a\n", "text of at most 256 characters that matches ^[a-z]+$"),
        (override("String", maxLength=3), "abcd", "text of at most 3 characters"),
        (override("String"), "a" * 257, "text of at most 256 characters"),
        (override("Integer"), "1.0", "a whole number"),
        (override("Integer"), "٣", "a whole number"),
        (override("Integer"), "9223372036854775808", "a whole number"),
        (override("Integer"), "", "a whole number"),
        (override("Integer", minimum=1), "0", "a whole number from 1"),
        (override("Integer", maximum=3), "4", "a whole number up to 3"),
        (
            override("Number", minimum="0.25", maximum=1),
            "0.2499999999999999999999",
            "a number such as 3 or 0.25 from 0.25 up to 1",
        ),
        (override("Number"), "nan", "a number such as 3 or 0.25"),
        (override("Number"), "1e3", "a number such as 3 or 0.25"),
        (override("Boolean"), "True", "true or false"),
        (override("Quantity", maximum="1Gi"), "1.1Gi", "a quantity such as 100m, 0.5 or 64Mi up to 1Gi"),
        (override("Quantity"), "much", "a quantity such as 100m, 0.5 or 64Mi"),
        (override("Duration", maximum="1m"), "61s", "a duration such as 500ms, 10s or 1h30m up to 1m"),
        (override("Duration"), "5", "a duration such as 500ms, 10s or 1h30m"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_what_is(fields, text, allowed):
    with pytest.raises(PodRejected) as caught:
        turned(declared(fields), note(text))
    assert caught.value.reason is Reason.INVALID_ANNOTATION
    shown = repr(text if len(text) <= 80 else f"{text[:80]}…")
    assert str(caught.value) == f"metadata.annotations[{GROUP}/level]: is {shown}; allowed: {allowed}"


def test_all_values_that_are_not_allowed_are_named_at_once():
    compiled = declared(override("Integer"), {"name": "b", "type": "Boolean"})
    with pytest.raises(PodRejected, match=r"/level\]: is 'x'.*; metadata.annotations\[.*/b\]: is 'y'"):
        turned(compiled, {**note("x"), **note("y", "b")})


def test_the_pods_word_wins_over_its_namespaces_which_wins_over_the_default():
    compiled = declared(override("Integer", default=1))
    assert turned(compiled) == '{"level":1}'
    assert turned(compiled, None, note("2")) == '{"level":2}'
    assert turned(compiled, note("3"), note("2")) == '{"level":3}'
    assert turned(compiled, note("3"), note("nonsense")) == '{"level":3}'


def test_an_override_that_nobody_turns_is_not_there_without_a_default():
    assert turned(declared(override("Integer"))) == "{}"
    template = 'metadata: {annotations: {a: "{{ overrides.level }}"}}'
    with pytest.raises(ConfigError, match="level"):
        declared(override("Integer"), template=template)
    asking = template.replace("overrides.level", "overrides.level | default('none')")
    assert injected(pod(), declared(override("Integer"), template=asking))["metadata"]["annotations"]["a"] == "none"


def test_a_bad_value_of_the_namespace_names_the_namespace():
    with pytest.raises(PodRejected) as caught:
        turned(declared(override("Integer")), None, note("x"))
    assert str(caught.value).startswith(f"namespace shop: metadata.annotations[{GROUP}/level]: is 'x'; allowed:")
    assert caught.value.of_namespace


def test_what_is_for_the_namespace_no_pod_may_turn():
    compiled = declared(override("Integer", **{"from": ["Namespace"]}))
    assert turned(compiled, None, note("2")) == '{"level":2}'
    with pytest.raises(PodRejected, match="is for the Namespace to say, not for a Pod"):
        turned(compiled, note("2"))


def test_what_is_for_pods_no_namespace_turns_and_its_author_is_told():
    compiled = declared(override("Integer", default=1, **{"from": ["Pod"]}))
    facts = ClusterFacts(namespaces={"shop": NamespaceFacts("shop", {}, note("2"))})
    result = outcome(pod(), compiled, facts=facts)
    assert result.pod["metadata"]["annotations"]["example.org/overrides"] == '{"level":1}'
    assert result.warnings == (f"namespace shop: annotation {GROUP}/level is ignored, because it is for Pods to say",)


def test_an_annotation_that_is_misspelt_is_named_with_the_override_that_was_meant():
    hint = f"unknown annotation '{GROUP}/levle' is ignored; did you mean {GROUP}/level?"
    facts = ClusterFacts(namespaces={"shop": NamespaceFacts("shop", {}, note("2", "levle"))})
    for compiled in (declared(override("Integer")), stock(overrides=[override("Integer")])):
        assert outcome(pod(annotations=note("1", "levle")), compiled).warnings == (hint,)
        assert outcome(pod(), compiled, facts=facts).warnings == (f"namespace shop: {hint}",)
        assert outcome(pod(annotations=note("1")), compiled).warnings == ()


def test_profile_istio_has_overrides_too():
    template = "spec: {containers: [{name: istio-proxy, env: [{name: LEVEL, value: '{{ overrides.level }}'}]}]}"
    compiled = stock(
        overrides=[override("String", default="x")],
        templates=[("mine", template)],
        defaultTemplates=["sidecar", "mine"],
    )
    proxy = container(injected(pod(annotations=note("y")), compiled), "istio-proxy")
    assert {"name": "LEVEL", "value": "y"} in proxy["env"]


def test_two_configs_may_have_the_same_override():
    for name, default in (("one", 1), ("two", 2)):
        compiled = declared(override("Integer", default=default), name=name)
        assert turned(compiled) == f'{{"level":{default}}}'
        assert turned(compiled, note("5")) == '{"level":5}'


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (override("Integer", default="x"), "default", "is 'x'; allowed: a whole number"),
        (override("Integer", minimum=3, default=2), "default", "is '2'; allowed: a whole number from 3"),
        (override("String", enum=["a", "b"], default="c"), "default", "is 'c'; allowed: a, b"),
        (override("Integer", minimum="few"), "minimum", "is 'few'; allowed: a whole number"),
        (override("Quantity", minimum="1Gi", maximum="1M"), "maximum", "is 1M, less than minimum, which is 1Gi"),
        (override("Duration", maximum=5), "maximum", "is '5'; allowed: a duration such as 500ms"),
        (override("String", pattern="(a"), "pattern", "is no pattern: ')' is missing"),
        (override("String", pattern="(a+)+$|b"), "pattern", "'$' stands before the end"),
        (override("String", pattern="a{9}", maxLength=8), "pattern", "which no text of at most 8 characters matches"),
        (override("String", pattern="a", enum=["a"]), "enum", "stands beside pattern; give one of them"),
        (override("String", enum=["abc"], maxLength=2), "enum[0]", "has 3 characters; maxLength allows 2"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(fields, path, message):
    with pytest.raises(ConfigError) as caught:
        declared(fields)
    [problem] = caught.value.problems
    assert problem.path == f"spec.overrides[0].{path}"
    assert message in problem.message


@pytest.mark.parametrize(
    ("fields", "tried"),
    [
        (override("Integer", minimum=-1, maximum=9, default=5), "'-1'"),
        (override("Integer", minimum=1, maximum=70000, default=5), "'70000'"),
        (override("Integer", maximum=70000, default=5, **{"from": ["Namespace"]}), "whose Namespace says"),
    ],
)
def test_a_config_is_tried_with_each_override_at_its_bounds(fields, tried):
    template = "spec: {sidecars: [{name: s, image: i, ports: [{containerPort: '{{ overrides.level }}'}]}]}"
    with pytest.raises(ConfigError, match=rf"allowed are 1 to 65535(?s:.*){tried}"):
        declared(fields, template=template)
    assert declared({**fields, "minimum": 1, "maximum": 65535}, template=template)


@pytest.mark.parametrize(
    ("fields", "tried"),
    [
        (override("Boolean", default="true"), "'false'"),
        (override("String", enum=["a", "b"], default="a"), "'b'"),
        (override("String", pattern="[^a]|aa", default="aa"), "'b'"),
        (override("String", maxLength=9, default="a"), "'xxxxxxxxx'"),
    ],
)
def test_a_config_is_tried_with_every_choice(fields, tried):
    template = (
        "{% if overrides.level in (true, 'a', 'aa') %}metadata: {labels: {a: b}}{% else %}spec: {nodes: 1, volumes: x}"
        "{% endif %}"
    )
    with pytest.raises(ConfigError, match=rf"says {GROUP}/level: {tried}"):
        declared(fields, template=template)


def test_the_digest_knows_overrides_and_a_config_without_any_keeps_its_own():
    plain = config(LABEL)
    assert declared(template=LABEL).digest == plain.digest == config(LABEL, guardrails={"allow": ["HostPath"]}).digest
    one, other = (declared(override("Integer", default=value), template=LABEL).digest for value in (1, 2))
    assert len({plain.digest, one, other}) == 3


LABEL = "metadata: {labels: {a: b}}"
