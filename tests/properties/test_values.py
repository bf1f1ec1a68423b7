"""Values on their way through a template: what is plain stays itself, and is measured with the same look."""

import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar_injector.templating.language.values import (
    OMIT,
    YamlText,
    compact_json,
    describe,
    plain,
    plain_and_size,
    size_of,
    text_of,
)


class Meter:
    """Counts the steps that are paid."""

    depth_limit = 50

    def __init__(self) -> None:
        self.paid = 0

    def charge(self, steps: int) -> None:
        self.paid += steps


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(max_size=5) | st.just("long " * 200)
keys = st.text(max_size=3)
json_values: st.SearchStrategy[Any] = st.recursive(
    leaves | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=10
)
other_values: st.SearchStrategy[Any] = st.recursive(
    leaves | texts | st.just(OMIT) | texts.map(YamlText),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=3).map(OrderedDict),
        st.dictionaries(keys, inner, max_size=3).map(MappingProxyType),
        st.dictionaries(keys, inner, max_size=3),
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(json_values)
def test_a_plain_value_stays_the_same_object(value):
    assert plain(value, Meter()) is value
    found, size = plain_and_size(value, Meter())
    assert found is value
    assert size == size_of(value)


@settings(deadline=None)
@given(other_values)
def test_a_value_is_measured_as_the_plain_value_that_it_becomes_for_the_same_price(value):
    one, two = Meter(), Meter()
    made = plain(value, one)
    found, size = plain_and_size(value, two)
    assert (found, size) == (made, size_of(made))
    assert one.paid == two.paid
    if made is not OMIT:
        assert json.loads(json.dumps(made)) == made


@settings(deadline=None)
@given(json_values)
def test_compact_json_is_what_python_writes(value):
    expected = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert compact_json(value) == expected
    assert text_of(value) == (value if isinstance(value, str) else expected)


@settings(deadline=None)
@given(json_values)
def test_a_value_is_called_the_same_if_it_is_of_a_type_of_its_own(value):
    """What is looked up by its type has the name that a look at its kind gives."""
    kinds: dict[type, type] = {
        kind: type("Own", (kind,), {}) for kind in (str, int, float, dict, list) if type(value) is kind
    }
    own = kinds[type(value)](value) if kinds else value
    assert describe(own) == describe(value)
