"""Who writes a config and who creates a Pod cannot surprise each other.

What the Pod's author wrote survives; annotations change what is injected only where that is declared; and nothing that
templates yield gives a Pod a privilege that the config is not allowed to give.
"""

import copy
import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sidecar_injector.config.model import Guardrail
from sidecar_injector.errors import ConfigError, GuardrailError, InjectionError, PodRejected
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.patch import same
from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.names import AUTO_IMAGE, GROUP
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.keys import BY_NAME
from tests.properties.pods import CONTAINER_FIELDS, METADATA_FIELDS, SPEC_FIELDS, containers, pods, some
from tests.unit.injection.support import config, injected, outcome
from tests.unit.profiles.istio.support import stock

MANY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
FACTS = st.sampled_from([ClusterFacts(), ClusterFacts(oldest_kubelet=(1, 28))])
ALLOW = st.sets(st.sampled_from(list(Guardrail)))
EVERYTHING = {"allow": [str(guardrail) for guardrail in Guardrail]}
TOKEN = {"path": "t"}
CONTEXTS = [
    {"privileged": True},
    {"procMount": "Unmasked"},
    {"capabilities": {"add": ["NET_ADMIN"]}},
    {"seccompProfile": {"type": "Unconfined"}},
    {"windowsOptions": {"hostProcess": True}},
    {"privileged": False, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}},
]
OF_CONTAINERS = [
    *({"securityContext": context} for context in CONTEXTS),
    {"livenessProbe": {"httpGet": {"port": 80, "host": "10.0.0.1"}}},
    {"livenessProbe": {"httpGet": {"port": 80}}},
    {"ports": [{"containerPort": 80, "hostPort": 1}]},
    {"ports": [{"containerPort": 80}]},
    {"volumeMounts": [{"name": "v", "mountPath": "/vv"}]},
    {"env": [{"name": "A", "value": "template"}], "args": ["template"], "tty": True},
]
OF_PODS = [
    {"hostNetwork": True},
    {"hostPID": True},
    {"hostIPC": True},
    {"hostUsers": False},
    {"serviceAccountName": "admin"},
    {"automountServiceAccountToken": True},
    {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
]
SOURCES = [
    {"emptyDir": {}},
    {"hostPath": {"path": "/"}},
    {"projected": {"sources": [{"serviceAccountToken": TOKEN}]}},
    {"projected": {"sources": [{"serviceAccountToken": {**TOKEN, "audience": "mine"}}]}},
]


def trees():
    """What a template may yield: one or two containers, of its own or of the Pod's names, in any list, and one more."""

    def container(name, fields):
        return {"name": name, "image": "registry.example/x:1", **fields}

    own = st.builds(
        container, st.sampled_from(["side", "proxy", "app", "log", "setup"]), st.sampled_from(OF_CONTAINERS)
    )
    placed = st.tuples(st.sampled_from(["sidecars", "containers", "initContainers"]), own)
    more = st.sampled_from([{}, *OF_PODS])
    volumes = st.sampled_from(SOURCES)
    return st.builds(
        lambda place, more, source: {"spec": {**more, place[0]: [place[1]], "volumes": [{"name": "v", **source}]}},
        placed,
        more,
        volumes,
    )


def risky_pods():
    """Pods, some of them with privileges of their own."""

    def merged(pod, more, source, context):
        changed = copy.deepcopy(pod)
        changed["spec"] = {**changed["spec"], **more, "volumes": [{"name": "own", **source}]}
        for item in own_containers(changed):
            item.pop("volumeMounts", None)
        changed["spec"]["containers"][0]["securityContext"] = context
        return changed

    more = st.just({}) | st.sampled_from(OF_PODS)
    return st.builds(merged, pods(), more, st.sampled_from(SOURCES), st.just({}) | st.sampled_from(CONTEXTS))


# --- guardrails


def privileges(pod):
    """What a Pod may do beyond an ordinary one, as (guardrail, where, what): counted without the code that is tried."""
    spec, found = pod["spec"], set()
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field) is True:
            found.add((Guardrail.HOST_NAMESPACES, "", field))
    if spec.get("automountServiceAccountToken") is True:
        found.add((Guardrail.SERVICE_ACCOUNT, "", "token"))
    found.add((Guardrail.SERVICE_ACCOUNT, "", spec.get("serviceAccountName") or "default"))
    if ((spec.get("securityContext") or {}).get("seccompProfile") or {}).get("type") == "Unconfined":
        found.add((Guardrail.PRIVILEGED, "", "seccomp"))
    for volume in spec.get("volumes") or []:
        if "hostPath" in volume:
            found.add((Guardrail.HOST_PATH, volume["name"], "hostPath"))
        for source in (volume.get("projected") or {}).get("sources") or []:
            if "serviceAccountToken" in source and not source["serviceAccountToken"].get("audience"):
                found.add((Guardrail.SERVICE_ACCOUNT, volume["name"], "projected"))
    for field in CONTAINER_LISTS:
        for item in spec.get(field) or []:
            found |= {(guardrail, item["name"], what) for guardrail, what in container_privileges(item)}
    return found


