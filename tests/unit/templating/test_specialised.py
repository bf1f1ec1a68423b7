"""What is done of a template when its config is accepted, what is left for every Pod, and when that may be used."""

import copy
import json

import pytest

from sidecar_injector.errors import TemplateError, TemplateLimitError
from sidecar_injector.injection.spots import OVERLAY_SPOT
from sidecar_injector.templating import OMIT, Limits, Steady, compile_template, steady_between
from sidecar_injector.templating.limits import DEFAULT_LIMITS, Delimiters
from sidecar_injector.templating.markers import readable
from sidecar_injector.templating.program import Program
from sidecar_injector.templating.shapes.plain import is_plain
from sidecar_injector.templating.specialised import Specialised
from tests.unit.templating.test_fitted import Words

VALUES = {
    "text": "abc",
    "number": 3,
    "on": True,
    "off": False,
    "list": ["a"],
    "empty": [],
    "map": {"k": "v"},
    "none": None,
}
PROXY = {"image": "proxy:1", "uid": 1337}
POD = {"name": "web", "list": ["x", "y"]}
CONTEXT = {"values": VALUES, "proxy": PROXY, "pod": POD}
STEADY = Steady({"values": VALUES}, {"proxy": {"image": PROXY["image"]}})


def specialised(source, steady=STEADY, limits=DEFAULT_LIMITS):
    program = Program("c/t", source, Delimiters.CURLY, limits)
    return Specialised(program, program.environment.parse_to_run(source), steady)


# the template, what of it is known, and how many values are left to be printed
DONE = {
    "a printed value": ("a: {{ values.text }}", ["abc"], 0),
    "a value that depends on the Pod": ("a: {{ pod.name }}", [], 1),
    "both": ("a: {{ values.text }}\nb: {{ pod.name }}\nc: {{ values.number }}", ["abc", 3], 1),
    "a member of a map that differs otherwise": ("a: {{ proxy.image }}\nb: {{ proxy['uid'] }}", ["proxy:1"], 1),
    "the whole of that map": ("a: {{ proxy }}", [], 1),
    "omit": ("a: {{ omit }}", [OMIT], 0),
    "omit in a list": ("a: [{{ omit }}, {{ values.text }}, '{{ omit }}']", [OMIT, "abc", OMIT], 0),
    "omit beside what depends on the Pod": ("a: [{{ omit }}, {{ pod.name }}]\nb: {{ omit }}", [OMIT, OMIT], 1),
    "null": ("a: {{ values.none }}", [None], 0),
    "a filter": ("a: {{ values.text | upper }}\nb: {{ pod.name | upper }}", ["ABC"], 1),
    "a method": ("a: {{ values.map.get('k') }}", ["v"], 0),
    "a function": ("a: {{ dict(k=values.text) }}", [{"k": "abc"}], 0),
    "a default": ("a: {{ values.nope.nope | default(1) }}", [1], 0),
    "arithmetic": ("a: {{ values.number * 2 - 1 }}", [5], 0),
    "a sign": ("a: {{ -values.number }}", [-3], 0),
    "text put together": ("a: {{ values.text ~ values.number }}", ["abc3"], 0),
    "a part of a text": ("a: {{ values.text[:2] }}", ["ab"], 0),
    "an item": ("a: {{ values.list[0] }}", ["a"], 0),
    "a list and a map": ("a: {{ [values.text, {'k': 1}] }}", [["abc", {"k": 1}]], 0),
    "comparisons": ("a: {{ 1 < values.number < 4 }}\nb: {{ 'a' in values.list }}", [True, True], 0),
    "a test": ("a: {{ values.nope is defined }}", [False], 0),
    "one side of `or` that decides": ("a: {{ values.text or pod.name }}", ["abc"], 0),
    "one side of `or` that does not": ("a: {{ values.off or pod.name }}", [], 1),
    "one side of `and` that decides": ("a: {{ values.off and pod.name }}", [False], 0),
    "the side of an inline `if` that is taken": ("a: {{ 1 if values.on else pod.name }}", [1], 0),
    "quoted": ("a: '{{ values.number }}'\nb: \"{{ pod.name }}\"", [3], 1),
    "within a longer text": ("a: x{{ values.number }}y{{ pod.name }}", [3], 1),
    "in a block scalar": ("a: |\n  {{ values.text }}\n", ["abc"], 0),
    "in a key": ("{{ values.text }}: 1", ["abc"], 0),
    "a name that is set": ("{% set x = values.text %}\na: {{ x }}{{ x }}", ["abc", "abc"], 0),
    "names that are set together": ("{% set x, y = values.text, pod.name %}\na: {{ x }}\nb: {{ y }}", ["abc"], 1),
    "a name that is set to a name": ("{% set x = values.map %}{% set y = x.k %}\na: {{ y }}", ["v"], 0),
    "a name that is set twice": ("{% set x = values.text %}{% set x = 1 %}\na: {{ x }}", [], 1),
    "a name that is set in a branch": ("{% if pod.name %}{% set x = 1 %}{% endif %}\na: {{ x }}", [], 1),
    "a name that is looked up before": ("a: {{ x | default(1) }}\n{% set x = values.text %}\nb: {{ x }}", [], 2),
    "a name that is a parameter, too": ("{% macro m(values) %}{% endmacro %}\na: {{ values.text }}", [], 1),
    "a namespace": ("{% set x = namespace(a=values.text) %}\na: {{ x.a }}", [], 1),
    "a block that is set": ("{% set x %}{{ values.text }}{% endset %}\na: {{ x }}", [], 1),
    "a branch that is taken": (
        "{% if values.on %}\na: {{ values.text }}\n{% else %}\nb: {{ pod.name }}\n{% endif %}",
        ["abc"],
        0,
    ),
    "a branch that is not": (
        "{% if values.off %}\na: {{ values.text }}\n{% else %}\nb: {{ pod.name }}\n{% endif %}",
        [],
        1,
    ),
    "no branch that is": ("{% if values.off %}\na: {{ values.text }}\n{% endif %}\nb: 1", [], 0),
    "a branch in the middle": (
        "{% if values.off %}\na: 1\n{% elif values.on %}\nb: {{ values.text }}\n{% elif pod.name %}\nc: 1\n{% endif %}",
        ["abc"],
        0,
    ),
    "a branch behind one that depends on the Pod": (
        "{% if pod.nope %}\na: {{ values.text }}\n{% elif values.on %}\nb: {{ values.number }}\n{% endif %}",
        ["abc", 3],
        0,
    ),
    "a branch in a branch": (
        "{% if values.on %}{% if values.on %}\na: {{ values.text }}\n{% endif %}{% endif %}",
        ["abc"],
        0,
    ),
    "a loop": ("a:\n{% for x in pod.list %}\n- {{ values.text }}\n{% endfor %}", [], 2),
    "a loop over what is known": ("a:\n{% for x in values.list %}\n- {{ x }}\n{% endfor %}", [], 1),
    "a loop over nothing": ("a:\n{% for x in values.empty %}\n- {{ x }}\n{% endfor %}", [], 0),
    "a loop over nothing with something else": (
        "{% for x in values.empty %}\n{% else %}\na: {{ pod.name }}\n{% endfor %}",
        [],
        1,
    ),
    "a macro": ("{% macro m(x) %}{{ x }}{{ values.text }}{% endmacro %}\na: {{ m(1) }}", [], 2),
    "what fails and is never asked for": (
        "{% if pod.nope %}\na: {{ values.text.x.upper() }}\n{% endif %}\nb: 1",
        [],
        0,
    ),
}


