"""A specialised template renders what the template renders: the same data, the same errors, the same lines."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar_injector.errors import TemplateError
from sidecar_injector.injection.spots import OVERLAY_SPOT
from sidecar_injector.templating import Limits, Steady, compile_template

NAMES = ("x", "y", "z")
_ATOMS = st.sampled_from(
    [
        *("values.text", "values.number", "values.list", "values.map", "values.none", "values.no", "values.map.k"),
        *(
            "values",
            "values.list[0]",
            "values['text']",
            "values.nope.nope",
            "proxy.known",
            "proxy.map",
            "proxy.unknown",
        ),
        *("proxy['known']", "proxy", "proxy.nope", "pod.text", "pod.list", "pod.map", "pod.none", "pod", "nope"),
        *("omit", "1", "'text'", "true", "none", "[]", "{}", "[values.text, 1]", "{'k': values.text}", *NAMES * 3),
        *("namespace(a=1)", "range(2)", "dict(a=values.text)", "m(values.text)", "m(pod.text)"),
    ]
)


def _expressions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    forms = st.sampled_from(
        [
            *("({} or {})", "({} and {})", "(not {})", "({} == {})", "({} != {})", "({} < {})", "({} in {})"),
            *("({} not in {})", "({} ~ {})", "({} + {})", "({} * {})", "({} if {} else {})", "({} if {})", "(-{})"),
            *("({} | default({}))", "({} | default({}, true))", "({} | upper)", "({} | length)", "({} | to_json)"),
            *("({} | to_yaml)", "({} | join(','))", "({} | dictsort)", "({} | list)", "({} | first)", "{}.k", "{}[0]"),
            *("{}.get('k')", "{}.get('k', {})", "{}.items()", "({} is defined)", "({} is mapping)", "[{}, {}]"),
            *("{{'k': {}}}", "({} | map('upper') | list)", "({} | required({}))", "{}[:1]", "{}[{}]", "(1 < {} < 3)"),
        ]
    )
    return st.tuples(forms, inner, inner, inner).map(lambda found: found[0].format(*found[1:]))


_WORKING = st.sampled_from(
    [
        *("{v}.text", "{v}.text | upper", "{v}.number + 1", "{v}.list", "{v}.list | join(',')", "{v}.map", "{v}.none"),
        *("{v}.text ~ {w}.text", "{v}.none or {w}.text", "{v}.no and {w}.text", "{v}.text == {w}.text", "not {v}.no"),
        *("{v}.nope | default({w}.list)", "{v}.none or omit", "{v}.text in {w}.list", "({w}.text if {v}.no else 1)"),
        *("({v}.text if {v}.number < 3 else {w}.text)", "[{v}.text, {w}.none]", "{{'k': {v}.map, 'l': {w}.list}}"),
        *(
            "{v}.map.get('k')",
            "{v}.map.get('k', {w}.map)",
            "{v}.map | dictsort",
            "{v}.map.items()",
            "{v}.list | length",
        ),
        *(
            "{v}.map | to_json",
            "{v}.list[0]",
            "{v}['text'][:1]",
            "{v}.text is defined",
            "x is defined",
            "x | default(1)",
        ),
        *(
            "{v}.number * 2",
            "-{v}.number",
            "0 < {v}.number < {w}.number",
            "range({v}.number) | list",
            "dict(a={v}.map)",
        ),
        *(
            "{v}.list | map('upper') | list",
            "m({v}.text)",
            "omit",
            "1",
            "'text'",
            "y | default(omit)",
            "z | default(2)",
        ),
    ]
)
_working = st.tuples(
    _WORKING,
    *[st.sampled_from(["values", "values", "values", "proxy.known", "proxy.known", "proxy.unknown", "pod"])] * 2,
).map(lambda found: found[0].format(v=found[1], w=found[2]))
_any = st.recursive(_ATOMS, _expressions, max_leaves=4)
expressions = st.integers(0, 15).flatmap(lambda chance: _working if chance else _any)
_KEYS = st.integers(0, 99).map("k{}".format)
_PRINTS = st.tuples(
    st.sampled_from(
        [
            *("{0}: {{{{ {1} }}}}\n", "{0}: {{{{ {1} }}}}\n", "{0}: '{{{{ {1} }}}}'\n", "{0}: a{{{{ {1} }}}}b\n"),
            *("{0}: [{{{{ {1} }}}}, x, '{{{{ {1} }}}}']\n", "{0}: {{a: {{{{ {1} }}}}, b: {{{{ {2} }}}}}}\n"),
            *("{0}: |\n  a\n  {{{{ {1} }}}}\n", "{0}:\n  {{{{ {1} }}}}: {{{{ {2} }}}}\n", "{0}: >-\n  {{{{ {1} }}}}\n"),
            *("{0}: !!str {{{{ {1} }}}}\n", "# {{{{ {1} }}}}\n", "{0}: &{0} {{{{ {1} }}}}\nl{0}: *{0}\n"),
            "{0}: {{% if {1} %}}a{{{{ {2} }}}}{{% endif %}}\n",
        ]
    ),
    _KEYS,
    expressions,
    expressions,
).map(lambda found: found[0].format(*found[1:]))
_SETS = st.one_of(
    st.tuples(st.sampled_from(NAMES), expressions).map(lambda found: "{{% set {} = {} %}}\n".format(*found)),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), expressions, expressions).map(
        lambda found: "{{% set {}, {} = {}, {} %}}\n".format(*found)
    ),
    st.tuples(st.sampled_from(NAMES), expressions).map(
        lambda found: "{{% set {} %}}t{{{{ {} }}}}{{% endset %}}\n".format(*found)
    ),
)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, max_size=3).map("".join)
    forms = st.sampled_from(
        [
            *("{{% if {0} %}}\n{2}{{% endif %}}\n", "{{% if {0} %}}\n{2}{{% else %}}\n{3}{{% endif %}}\n"),
            *("{{% if {0} %}}\n{2}{{% elif {1} %}}\n{3}{{% else %}}\n{4}{{% endif %}}\n",) * 2,
            *("{{% for x in [{0}, {1}] %}}\n{2}{{% endfor %}}\n", "{{% for x in values.list %}}\n{2}{{% endfor %}}\n"),
            *(
                "{{% for y in pod.list %}}\n{2}{{% else %}}\n{3}{{% endfor %}}\n",
                "{{% for x in [] %}}{2}{{% endfor %}}\n",
            ),
            *(
                "{{% for x in {0} %}}\n{2}{{% endfor %}}\n",
                "{{% for x, y in values.map | dictsort %}}\n{2}{{% endfor %}}\n",
            ),
            *("{{% macro m(x) %}}\n{2}{{% endmacro %}}\n", "{{% with y = {0} %}}\n{2}{{% endwith %}}\n"),
            *("{{% call n({0}) %}}\n{2}{{% endcall %}}\n", "f: {{% filter upper %}}{{{{ {0} }}}}{{% endfilter %}}\n"),
        ]
    )
    return st.tuples(forms, expressions, expressions, body, body, body).map(lambda found: found[0].format(*found[1:]))


statements = st.recursive(_PRINTS | _PRINTS | _SETS, _blocks, max_leaves=5)
_MACROS = "{% macro m(a) %}[{{ a }}, {{ values.text }}]{% endmacro %}{% macro n(a) %}{{ caller() }}{% endmacro %}\n"
templates = st.lists(statements, min_size=2, max_size=7).map(lambda found: _MACROS + "".join(found))
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b: c", "text", "x" * 90]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["k", "l"]), inner, max_size=2),
    max_leaves=4,
)
_texts = st.sampled_from(["", "a", "b: c", "text", "x" * 90])
typed = st.fixed_dictionaries(
    {
        "text": _texts,
        "number": st.integers(0, 3),
        "list": st.lists(_texts, max_size=3),
        "map": st.dictionaries(st.sampled_from(["k", "l"]), values, max_size=2),
        "none": st.none(),
        "no": st.booleans(),
    }
)
contexts = st.fixed_dictionaries(
    {
        "values": typed,
        "proxy": st.fixed_dictionaries({"known": typed, "map": values, "unknown": typed}),
        "pod": typed,
    },
    optional=dict.fromkeys(NAMES, values),
)
limits = st.sampled_from(
    [
        Limits(),
        Limits(),
        Limits(),
        Limits(steps=20),
        Limits(steps=60),
        Limits(result=40),
        Limits(output=300),
        Limits(text=20),
    ]
)


def outcome(template: Any, context: Any, spot: Any) -> Any:
    """Everything that can be told of a rendering: its data and where each part stands, or the error."""
    try:
        rendered = template.render(context, spot)
    except TemplateError as error:
        return type(error), error.place, str(error)
    places = [rendered.place(path) for path in paths(rendered.tree)]
    return json.dumps(rendered.tree), rendered.fits, places


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Any:
    yield path
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, member in inner:
        yield from paths(member, (*path, key))


def known_of(context: Any, *, variables: bool) -> Steady:
    """What is known of a context: all of `values`, some of `proxy`, and the variables that a template may set, too."""
    names = ("values", *(name for name in NAMES if name in context and variables))
    return Steady(
        {name: context[name] for name in names},
        {"proxy": {key: context["proxy"][key] for key in ("known", "map")}},
    )


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(templates, contexts, limits, st.booleans(), st.sampled_from([None, OVERLAY_SPOT]))
def test_a_specialised_rendering_is_the_rendering(source, context, limit, variables, spot):
    try:
        general = compile_template("c/t", source, limits=limit)
    except TemplateError:
        return
    known = known_of(context, variables=variables)
    special = general.specialised([known, Steady({"values": context["values"]}, {})])
    expected = outcome(general, context, spot)
    assert outcome(special, context, spot) == expected
    assert outcome(special, context, spot) == expected, "and again, with the plan that was kept"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(templates, contexts, contexts)
def test_a_template_that_was_specialised_for_one_config_renders_another_config_as_ever(source, context, other):
    try:
        general = compile_template("c/t", source)
    except TemplateError:
        return
    special = general.specialised([known_of(context, variables=True)])
    mixed = {**other, "values": context["values"]}
    for each in (other, mixed, {**context, "pod": other["pod"]}):
        assert outcome(special, each, None) == outcome(general, each, None)