def container_privileges(item):
    context = item.get("securityContext") or {}
    if context.get("privileged") is True:
        yield Guardrail.PRIVILEGED, "privileged"
    if context.get("procMount") == "Unmasked":
        yield Guardrail.PRIVILEGED, "procMount"
    if (context.get("seccompProfile") or {}).get("type") == "Unconfined":
        yield Guardrail.PRIVILEGED, "seccomp"
    if (context.get("windowsOptions") or {}).get("hostProcess") is True:
        yield Guardrail.PRIVILEGED, "hostProcess"
    for name in (context.get("capabilities") or {}).get("add") or []:
        yield Guardrail.ADDED_CAPABILITIES, name
    for port in item.get("ports") or []:
        if port.get("hostPort"):
            yield Guardrail.HOST_NAMESPACES, f"hostPort {port['hostPort']}"
    host = ((item.get("livenessProbe") or {}).get("httpGet") or {}).get("host")
    if host:
        yield Guardrail.HOST_NAMESPACES, f"host {host}"


def asking(pod):
    notes = {**(pod["metadata"].get("annotations") or {}), "example.org/now": "yes"}
    return {**pod, "metadata": {**pod["metadata"], "annotations": notes}}


@settings(MANY, max_examples=300)
@given(risky_pods(), trees(), ALLOW, FACTS)
def test_no_injection_gives_a_privilege_that_is_not_allowed(pod, tree, allowed, facts):
    template = "{% if 'example.org/now' in pod.metadata.annotations %}\nspec: {{ values.spec }}\n{% endif %}"
    compiled = config(
        template, name="mesh", values={"spec": tree["spec"]}, guardrails={"allow": sorted(map(str, allowed))}
    )
    before = asking(pod)
    try:
        result = outcome(before, compiled, facts=facts).pod
    except GuardrailError:
        return
    except InjectionError:
        assume(False)
    gained = {guardrail for guardrail, _, _ in privileges(result) - privileges(before)}
    assert gained <= allowed


@MANY
@given(trees(), ALLOW)
def test_a_config_that_is_accepted_gives_the_samples_what_it_is_allowed_alone(tree, allowed):
    try:
        compiled = config(json.dumps(tree), name="mesh", guardrails={"allow": sorted(map(str, allowed))})
    except ConfigError:
        return
    bare = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "i"}]}}
    gained = {guardrail for guardrail, _, _ in privileges(injected(bare, compiled)) - privileges(bare)}
    assert gained <= allowed


# --- the Pod's author

KEPT = ("image", "command", "args", "workingDir", "tty", "resources", "securityContext", "livenessProbe")
KEYED = {"env": "name", "ports": "containerPort", "volumeMounts": "mountPath"}
PLAIN = st.builds(
    lambda metadata, spec, main, init: {
        "metadata": {"name": "pod", "namespace": "default", **metadata},
        "spec": {**spec, "containers": main, "initContainers": init},
    },
    some(METADATA_FIELDS),
    some({key: value for key, value in SPEC_FIELDS.items() if key != "serviceAccountName"}),
    containers(("app", "web", "log"), min_size=1),
    containers(("init", "setup")),
)


def own_containers(pod):
    return [item for field in CONTAINER_LISTS for item in pod["spec"].get(field) or []]


def assert_author_is_heard(pod, result, *, but=()):
    """Everything that the author wrote of containers is there; `but`: fields that a rule of the profile changes."""
    found = {item["name"]: item for item in own_containers(result)}
    for mine in own_containers(pod):
        kept = found[mine["name"]]
        for field, value in mine.items():
            if field in KEYED:
                assert [item for item in kept.get(field) or [] if item in value] == value, field
            elif field not in but and not (field == "image" and value == AUTO_IMAGE):
                assert same(kept[field], value) or over(kept[field], value), field