@pytest.mark.parametrize(("source", "known", "left"), DONE.values(), ids=DONE)
def test_what_depends_on_what_is_known_is_done_beforehand_and_the_rest_is_left(source, known, left):
    context = {**CONTEXT, "pod": {**POD, "nope": False}}
    short = specialised(source)
    pieces, state = short.run(context)
    assert list(short.known) == known
    assert state.slots[: len(known)] == known
    assert len(state.slots) - len(known) == left
    general = compile_template("c/t", source)
    tree = general.render(context).tree
    assert general.specialised([STEADY]).render(context).tree == tree
    assert texts(pieces) == texts(general._program.run(context)[0])


def texts(pieces):
    return readable("".join(pieces)).split()


# failing templates, and the line that they fail in
FAILING = {
    "what is known": ("a: 1\nb: {{ values.nope }}", 2),
    "what is known, in a name": ("{% set x = values.nope.nope %}\na: 1\nb: {{ x }}", 3),
    "what is known, in a test": ("a: 1\n\n{% if values.nope %}\nb: 1\n{% endif %}", 3),
    "what is known, in a branch that is taken": (
        "{% if values.on %}\n{% if values.on %}\na: {{ 1 // 0 }}\n{% endif %}{% endif %}",
        3,
    ),
    "what is known, in a loop": ("a:\n{% for x in values.text %}\n{% endfor %}", 2),
    "what depends on the Pod": ("a: {{ values.text }}\nb: {{ values.text }}\nc: {{ pod.nope }}", 3),
    "the refusal of a Pod": ("{% if values.on %}\na: {{ values.text }}\n{{ fail('no') }}\n{% endif %}", 3),
    "the YAML, behind what is known": ("a: {{ values.text }}\nb: {{ pod.name }}\n- c", 3),
    "a key twice, of which one is known": ("{{ values.text }}: 1\n{{ pod.name }}: 2\nabc: 3", 3),
    "omit in a text": ("a: {{ values.text }}\nb: x{{ omit }}", 2),
    "text of to_yaml": ("a: {{ values.text }}\nb: {{ values.map | to_yaml }}", 2),
    "a list where a map is expected": ("{% if values.on %}\n{{ values.list }}\n{% endif %}", 2),
}


