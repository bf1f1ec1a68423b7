"""The JSON Patch is right and small, whatever the two Pods."""

import copy
import json

import jsonpatch
import jsonpointer
from hypothesis import given
from hypothesis import strategies as st

from sidecar_injector.injection.merge import strategic_merge
from sidecar_injector.injection.patch import build_patch, same
from tests.properties.pods import containers, patches, pods

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
MUTATED_PODS = st.builds(
    lambda pod, extra: {**pod, "spec": {**pod["spec"], "future": extra}, "status": extra}, pods(), JSON_VALUES
)


def applied(pod, patch):
    return jsonpatch.JsonPatch(patch).apply(json.loads(json.dumps(pod)))


@given(MUTATED_PODS | pods(), MUTATED_PODS | pods())
def test_applying_the_patch_to_the_first_pod_gives_the_second(before, after):
    patch = build_patch(before, after)
    assert same(applied(before, patch), after)


@given(pods(), patches())
def test_a_merged_pod_is_reached_by_its_patch_and_the_original_is_left_alone(pod, overlay):
    untouched = copy.deepcopy(pod)
    merged = strategic_merge(pod, overlay)
    assert same(applied(pod, build_patch(pod, merged)), merged)
    assert same(pod, untouched)


@given(MUTATED_PODS)
def test_equal_pods_need_no_patch_even_when_they_share_nothing(pod):
    assert build_patch(pod, copy.deepcopy(pod)) == []


@given(JSON_VALUES, JSON_VALUES)
def test_sameness_is_that_of_json_and_not_of_python(left, right):
    assert same(left, right) == (json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True))


@given(pods(), patches())
def test_every_operation_is_needed(pod, overlay):
    merged = strategic_merge(pod, overlay)
    patch = build_patch(pod, merged)
    for index in range(len(patch)):
        assert not reaches(pod, patch[:index] + patch[index + 1 :], merged), patch[index]


def reaches(pod, patch, target):
    try:
        return same(applied(pod, patch), target)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException):
        return False


@given(pods(), containers(("proxy",), min_size=1))
def test_adding_a_container_is_one_operation_wherever_it_goes(pod, added):
    for at in range(len(pod["spec"]["containers"]) + 1):
        items = pod["spec"]["containers"]
        result = {**pod, "spec": {**pod["spec"], "containers": [*items[:at], *added, *items[at:]]}}
        assert [operation["op"] for operation in build_patch(pod, result)] == ["add"]


@given(pods())
def test_moving_a_container_is_one_operation(pod):
    items = pod["spec"]["containers"]
    moved = {**pod, "spec": {**pod["spec"], "containers": [*items[1:], items[0]]}}
    assert [operation["op"] for operation in build_patch(pod, moved)] == (["move"] if len(items) > 1 else [])
