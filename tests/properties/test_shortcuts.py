"""What is skipped because it need not be looked at makes no difference: shared parts, plain patches, simple keys."""

import copy
import json

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar_injector.config.model import At, Position
from sidecar_injector.errors import TemplateError
from sidecar_injector.injection.guardrails import breaches
from sidecar_injector.injection.merge import strategic_merge, without_directives
from sidecar_injector.injection.overlay import apply_overlays
from sidecar_injector.injection.patch import build_patch, changes, same
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import TYPES_BY_NAME
from sidecar_injector.injection.spots import OVERLAY_SPOT
from sidecar_injector.injection.status import UNDO_LIMIT, Injected, Record, with_status
from sidecar_injector.injection.view import with_annotation
from sidecar_injector.templating import ANYTHING, compile_template
from sidecar_injector.templating.shapes.plain import is_plain
from tests.properties.pods import WORD_MAPS, containers, odd_pods, patches, pods

ANY_PODS = pods() | odd_pods()
INJECTED = Injected("config", "digest", "revision", ("main",), {})


def text(value):
    """JSON with the keys in their order."""
    return json.dumps(value)


@st.composite
def edited(draw):
    """Two Pods, of which the second shares with the first all that an overlay has left as it was."""
    before = draw(ANY_PODS)
    return before, strategic_merge(before, draw(patches()))


@given(edited())
def test_a_patch_is_the_same_whether_the_pods_share_what_did_not_change_or_not(both):
    before, after = both
    assert text(build_patch(before, after)) == text(build_patch(before, copy.deepcopy(after)))


@given(edited())
def test_a_status_is_the_same_whether_the_pods_share_what_did_not_change_or_not(both):
    before, after = both
    shared = with_status(before, after, INJECTED, Record())
    assert text(shared) == text(with_status(before, copy.deepcopy(after), INJECTED, Record()))


@given(edited(), ANY_PODS)
def test_a_patch_is_the_same_whether_the_changes_to_the_spec_are_known_already_or_not(both, other):
    """Those to a Pod that is not the one that came in, as when it is injected again, are of no use."""
    before, after = both
    done = changes(before, after)
    result = with_status(before, after, INJECTED, Record(), done.undo)
    assert text(result) == text(with_status(before, after, INJECTED, Record()))
    for came_in in (before, other):
        assert text(build_patch(came_in, result, done)) == text(build_patch(came_in, result))


NOTES = st.none() | WORD_MAPS
METADATA = st.lists(st.tuples(st.sampled_from(["labels", "annotations", "finalizers"]), NOTES)).map(
    lambda fields: {key: value for key, value in fields if value is not None}
)


EDITS = st.sampled_from(["nothing", "labels", "finalizers", "a label", "an annotation", "one less"])


@given(METADATA, METADATA, st.sampled_from(["status", "app", "x~y"]), EDITS)
def test_an_annotation_that_comes_last_makes_the_same_patch_as_one_that_was_there_already(was, now, key, then):
    before = {"metadata": was, "spec": {}}
    after = {"metadata": {**was, **now}, "spec": {}}
    noted = with_annotation(after, key, "text")
    metadata, notes = noted["metadata"], noted["metadata"]["annotations"]
    if then in ("labels", "finalizers"):
        metadata.pop(then, None)
    elif then == "a label":
        metadata["labels"] = {"a": "label"}
    elif then == "an annotation":
        metadata["annotations"] = {**dict.fromkeys(notes, "other"), key: "text"}
    elif then == "one less":
        metadata["annotations"] = dict([*notes.items()][1:])
    assert text(build_patch(before, noted, changes(before, after))) == text(build_patch(before, noted))


LABELLED = {"labels": {"app": "x"}}
NOTED = {**LABELLED, "annotations": {"a": "b"}}
BEHIND = {"annotations": {"a": "b"}, **LABELLED}


@pytest.mark.parametrize(
    ("was", "now", "follows"),
    [
        (LABELLED, NOTED, True),
        (NOTED, {**NOTED, "annotations": {"a": "b", "c": "d"}}, True),
        (NOTED, {**NOTED, "labels": {"app": "y"}}, False),
        ({"annotations": None}, {"annotations": {"a": "b"}}, True),
        (BEHIND, {"annotations": {"a": "b", "c": "d"}, "labels": {"app": "y"}}, False),
        (NOTED, NOTED, False),
        ({**NOTED, "annotations": {"status": "earlier"}}, NOTED, False),
    ],
)
def test_operations_with_an_annotation_more_follow_from_those_without_it_if_annotations_come_last(was, now, follows):
    before, after = {"metadata": was, "spec": {}}, {"metadata": now, "spec": {}}
    noted = with_annotation(after, "status", "text")
    found = changes(before, after).operations("metadata", was, noted["metadata"])
    assert (found is not None) == follows
    assert found is None or text(found) == text(build_patch(before, noted))