@pytest.mark.parametrize(("source", "line"), FAILING.values(), ids=FAILING)
def test_what_fails_fails_with_the_same_words_at_the_same_line(source, line):
    general = compile_template("c/t", source)
    said = []
    for template in (general, general.specialised([STEADY])):
        with pytest.raises(TemplateError) as caught:
            template.render(CONTEXT)
        said.append((type(caught.value), str(caught.value)))
        assert caught.value.place.line == line
    assert said[0] == said[1]


def test_a_node_is_traced_to_the_line_that_printed_it() -> None:
    source = (
        "a: {{ pod.name }}\n{% if values.on %}\nb:\n- {{ omit }}\n- {{ values.text }}\n{% endif %}\nc: {{ pod.name }}\n"
    )
    rendered = compile_template("c/t", source).specialised([STEADY]).render(CONTEXT)
    assert [rendered.place(path).line for path in (["a"], ["b"], ["b", 0], ["c"])] == [1, 3, 5, 7]


OTHERS = {
    "the very same objects": ({}, True),
    "another Pod": ({"pod": {"name": "other"}}, True),
    "more variables": ({"more": 1}, True),
    "another member of which nothing was known": ({"proxy": {"image": PROXY["image"], "uid": 0}}, True),
    "equal objects": ({"values": copy.deepcopy(VALUES)}, False),
    "another value": ({"values": {**VALUES, "text": "other"}}, False),
    "another member": ({"proxy": {**PROXY, "image": "proxy:2"}}, False),
    "a member that is gone": ({"proxy": {"uid": 0}}, False),
    "no map where one was": ({"proxy": None}, False),
    "text where a map was": ({"proxy": "proxy"}, False),
    "a variable that hides what every template can name": ({"omit": 1}, False),
}
SOURCE = "{% if values.on %}\na: {{ values.text }}-{{ proxy.image }}\nb: {{ pod.name }}\nc: {{ omit }}\n{% endif %}"


@pytest.mark.parametrize(("change", "agrees"), OTHERS.values(), ids=OTHERS)
def test_what_was_done_is_used_only_where_all_that_was_known_is_the_very_same(change, agrees):
    context = {**CONTEXT, **change}
    assert specialised(SOURCE).agrees(context) is agrees
    general = compile_template("c/t", SOURCE)
    assert outcome(general.specialised([STEADY]), context) == outcome(general, context)


def test_a_variable_that_is_gone_is_missed() -> None:
    assert not specialised(SOURCE).agrees({"proxy": PROXY, "pod": POD})


def outcome(template, context):
    try:
        return template.render(context).tree
    except TemplateError as error:
        return str(error)


def test_only_what_was_needed_has_to_be_the_same() -> None:
    short = specialised("a: {{ proxy.image }}")
    assert short.needed == Steady({}, {"proxy": {"image": PROXY["image"]}})
    assert short.agrees({**CONTEXT, "values": {}})


def test_the_first_that_agrees_is_taken() -> None:
    source = "a: {{ values.text }}\nb: {{ proxy.image }}"
    template = compile_template("c/t", source).specialised([STEADY, Steady({"values": VALUES}, {})])
    assert template.render(CONTEXT).tree == {"a": "abc", "b": "proxy:1"}
    assert template.render({**CONTEXT, "proxy": {"image": "proxy:2"}}).tree == {"a": "abc", "b": "proxy:2"}


@pytest.mark.parametrize(
    ("source", "limits"),
    {
        "steps": ("a: {{ values.list | join(',') }}{{ range(300) | join(',') | length }}", Limits(steps=700)),
        "steps of both": ("a: {{ range(300) | list }}\nb: {{ pod.many | list }}", Limits(steps=900)),
        "room": ("a: {{ values.text }}\nb: {{ values.text }}\nc: {{ pod.name }}", Limits(result=8)),
        "output": ("a: {{ values.text }}\nb: {{ pod.name }}", Limits(output=40)),
    }.values(),
)
def test_a_limit_counts_what_was_done_beforehand(source, limits):
    context = {**CONTEXT, "pod": {**POD, "many": list(range(300))}}
    general = compile_template("c/t", source, limits=limits)
    with pytest.raises(TemplateLimitError) as expected:
        general.render(context)
    with pytest.raises(TemplateLimitError) as caught:
        general.specialised([STEADY]).render(context)
    assert str(caught.value) == str(expected.value)
    assert compile_template("c/t", source).render(context).tree, "it is no other limit"


