"""A quick look finds what the full one does: at what an overlay gave, and at labels and annotations that are fine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar_injector.config.model import Guardrail, Position
from sidecar_injector.injection.guardrails import breaches
from sidecar_injector.injection.judges import CONTAINER_CONTEXT, INNER, POD_CONTEXT, POD_SPEC
from sidecar_injector.injection.merge import strategic_merge
from sidecar_injector.injection.overlay import defined_names
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.profiles.istio.keys import KEYS, PREFIXES
from sidecar_injector.profiles.istio.native import with_containers_moved
from sidecar_injector.profiles.istio.overrides import has_any_of, overrides_of, without_auto_images
from sidecar_injector.profiles.istio.validate import on_the_keys, warnings
from sidecar_injector.profiles.istio.view import NOTHING
from sidecar_injector.profiles.istio.vocabulary import INJECTION
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap
from tests.properties.pods import keyed, some

PROFILES = st.none() | some({"type": st.sampled_from(["RuntimeDefault", "Unconfined", "Localhost"])})
ACTIONS = some({"host": st.sampled_from(["", "10.0.0.1", "node.example"]), "port": st.integers(1, 3)})
HANDLERS = some({"httpGet": st.none() | ACTIONS, "tcpSocket": ACTIONS, "exec": st.just({"command": ["true"]})})
CONTEXT = {
    "seccompProfile": PROFILES,
    "appArmorProfile": PROFILES,
    "seLinuxOptions": some({"type": st.sampled_from(["container_t", "spc_t"]), "user": st.just("u")}),
    "windowsOptions": some({"hostProcess": st.booleans()}),
}
CONTAINERS = some(
    {
        "image": st.just("example.com/app:1"),
        "securityContext": st.none()
        | some(
            {
                **CONTEXT,
                "privileged": st.booleans(),
                "procMount": st.sampled_from(["Default", "Unmasked"]),
                "capabilities": some({"add": st.lists(st.sampled_from(["NET_ADMIN", "CHOWN"]), max_size=2)}),
            }
        ),
        "ports": keyed(some({"hostPort": st.sampled_from([0, 80, 81])}), "containerPort", (80, 81), max_size=2),
        "livenessProbe": HANDLERS,
        "readinessProbe": HANDLERS,
        "lifecycle": st.none() | some({"postStart": HANDLERS, "preStop": HANDLERS}),
        "volumeMounts": keyed(
            some(
                {
                    "name": st.sampled_from(["data", "logs"]),
                    "mountPropagation": st.sampled_from(["Bidirectional", "HostToContainer"]),
                },
                required=("name",),
            ),
            "mountPath",
            ("/a", "/b"),
            max_size=2,
        ),
    }
)
TOKENS = some({"audience": st.sampled_from(["", "istio-ca", "kubernetes.default.svc", "https://api/x"])})
VOLUMES = keyed(
    st.one_of(
        st.just({"emptyDir": {}}),
        st.builds(lambda path: {"hostPath": {"path": path}}, st.sampled_from(["/", "/var"])),
        st.builds(lambda token: {"projected": {"sources": [{"serviceAccountToken": token}]}}, TOKENS),
    ),
    "name",
    ("data", "logs"),
    max_size=2,
)
SPECS = some(
    {
        "hostNetwork": st.booleans(),
        "hostUsers": st.booleans(),
        "automountServiceAccountToken": st.none() | st.booleans(),
        "serviceAccountName": st.sampled_from(["", "default", "other"]),
        "serviceAccount": st.sampled_from(["", "default", "other"]),
        "securityContext": st.none()
        | some(
            {
                **CONTEXT,
                "runAsNonRoot": st.booleans(),
                "sysctls": keyed(
                    some({"value": st.sampled_from("01")}), "name", ("kernel.msgmax", "net.ipv4.tcp_wmem")
                ),
            }
        ),
        "volumes": VOLUMES,
        "containers": keyed(CONTAINERS, "name", ("app", "side"), max_size=2),
        "initContainers": keyed(CONTAINERS, "name", ("init", "side"), max_size=2),
    }
)
CONFINED = st.sampled_from(["unconfined", "runtime/default"])
NOTES = st.dictionaries(st.sampled_from(["container.apparmor.security.beta.kubernetes.io/app", "a"]), CONFINED)
GUARDED = st.builds(lambda notes, spec: {"metadata": {"annotations": notes}, "spec": spec}, NOTES, SPECS)


@st.composite
def given_to(draw):
    """Two Pods, of which the second shares with the first all that an overlay has left as it was."""
    before = draw(GUARDED)
    after = strategic_merge(before, draw(GUARDED))
    gone = draw(st.sets(st.sampled_from(["securityContext", "hostUsers", "serviceAccountName", "volumes"])))
    return before, {**after, "spec": {key: value for key, value in after["spec"].items() if key not in gone}}


def items(pod, field):
    return pod["spec"].get(field) or []


def at(value, *path):
    for key in path:
        value = (value or {}).get(key)
    return value


def in_fields(rows, value, written, keys):
    """What is found in the fields of an object, of which the author has written others."""
    for field, row in rows.items():
        own = [each[field] for each in written if each and each.get(field) is not None]
        if found := row.judge(at(value, field), own):
            yield row.guardrail, (*keys, field, *INNER.get(field, ())), found


def in_container(container, own, host_paths, keys):
    if context := container.get("securityContext"):
        contexts = [each.get("securityContext") for each in own]
        yield from in_fields(CONTAINER_CONTEXT, context, contexts, (*keys, "securityContext"))
    for port in container.get("ports") or []:
        if port.get("hostPort") and not any(port in (each.get("ports") or []) for each in own):
            path = (*keys, "ports", str(port["containerPort"]), "hostPort")
            yield Guardrail.HOST_NAMESPACES, path, f"is {port['hostPort']}"
    known = [at(each, *path, kind, "host") for each in own for path in HANDLED for kind in ("httpGet", "tcpSocket")]
    for path in HANDLED:
        for kind in ("httpGet", "tcpSocket"):
            host = at(container, *path, kind, "host")
            if host and host not in known:
                yield Guardrail.HOST_NAMESPACES, (*keys, *path, kind, "host"), f"is {host!r}"
    for mount in container.get("volumeMounts") or []:
        mine = [each for item in own for each in item.get("volumeMounts") or [] if each["name"] == mount["name"]]
        path = (*keys, "volumeMounts", mount["mountPath"])
        if mount["name"] in host_paths and not mine:
            yield Guardrail.HOST_PATH, path, f"mounts {mount['name']}, a volume of type hostPath"
        shared = "Bidirectional" in [each.get("mountPropagation") for each in mine]
        if mount.get("mountPropagation") == "Bidirectional" and not shared:
            yield Guardrail.PRIVILEGED, (*path, "mountPropagation"), "is Bidirectional"


PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HANDLED = (*((name,) for name in PROBES), ("lifecycle", "postStart"), ("lifecycle", "preStop"))


def in_volume(volume, own, keys):
    path = volume.get("hostPath")
    if path and path not in [each.get("hostPath") for each in own]:
        yield Guardrail.HOST_PATH, (*keys, "hostPath"), f"is {path['path']!r}"
    known = [source for each in own for source in at(each, "projected", "sources") or []]
    for index, source in enumerate(at(volume, "projected", "sources") or []):
        audience = at(source, "serviceAccountToken", "audience")
        if source not in known and audience != "istio-ca":
            said = f"has audience {audience!r}, which is the API server's" if audience else "is for the API server"
            yield Guardrail.SERVICE_ACCOUNT, (*keys, "projected", "sources", str(index), "serviceAccountToken"), said


def long_way(before, after):
    """Everything that is found if everything is looked at."""
    was, now = before["spec"], after["spec"]
    yield from in_fields(POD_SPEC, now, [was], ("spec",))
    old, new = (spec.get("serviceAccountName") or spec.get("serviceAccount") or "default" for spec in (was, now))
    if old != new:
        yield Guardrail.SERVICE_ACCOUNT, ("spec", "serviceAccountName"), f"is {new!r}, and not {old!r}"
    contexts = [was.get("securityContext")]
    yield from in_fields(POD_CONTEXT, now.get("securityContext"), contexts, ("spec", "securityContext"))
    for volume in items(after, "volumes"):
        own = [each for each in items(before, "volumes") if each["name"] == volume["name"]]
        yield from in_volume(volume, own, ("spec", "volumes", volume["name"]))
    host_paths = [each["name"] for each in items(after, "volumes") if "hostPath" in each]
    for field in ("initContainers", "containers"):
        for container in items(after, field):
            name = container["name"]
            own = [each for list_ in CONTAINER_LISTS for each in items(before, list_) if each["name"] == name]
            if not any(each is container for each in own):
                yield from in_container(container, own, host_paths, ("spec", field, name))
    for key, value in after["metadata"]["annotations"].items():
        if key != "a" and value == "unconfined" != before["metadata"]["annotations"].get(key):
            yield Guardrail.PRIVILEGED, ("metadata", "annotations", key), "is 'unconfined'"


@given(given_to(), st.frozensets(st.sampled_from(list(Guardrail))))
def test_guardrails_find_what_is_found_if_everything_is_looked_at(both, allowed):
    before, after = both
    every = list(long_way(before, after))
    assert list(breaches(before, after, frozenset())) == every
    assert list(breaches(before, after, allowed)) == [each for each in every if each[0] not in allowed]


@given(GUARDED, st.frozensets(st.sampled_from(list(Guardrail))))
def test_what_the_author_wrote_is_no_breach(pod, allowed):
    assert breaches(pod, pod, allowed) == ()


def shared(value):
    """The same value as it is in all renderings of a template."""
    if isinstance(value, dict):
        return SharedMap({key: shared(item) for key, item in value.items()})
    return SharedList(map(shared, value)) if isinstance(value, list) else value


ALLOWED = st.frozensets(st.sampled_from(list(Guardrail)))
TEMPLATED = ("volumes", "containers", "initContainers")


@given(GUARDED, st.lists(st.tuples(GUARDED, st.booleans(), ALLOWED), min_size=1, max_size=2))
def test_what_was_harmless_in_one_pod_is_looked_at_in_the_next_if_it_could_be_a_breach_there(template, pods):
    """The Pods are given the very same objects; some have them in two lists, some have written as much themselves."""
    parts = {key: value for key, value in shared(template["spec"]).items() if key in TEMPLATED}
    for before, wrote_it, allowed in pods:
        was = {**before, "spec": {**before["spec"], **template["spec"]}} if wrote_it else before
        after = {**was, "spec": {**was["spec"], **parts}}
        every = list(long_way(was, after))
        assert list(breaches(was, after, allowed)) == [each for each in every if each[0] not in allowed]


NOWHERE = {"metadata": {}, "spec": {}}


def with_field(field, value):
    return {"metadata": {}, "spec": {"containers": [{"name": "app", field: value}]}}


@pytest.mark.parametrize(
    ("harmless", "field", "value"),
    [
        ("livenessProbe", "securityContext", {"privileged": True}),
        ("securityContext", "livenessProbe", {"httpGet": {"host": "10.0.0.1"}}),
        ("livenessProbe", "lifecycle", {"preStop": {"httpGet": {"host": "10.0.0.1"}}}),
        ("ports", "volumeMounts", [{"name": "x", "mountPath": "/a", "mountPropagation": "Bidirectional"}]),
        ("volumeMounts", "ports", [{"containerPort": 80, "hostPort": 80}]),
    ],
)
def test_a_value_that_is_harmless_in_one_field_is_looked_at_in_another(harmless, field, value):
    value = shared(value)
    for _ in range(2):
        assert breaches(NOWHERE, with_field(harmless, value), frozenset()) == ()
        assert len(breaches(NOWHERE, with_field(field, value), frozenset())) == 1


def test_a_mount_that_is_harmless_is_looked_at_where_its_volume_is_a_directory_of_the_node():
    pod = with_field("volumeMounts", shared([{"name": "data", "mountPath": "/a"}]))
    volumes = [{"name": "data", "hostPath": {"path": "/"}}]
    assert breaches(NOWHERE, pod, frozenset()) == ()
    given_to_it = breaches(
        {**NOWHERE, "spec": {"volumes": volumes}}, {**pod, "spec": pod["spec"] | {"volumes": volumes}}, frozenset()
    )
    assert [each.guardrail for each in given_to_it] == [Guardrail.HOST_PATH]


def test_a_context_that_is_harmless_is_looked_at_for_a_config_that_may_give_less():
    pod = with_field("securityContext", shared({"capabilities": {"add": ["NET_ADMIN"]}}))
    assert breaches(NOWHERE, pod, frozenset((Guardrail.ADDED_CAPABILITIES,))) == ()
    assert len(breaches(NOWHERE, pod, frozenset())) == 1


PREFIXED = st.builds("{}{}".format, st.sampled_from([*sorted(PREFIXES), "example.com"]), st.sampled_from(["/x", ""]))
WORDS = st.dictionaries(
    st.sampled_from([key.name for key in KEYS]) | PREFIXED | st.sampled_from(["app", "kubernetes.io/x", INJECTION]),
    st.sampled_from(["", "true", "false", "1", "x", "{}"]),
    max_size=3,
)


@given(WORDS, WORDS)
def test_nothing_is_said_only_of_labels_and_annotations_of_which_there_is_nothing_to_say(labels, annotations):
    pod = {"metadata": {"labels": labels, "annotations": annotations}}
    said = on_the_keys(pod)
    assert warnings(pod)[: len(said)] == said


NAMED = keyed(some({"image": st.sampled_from(["auto", "a:1"])}), "name", ("app", "side", "init"), max_size=1)
SMALL = st.builds(lambda main, init: {"spec": {"containers": main, "initContainers": init}}, NAMED, NAMED)


def names(pod):
    return {item["name"] for field in CONTAINER_LISTS for item in items(pod, field)}


@given(SMALL, st.lists(SMALL, max_size=2), st.booleans())
def test_a_pod_without_containers_of_the_templates_has_none_to_prepare_and_says_nothing_of_them(pod, trees, native):
    overlays = [Overlay("main", Position(), tree, lambda _: None) for tree in trees]
    assert has_any_of(pod, overlays) == any(not names(pod).isdisjoint(names(tree)) for tree in trees)
    if not has_any_of(pod, overlays):
        assert with_containers_moved(pod, overlays, native=native) is pod
        assert without_auto_images(pod, defined_names(overlays)) is pod
        assert not any(overrides_of(pod, pod, NOTHING, overlays).values())