def over(kept, value):
    """Whether a map has all that the author's has."""
    return isinstance(value, dict) and all(
        key in kept and (same(kept[key], item) or over(kept[key], item)) for key, item in value.items()
    )


@MANY
@given(PLAIN, trees(), FACTS)
def test_what_the_author_wrote_of_containers_survives_any_template(pod, tree, facts):
    compiled = accepted(tree)
    assume(compiled is not None)
    try:
        result = outcome(pod, compiled, facts=facts).pod
    except InjectionError:
        return
    assert_author_is_heard(pod, result)
    assert [
        item["name"] for item in result["spec"]["containers"] if item["name"] in names_of(pod, "containers")
    ] == names_of(pod, "containers")


def accepted(tree):
    """The config of a template that yields the tree, None if it is none."""
    try:
        return config("spec: {{ values.spec }}", values={"spec": tree["spec"]}, guardrails=EVERYTHING)
    except ConfigError:
        return None


def names_of(pod, field):
    return [item["name"] for item in pod["spec"].get(field) or []]


STOCK = stock(overrides=[{"name": "level", "type": "Integer", "maximum": 9, "default": 1}])


@MANY
@given(PLAIN, FACTS)
def test_what_the_author_wrote_of_containers_survives_profile_istio(pod, facts):
    result = outcome(pod, STOCK, facts=facts).pod
    assert_author_is_heard(pod, result, but=("livenessProbe",))  # whose way through the agent is a rule of the profile


# --- annotations

LEVEL = config(
    """
metadata: {labels: {level: "{{ overrides.level }}"}}
spec: {sidecars: [{name: side, image: registry.example/side:1, args: ["{{ overrides.level }}"]}]}
""",
    overrides=[{"name": "level", "type": "Integer", "minimum": 0, "maximum": 9, "default": 1}],
)
OURS = {f"{GROUP}/{name}" for name in ("inject", "templates", "status", "level")}
KEYS = st.sampled_from(
    [
        f"{GROUP}/levels",
        f"{GROUP}/Level",
        f"{GROUP}/overrides",
        f"{GROUP}/values",
        f"level.{GROUP}",
        "example.org/level",
        "level",
        "sidecar.istio.io/proxyImages",
        "proxy.istio.io/Config",
        "istio.io/overrides",
    ]
) | st.from_regex(r"[a-z]{1,8}\.(example\.org|istio\.io|sidecarinjector\.dev)/[A-Za-z]{1,10}", fullmatch=True)
NOTES = st.dictionaries(KEYS, st.text(max_size=12) | st.sampled_from(["true", "false", "9", "{}"]), max_size=4)


def spec_of(pod):
    return json.loads(json.dumps({"spec": pod["spec"], "labels": pod["metadata"].get("labels")}))


@MANY
@given(PLAIN, NOTES, st.sampled_from([LEVEL, STOCK]), FACTS)
def test_no_annotation_but_those_that_are_known_changes_what_is_injected(pod, notes, compiled, facts):
    assume(not set(notes) & (OURS | set(BY_NAME)))
    plain = {**pod, "metadata": {**pod["metadata"], "annotations": {}}}
    noted = {**pod, "metadata": {**pod["metadata"], "annotations": notes}}
    assert spec_of(outcome(noted, compiled, facts=facts).pod) == spec_of(outcome(plain, compiled, facts=facts).pod)


@MANY
@given(st.text(max_size=4) | st.integers(-20, 20).map(str), FACTS)
def test_an_override_changes_what_the_template_makes_of_it_or_refuses_the_pod(text, facts):
    pod = {
        "metadata": {"annotations": {f"{GROUP}/level": text}},
        "spec": {"containers": [{"name": "app", "image": "i"}]},
    }
    allowed = text in [str(number) for number in range(10)]
    if not allowed:
        with pytest.raises(PodRejected, match="allowed: a whole number from 0 up to 9"):
            outcome(pod, LEVEL, facts=facts)
        return
    result = outcome(pod, LEVEL, facts=facts).pod
    [side] = [item for item in own_containers(result) if item["name"] == "side"]
    assert (side["args"], result["metadata"]["labels"]) == ([text], {"level": text})


@MANY
@given(some(CONTAINER_FIELDS, required=("image",)), FACTS)
def test_a_container_that_customises_the_proxy_says_all_that_it_says(fields, facts):
    mine = {**fields, "name": v.PROXY, "image": AUTO_IMAGE}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "app", "image": "i"}, mine]}}
    assert_author_is_heard(pod, json.loads(json.dumps(outcome(pod, STOCK, facts=facts).pod)))