@pytest.mark.parametrize("notes", [{"a": "b", "c": "other"}, {"c": "d"}, {"c": "d", "a": "b"}])
def test_nothing_follows_if_something_else_was_done_to_the_annotations_since(notes):
    before = {"metadata": NOTED, "spec": {}}
    after = {"metadata": {**NOTED, "annotations": {"a": "b", "c": "d"}}, "spec": {}}
    noted = {**NOTED, "annotations": {**notes, "status": "text"}}
    done = changes(before, after)
    assert text(build_patch(before, {**after, "metadata": noted}, done)) == text(
        build_patch(before, {**after, "metadata": noted})
    )


@pytest.mark.parametrize(
    ("labels", "undo"), [({}, {}), ({"b": "1", "a": "2"}, {"metadata": {"labels": {"a": "-", "b": "-"}}})]
)
def test_the_undo_of_a_new_map_names_its_keys(labels, undo):
    assert text(changes({"metadata": {}}, {"metadata": {"labels": labels}}).undo) == text(undo)


def test_an_item_behind_all_others_is_added_at_the_end_wherever_that_is():
    lists = ([{"name": "a"}], [{"name": "0"}, {"name": "a"}, {"name": "b"}, {"name": "c"}])
    before, after = ({"spec": {"volumes": volumes}} for volumes in lists)
    paths = [operation["path"] for operation in build_patch(before, after)]
    assert paths == ["/spec/volumes/0", "/spec/volumes/-", "/spec/volumes/-"]


def test_no_field_of_a_pod_has_a_name_that_a_pointer_would_escape():
    names = {name for known in TYPES_BY_NAME.values() for name in known.fields}
    assert "containers" in names
    assert not [name for name in names if "~" in name or "/" in name]


@pytest.mark.parametrize(
    ("after", "operations", "undo"),
    [
        ({"b": "1"}, ["remove"], {"a": ["0"]}),
        ({"b": "1", "c": "3"}, ["remove", "add"], {"a": ["0"], "c": "-"}),
        ({"b": "2", "c": "3"}, ["remove", "replace", "add"], {"a": ["0"], "b": ["1"], "c": "-"}),
        ({"d": "4", "c": "3"}, ["remove", "remove", "add", "add"], {"a": ["0"], "b": ["1"], "c": "-", "d": "-"}),
    ],
)
def test_what_is_gone_from_a_map_is_removed_first_however_many_keys_it_has_now(after, operations, undo):
    was, now = ({"metadata": {"labels": labels}} for labels in ({"a": "0", "b": "1"}, after))
    assert [operation["op"] for operation in build_patch(was, now)] == operations
    assert text(changes(was, now).undo) == text({"metadata": {"labels": undo}})


@given(edited())
def test_guardrails_find_the_same_whether_the_pods_share_what_did_not_change_or_not(both):
    before, after = both
    assert breaches(before, after, frozenset()) == breaches(before, copy.deepcopy(after), frozenset())


@given(ANY_PODS, ANY_PODS)
def test_a_plain_patch_is_merged_as_it_would_be_if_it_were_searched_for_directives(live, other):
    patch = without_directives(other)
    assert is_plain(patch)
    assert text(strategic_merge(live, patch, plain=True)) == text(strategic_merge(live, patch))


@given(ANY_PODS, ANY_PODS, st.sampled_from(["containers", "volumes"]))
def test_new_items_stand_before_the_old_ones_whether_or_not_the_patch_names_an_old_one_too(live, other, field):
    """A patch that names the first of the old ones behind the new ones is ordered as it says, which is the same."""
    old = live["spec"].get(field) or []
    names = [item["name"] for item in old]
    new = [item for item in other["spec"].get(field) or [] if item["name"] not in names]
    merged = strategic_merge(live, {"spec": {field: new}})["spec"].get(field) or []
    named = strategic_merge(live, {"spec": {field: [*new, *({"name": name} for name in names[:1])]}})
    assert text(merged) == text([*without_directives(new), *old])
    assert text(named["spec"].get(field) or []) == text(merged)


POSITIONS = st.builds(
    Position,
    st.none() | st.sampled_from(At),
    st.sampled_from([(), ("init",), ("app", "web")]),
    st.sampled_from([(), ("log", "proxy")]),
)
OVERLAYS = st.builds(
    lambda pod, sidecars, position: Overlay(
        "main", position, {"spec": {**pod["spec"], "sidecars": sidecars}}, lambda _: None, plain=True
    ),
    pods(),
    containers(("side", "mesh")),
    POSITIONS,
)


NEW_LISTS = st.sampled_from([("initContainers",), ("containers",), ("initContainers", "containers")])