def test_a_template_of_which_nothing_can_be_done_stays_as_it_is() -> None:
    template = compile_template("c/t", "a: {{ pod.name }}")
    assert template.specialised([STEADY]) is template
    assert template.specialised([]) is template


def test_what_takes_too_much_for_a_rendering_is_not_done_beforehand_either() -> None:
    source = "{% if pod.name == 'nobody' %}\na: {{ range(300) | list }}\n{% endif %}\nb: {{ values.text }}"
    template = compile_template("c/t", source, limits=Limits(steps=100)).specialised([STEADY])
    assert template.render(CONTEXT).tree == {"b": "abc"}


FITTING = {
    "a number where text belongs": "metadata: {labels: {a: {{ values.number }}, b: {{ pod.name }}}}",
    "a number where text belongs, and nothing else": "metadata: {labels: {a: {{ values.number }}}}",
    "the text of a number where a number belongs": "spec: {priority: '{{ values.number }}', hostname: {{ pod.name }}}",
    "null where a list belongs": "spec: {volumes: {{ values.none }}, hostname: {{ pod.name }}}",
    "null where text belongs": "spec: {hostname: {{ values.none }}, subdomain: {{ pod.name }}}",
    "omit in a list": "spec: {containers: [{{ omit }}, {name: {{ values.text }}}, {name: {{ pod.name }}}]}",
    "a map that fits": "metadata: {labels: {{ values.map }}}\nspec: {hostname: {{ pod.name }}}",
    "a list in a list": "spec: {containers: [{args: {{ values.list }}, command: [{{ pod.name }}]}]}",
    "what does not fit": "spec: {containers: {{ values.number }}, hostname: {{ pod.name }}}",
    "what never fits": "spec: {containers: {{ values.number }}}",
    "what is known to nobody": "spec: {other: {{ values.map }}, hostname: {{ pod.name }}}",
    "a map whose keys are printed": "metadata: {labels: {k{{ values.text }}: 1, l: {{ pod.name }}}}",
    "a directive": "spec: {containers: [{$patch: {{ values.text }}, name: {{ pod.name }}}]}",
}


@pytest.mark.parametrize("source", FITTING.values(), ids=FITTING)
def test_what_is_known_comes_as_it_fits(source):
    general = compile_template("c/t", source)
    special = general.specialised([STEADY])
    for _ in range(2):
        one, other = general.render(CONTEXT, OVERLAY_SPOT), special.render(CONTEXT, OVERLAY_SPOT)
        assert (other.fits, json.dumps(other.tree)) == (one.fits, json.dumps(one.tree))
        assert one.plain <= other.plain <= is_plain(other.tree)


def test_nothing_but_omit_is_no_value_to_be_fitted() -> None:
    rendered = compile_template("c/t", "{{ omit }}").specialised([STEADY]).render(CONTEXT, Words().spot)
    assert (rendered.fits, rendered.tree) == (True, {})


def test_a_name_that_a_branch_sets_is_the_variable_of_that_name_before() -> None:
    macro = "{% macro m() %}{{ x | default('nothing') }}{% endmacro %}\n"
    source = macro + "a: {{ m() }}\n{% if values.on %}{% set x = 1 %}{% endif %}\nb: {{ x }}"
    template, context = compile_template("c/t", source), {**CONTEXT, "x": "given"}
    assert template.specialised([STEADY]).render(context).tree == template.render(context).tree


def test_what_two_contexts_share_is_found_by_identity() -> None:
    shared, one = {"k": ["v"]}, {"a": 1}
    found = steady_between(
        {
            "same": shared,
            "equal": {"k": 1000},
            "part": {"same": shared, "equal": [1]},
            "none": None,
            "list": [1],
            "gone": one,
        },
        {"same": shared, "equal": {"k": 1001}, "part": {"same": shared, "equal": [1]}, "none": None, "list": [1]},
    )
    assert found == Steady({"same": shared, "none": None}, {"part": {"same": shared}})


def test_what_three_contexts_share_is_less() -> None:
    one, two = ["one"], ["two"]
    contexts = [
        {"a": one, "m": {"b": two, "c": one}},
        {"a": one, "m": {"b": two, "c": one}},
        {"a": one, "m": {"b": two}},
    ]
    assert steady_between(*contexts) == Steady({"a": one}, {"m": {"b": two}})
    assert steady_between(*contexts[:2]).covers(steady_between(*contexts))
    assert not steady_between(*contexts).covers(steady_between(*contexts[:2]))
