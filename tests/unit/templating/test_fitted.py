"""Data as it fits what it is for."""

from itertools import permutations

import pytest

from sidecar_injector.errors import TemplateRenderError
from sidecar_injector.templating import ANYTHING, OMIT, Spot, Unfit, compile_template


class Words:
    """A spot of text: numbers become text, null is left out, anything else does not fit. It counts what it looks at."""

    def __init__(self):
        self.seen = []
        text = Spot(self.convert, common=str)
        self.spot = Spot(self.refuse, member=lambda key: ANYTHING if key == "any" else Spot(
            self.convert, common=str, member=lambda _: text, item=lambda: text
        ))  # fmt: skip

    def convert(self, value):
        self.seen.append(value)
        if value is None:
            return OMIT
        if isinstance(value, str | int):
            return str(value)
        raise Unfit

    def refuse(self, value):
        raise Unfit


def rendered(source, spot, **context):
    found = compile_template("c/t", source).render(context, spot)
    return found.fits, found.tree


FITTING = {
    "constants": ("a: 1\nb: x\nc:\nd: [1, {{ x }}]", {"x": "y"}, {"a": "1", "b": "x", "d": ["1", "y"]}),
    "constants alone": ("a: 1", {}, {"a": 1}),
    "printed values": ("a: {{ x }}\nb: {{ y }}", {"x": "one", "y": 2}, {"a": "one", "b": "2"}),
    "a quoted value": ("a: '{{ x }}'", {"x": 1}, {"a": "1"}),
    "text with a value in it": ("a: 1{{ x }}", {"x": 1}, {"a": "11"}),
    "null, printed": ("a: {{ x }}\nb: x", {"x": None}, {"b": "x"}),
    "omit": ("a: {{ omit }}\nb: '{{ omit }}'\nc: x", {}, {"c": "x"}),
    "omit in a list": ("a: [x, {{ omit }}, '{{ omit }}', {{ x }}, '{{ omit }}', y]", {"x": 1}, {"a": ["x", "1", "y"]}),
    "null in a list": ("a: ['{{ omit }}', {{ x }}, {{ omit }}, z]", {"x": None}, {"a": ["z"]}),
    "a map in a map": ("a: {b: {{ x }}, c: 1}", {"x": 1}, {"a": {"b": "1", "c": "1"}}),
    "what nothing is known about": ("any: {a: [{{ x }}, null]}", {"x": 1}, {"any": {"a": [1, None]}}),
    "nothing": ("# empty", {}, {}),
    "omit alone": ("{{ omit }}", {}, {}),
}


@pytest.mark.parametrize(("source", "context", "expected"), FITTING.values(), ids=FITTING)
def test_what_fits_comes_as_it_fits(source, context, expected):
    spot = Spot(lambda value: value, member=Words().spot.member)
    assert rendered(source, spot, **context) == (True, expected)


UNFIT = {
    "a constant": ("a: 1.5\nb: {{ x }}", {"x": 1}, {"a": 1.5, "b": 1}),
    "a printed value": ("a: {{ x }}\nb: 1", {"x": {"y": 1}}, {"a": {"y": 1}, "b": 1}),
    "a constant map where none may be": ("a: {b: {c: 1}}", {}, {"a": {"b": {"c": 1}}}),
    "a map where none may be": ("a: {b: {c: {{ x }}}}", {"x": 1}, {"a": {"b": {"c": 1}}}),
    "a list where none may be": ("a: {b: [{{ x }}]}", {"x": 1}, {"a": {"b": [1]}}),
    "all of it, printed": ("{{ x }}", {"x": {"a": 1}}, {"a": 1}),
}


@pytest.mark.parametrize(("source", "context", "expected"), UNFIT.values(), ids=UNFIT)
def test_what_does_not_fit_comes_as_it_was_printed(source, context, expected):
    template = compile_template("c/t", source)
    for _ in range(2):
        found = template.render(context, Words().spot)
        assert (found.fits, found.tree) == (False, expected)


def test_what_cannot_be_built_fails_at_its_line_whatever_it_is_for():
    with pytest.raises(TemplateRenderError) as caught:
        rendered("a: 1\nb: x{{ omit }}", Words().spot)
    assert caught.value.place.line == 2


def test_values_of_the_common_type_are_not_looked_at_and_constants_once():
    words = Words()
    template = compile_template("c/t", "a: {{ x }}\nb: 7\nc: '{{ x }}'\nd: [{{ x }}, k, {{ y }}]")
    for text in ("one", "two", "three"):
        assert template.render({"x": text, "y": 5}, words.spot).tree["d"] == [text, "k", "5"]
    assert words.seen == [7, "k", 5, 5, 5]


def test_what_is_not_printed_is_the_same_object_in_all_renderings():
    words = Words()
    template = compile_template("c/t", "a: {b: 1, c: x}\nd: {{ x }}")
    first, second = (template.render({"x": x}, words.spot).tree for x in ("one", "two"))
    assert first["a"] is second["a"]
    assert (first["d"], second["d"]) == ("one", "two")


def test_what_is_printed_into_is_made_anew_for_each_rendering():
    template = compile_template("c/t", "a: {b: {{ x }}, c: x}\nd: [k, {{ y }}]")
    words = Words()
    first, second = (template.render({"x": "one", "y": y}, words.spot).tree for y in ("two", "three"))
    assert (first["a"], second["a"]) == ({"b": "one", "c": "x"}, {"b": "one", "c": "x"})
    assert (first["d"], second["d"]) == (["k", "two"], ["k", "three"])


@pytest.mark.parametrize("values", list(permutations((1, True, 1.0), 2)), ids=str)
def test_a_value_that_is_equal_to_the_one_before_is_not_taken_for_it(values):
    as_it_is = Spot(lambda value: value, member=lambda _: Spot(lambda value: value))
    template = compile_template("c/t", "a: {{ x }}\nb: {c: {{ x }}}")
    for value in values:
        found = template.render({"x": value}, as_it_is).tree
        assert type(found["a"]) is type(found["b"]["c"]) is type(value)


def test_what_failed_to_fit_is_not_remembered():
    words = Words()
    template = compile_template("c/t", "a: {b: {{ x }}}")
    good, bad = "text", {"y": 1}
    for value, fits in ((good, True), (bad, False), (bad, False), (good, True)):
        assert template.render({"x": value}, words.spot).fits is fits


def test_a_template_is_rendered_for_several_uses():
    template = compile_template("c/t", "a: {{ x }}")
    assert template.render({"x": 1}, Words().spot).tree == {"a": "1"}
    assert template.render({"x": 1}).tree == {"a": 1}
    assert template.render({"x": 1}, Words().spot).tree == {"a": "1"}