@given(pods(), st.lists(OVERLAYS, max_size=3), st.booleans(), NEW_LISTS)
def test_containers_of_a_new_list_stand_where_they_would_in_one_that_was_empty(pod, overlays, native, new):
    """So do the lists themselves: a patch is in their order. A Pod of placeholders has no list of its own."""
    spec = {key: value for key, value in pod["spec"].items() if key not in new}
    without, empty = {**pod, "spec": spec}, {**pod, "spec": {**{key: [] for key in new}, **spec}}
    result = apply_overlays(empty, overlays, native=native)
    kept = {key: value for key, value in result["spec"].items() if value or key not in new}
    assert text(apply_overlays(without, overlays, native=native)) == text({**result, "spec": kept})


ODD_KEYS = st.lists(st.sampled_from([1, True, 1.0, "1", "2", 2, None, "a/b"]), max_size=5)


@given(ODD_KEYS, ODD_KEYS, containers(("app",), min_size=1))
def test_items_are_told_apart_by_type_and_number_too(old, new, apps):
    """Ports of one number, or of keys that are the same to Python but not in JSON, keep to themselves."""
    before, after = (
        {"spec": {"containers": [{**apps[0], "ports": [{"containerPort": key, "name": name} for key in keys]}]}}
        for name, keys in (("a", old), ("b", new))
    )
    patch = build_patch(before, after)
    assert same(jsonpatch.JsonPatch(patch).apply(json.loads(json.dumps(before))), after)
    assert not any(operation["path"].endswith("containerPort") for operation in patch)


def test_variables_of_one_name_are_merged_into_one_if_they_are_new_and_kept_if_they_are_not():
    live = {"spec": {"containers": [{"name": "app", "env": [*variables("B", "C"), {"name": "B", "value": "last"}]}]}}
    patch = {"spec": {"containers": [{"name": "app", "env": [*variables("A"), {"name": "A", "value": "last"}]}]}}
    merged = strategic_merge(live, patch)["spec"]["containers"][0]["env"]
    assert [(item["name"], item["value"]) for item in merged] == [("A", "last"), ("B", ""), ("B", "last"), ("C", "")]


def variables(*names):
    return [{"name": name, "value": ""} for name in names]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "$patch", "a"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "$patch", "$setElementOrder/a"]), inner, max_size=2)
    ),
    max_leaves=4,
)
SOURCES = (
    "spec: {key: {{ first }}, text: '{{ second }}', list: [1, {{ second }}]}",
    "spec: {nodeSelector: {{ first }}, gone: {{ second or omit }}, volumes: null}",
    "spec: {nodeSelector: {a: {{ first }}}, hostname: null, other: {{ second }}}",
    "spec:\n  $patch: replace\n  key: {{ first }}",
    "spec: {key: {{ first }}, $retainKeys: {{ second or omit }}}",
    "spec: {'{{ second }}': 1, key: {{ first }}}",
    "{% if first %}spec: {volumes: {{ second }}}{% endif %}",
    "{{ first if first is mapping else {} }}",
)
ROUNDS = st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=3)


@given(st.sampled_from(SOURCES), st.sampled_from([ANYTHING, OVERLAY_SPOT]), ROUNDS)
def test_a_rendering_that_is_called_plain_has_neither_directives_nor_nulls(source, spot, rounds):
    template = compile_template("mesh/main", source)
    for first, second in rounds:
        try:
            rendered = template.render({"first": first, "second": second}, spot)
        except TemplateError:
            continue
        assert not rendered.plain or without_directives(rendered.tree) is rendered.tree


def test_a_rendering_with_empty_lists_and_printed_maps_is_called_plain():
    source = "spec:\n  nodeSelector: {{ selector }}\n  hostname: {{ name }}\n  volumes:\n"
    rendered = compile_template("mesh/main", source).render({"selector": {"a": "b"}, "name": "x"}, OVERLAY_SPOT)
    assert rendered.plain


def test_what_is_printed_later_is_looked_at_too():
    template = compile_template("mesh/main", "spec:\n  nodeSelector: {{ selector }}\n")
    selectors = ({"a": "b"}, {"a": None}, {"$patch": "delete"}, {"a": "c"})
    rendered = [template.render({"selector": selector}, OVERLAY_SPOT).plain for selector in selectors]
    assert rendered == [True, False, False, True]


def test_an_undo_is_left_out_only_if_it_is_too_large_itself():
    """What other configs have noted in the annotation is none of its size."""
    record = Record()
    much = json.dumps({"other": {"revision": "r", "undo": {"metadata": {"labels": {"x": ["y" * UNDO_LIMIT]}}}}})
    for value, recorded in (("y", True), ("y" * UNDO_LIMIT, False)):
        before = {"metadata": {"annotations": {record.annotation: much}, "labels": {"tier": value}}, "spec": {}}
        after = {**before, "metadata": {**before["metadata"], "labels": {"tier": "new"}}}
        noted = with_status(before, after, INJECTED, record)["metadata"]["annotations"][record.annotation]
        assert (json.loads(noted)["config"]["undo"] is not None) == recorded
