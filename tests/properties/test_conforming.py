"""Overlays that conform when they are made are those that were printed and then made to conform."""

import contextlib
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar_injector.config.model import Position
from sidecar_injector.errors import TemplateError
from sidecar_injector.injection.conform import conform
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import OVERLAY, OVERLAY_SPEC, Field, Shape, Type
from sidecar_injector.injection.spots import OVERLAY_SPOT
from sidecar_injector.templating import OMIT, Template, compile_template
from sidecar_injector.templating.language.values import YamlText

COMMON_FIELDS = {
    *("metadata", "labels", "annotations", "spec", "containers", "sidecars", "volumes", "nodeSelector", "tolerations"),
    *("name", "value", "env", "args", "ports", "containerPort", "resources", "limits", "securityContext", "privileged"),
    *("runAsUser", "capabilities", "add", "readinessProbe", "httpGet", "port", "emptyDir", "sizeLimit"),
    *("apiVersion", "kind"),
}
"""Fields that are mostly drawn: they are of every kind, and lead to each other."""
VALUES: st.SearchStrategy[list[Any]] = st.tuples(
    st.sampled_from(["", "text", "100m", "true", "8080", YamlText("yaml")]),
    st.sampled_from([0, 8080, -3, 10**18, "1", "8080"]),
    st.sampled_from([True, False, "true", "false"]),
    st.sampled_from([None, OMIT]),
    st.sampled_from([{}, {"limits": {"cpu": 1}}, {"limits": None}, {"add": ["A"]}, {"name": 1}, {"x": [None]}]),
    st.sampled_from([[], ["a"], [1, True], [{"name": "x", "value": 3}], [{"containerPort": "80", "name": None}]]),
    st.sampled_from([None, 1.5, True, 1, "01", [None], {"$patch": "delete"}, {"a": None}, {"a": 1}, {"port": [1]}]),
).map(list)
"""What is printed: texts, numbers, booleans, nothing, maps, lists, anything."""
FITTING: Mapping[str, tuple[str, ...]] = {
    "string": ("{{ v[0] }}", "{{ v[1] }}", "{{ v[2] }}", '"{{ v[1] }}"', "x{{ v[1] }}", "x", "1", "true", "'1'", "1.5"),
    "quantity": ("{{ v[0] }}", "{{ v[1] }}", "100m", "1"),
    "integer": ("{{ v[1] }}", '"{{ v[1] }}"', "1", "'80'", "8{{ 0 }}"),
    "number": ("{{ v[1] }}", "1.5"),
    "boolean": ("{{ v[2] }}", '"{{ v[2] }}"', "true", "'false'", "{{ v[1] }}"),
    "int-or-string": ("{{ v[0] }}", "{{ v[1] }}", '"{{ v[1] }}"', "80", "http"),
}
"""How what mostly fits is printed, into fields of each kind."""
ANYTHING = (
    *(f"{{{{ v[{slot}] }}}}" for slot in range(7)),
    *('"{{ v[3] }}"', '"{{ v[6] }}"', "x{{ v[6] }}", "null", "1", "true", "x", "[]", "{}", "[a, null]", "{a: null}"),
)
anything = st.sampled_from(ANYTHING)


def scalar(field: Field | None) -> st.SearchStrategy[str]:
    return st.sampled_from(FITTING[field.scalar]) if field and field.scalar in FITTING else anything


@st.composite
def members(draw: st.DrawFn, schema: Type | None, depth: int) -> str:
    """A map in flow style: fields of a type, seldom ones it does not have, directives, printed keys."""
    known = sorted(COMMON_FIELDS.intersection(schema.fields)) if schema else []
    others = [*(sorted(schema.fields) if schema else ()), "unknown", "$patch"]
    drawn = (
        draw(st.lists(st.sampled_from(known), min_size=min(2, len(known)), max_size=4, unique=True)) if known else []
    )
    drawn += [key for key in draw(st.lists(st.sampled_from(others), max_size=1)) if key not in drawn]
    texts = [f"{key}: {draw(value_of(schema.fields.get(key) if schema else None, depth))}" for key in drawn]
    if draw(st.integers(0, 19)) == 19:
        texts.append(f'"k{{{{ v[1] }}}}": {draw(anything)}')
    return "{" + ", ".join(texts) + "}"


@st.composite
def value_of(draw: st.DrawFn, field: Field | None, depth: int) -> str:
    """What stands in a field: mostly what fits it."""
    luck = draw(st.integers(0, 39))
    if luck == 39 or field is None:
        return draw(anything)
    if luck > 34:
        return draw(st.sampled_from(["{{ v[3] }}", "null", "{{ omit }}", '"{{ omit }}"']))
    if field.shape is Shape.LIST:
        printed = st.just("{{ omit }}") if luck > 30 else one_of(field, depth - 1)
        return "[" + ", ".join(draw(st.lists(printed, min_size=1, max_size=2))) + "]"
    if field.shape is Shape.MAP:
        keys = st.sampled_from(["a", "b", "$retainKeys"])
        entries = draw(st.dictionaries(keys, one_of(field, depth - 1), max_size=3))
        return "{" + ", ".join(f"{key}: {text}" for key, text in entries.items()) + "}"
    return draw(one_of(field, depth - 1))


def one_of(field: Field, depth: int) -> st.SearchStrategy[str]:
    if field.type is None:
        return scalar(field)
    return members(field.type, depth) if depth > 0 else st.just("{}")


overlays = members(OVERLAY_SPEC, 7).map("{{metadata: {{labels: {{a: {{{{ v[1] }}}}}}}}, spec: {}}}".format) | members(
    OVERLAY, 7
)


def outcome(template: Template, values: list[Any], *, fitted: bool, strict: bool) -> object:
    """What comes of a template: the tree that conforms, or what is said of the error."""
    try:
        rendered = template.render({"v": values}, OVERLAY_SPOT if fitted else None)
        overlay = Overlay("t", Position(), rendered.tree, rendered.place, conforms=rendered.fits)
        return repr(conform(overlay, strict=strict).tree)
    except TemplateError as error:
        return type(error), str(error)


OFTEN = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


@OFTEN
@given(source=overlays, pods=st.lists(VALUES, min_size=1, max_size=3), strict=st.booleans())
def test_to_conform_at_once_is_to_be_printed_and_then_to_conform(source, pods, strict):
    template = compile_template("c/t", source)
    for values in pods:
        expected = outcome(template, values, fitted=False, strict=strict)
        assert outcome(template, values, fitted=True, strict=strict) == expected


def test_what_conforms_at_once_is_drawn_and_what_does_not():
    """The property above would say little if only one of the paths were taken, or only by what is next to nothing."""
    seen = {True: 0, False: 0}

    @settings(OFTEN, database=None, derandomize=True)
    @given(overlays, VALUES)
    def draw(source, values):
        with contextlib.suppress(TemplateError):
            seen[compile_template("c/t", source).render({"v": values}, OVERLAY_SPOT).fits] += len(source) > 80

    draw()
    assert seen[True] > 30
    assert seen[False] > 30
