"""Profile Istio on Pods and settings that go wrong easily: a clear refusal, or a Pod that Kubernetes takes."""

import copy
import json

import pytest

from sidecar_injector.errors import ConfigError, GuardrailError, PodRejected
from sidecar_injector.injection.validity import faults
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.environment import cluster_environment
from sidecar_injector.profiles.istio.metadata import with_network_label
from sidecar_injector.profiles.istio.user_volumes import OURS
from tests.unit.injection.support import container, container_names, injected, outcome, pod
from tests.unit.profiles.istio.support import over, stock

STOCK = stock()
APP = {"name": "app", "image": "example.org/app:1"}
PROXY = {"name": v.PROXY, "image": "auto"}

SETTINGS = {
    # changes of the stock config: what the refusal says
    "an old switch that is text": (
        {"values": {"istio_cni": {"enabled": "false"}}},
        r"istio_cni\.enabled: .*true or false",
    ),
    "a switch of the mesh that is text": ({"mesh": {"enablePrometheusMerge": "false"}}, "enablePrometheusMerge: is"),
    "a port beyond all": ({"glob": {"proxy": {"statusPort": 70000}}}, r"statusPort: is 70000; a port"),
    "a port that is true": ({"glob": {"proxy": {"statusPort": True}}}, r"statusPort: .*whole number"),
    "a mesh port of no kind": ({"mesh": {"proxyListenPort": "abc"}}, r"proxyListenPort: is .*a port from 1 to 65535"),
    "ranges that are none": ({"glob": {"proxy": {"includeIPRanges": "10.0.0.0/99"}}}, r"includeIPRanges: is .*CIDR"),
    "ranges that are a list": ({"glob": {"proxy": {"includeIPRanges": ["10.0.0.0/8"]}}}, r"includeIPRanges: .*text is"),
    "ports that are none": ({"glob": {"proxy": {"excludeInboundPorts": "abc"}}}, r"excludeInboundPorts: is .*ports"),
    "a secret without a name": ({"glob": {"imagePullSecrets": [None]}}, r"imagePullSecrets\[0\]: .*a name"),
    "an annotation that comes too late": (
        {"values": {"sidecarInjectorWebhook": {"injectedAnnotations": {v.REWRITE_PROBES: "true"}}}},
        "the injector itself reads",
    ),
    "an annotation that is a map": (
        {"values": {"sidecarInjectorWebhook": {"injectedAnnotations": {"a/b": {}}}}},
        r"injectedAnnotations\[a/b\]: .*text",
    ),
    "a policy that is none": ({"mesh": {"inboundTrafficPolicy": {"mode": "localhost"}}}, "PASSTHROUGH or LOCALHOST"),
    "a variable that is none": ({"mesh": {"defaultConfig": {"proxyMetadata": {"A=B": "c"}}}}, "names of variables"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_would_change_or_break_every_pod_are_refused(name):
    changes, message = SETTINGS[name]
    with pytest.raises(ConfigError, match=message):
        stock(**changes)


ANNOTATIONS = {
    # annotations: what the refusal says
    "a mount of no volume": ({v.USER_VOLUME_MOUNT: '{"x":{"mountPath":"/x"}}'}, "there is no volume 'x'"),
    "a volume that is none": ({v.USER_VOLUME: '{"x":{"emptyDir":"x"}}'}, r"emptyDir is 'x', but in a Pod it is a map"),
    "a volume with two sources": (
        {v.USER_VOLUME: '{"x":{"emptyDir":{},"hostPath":{"path":"/"}}}'},
        "is a second source",
    ),
    "a volume of ours": ({v.USER_VOLUME: '{"istio-data":{"emptyDir":{}}}'}, "one that is injected"),
    "a mount of ours": (
        {v.USER_VOLUME_MOUNT: '{"istio-data":{"mountPath":"/etc/istio/pod"}}'},
        "one of the proxy's own",
    ),
    "a directive": ({v.USER_VOLUME: '[{"$patch":"replace","name":"x"}]'}, r"begins with '\$'"),
    "overrides of no kind": ({v.OVERRIDES: '{"containers":[{"name":"app","image":[1]}]}'}, "image is a list"),
    "overrides with a directive": ({v.OVERRIDES: '{"containers":[{"name":"app","$patch":"delete"}]}'}, r"with '\$'"),
    "too many variables": (
        {v.PROXY_CONFIG: json.dumps({"proxyMetadata": {f"A{n}": "" for n in range(2500)}})},
        "2500 entries",
    ),
    "a variable that is none": ({v.PROXY_CONFIG: '{"proxyMetadata": {"": "x"}}'}, "names of variables"),
    "more requested than allowed": ({v.PROXY_CPU: "4", v.PROXY_CPU_LIMIT: "2"}, "at most '2'"),
    "no ConfigMap": ({v.BOOTSTRAP_OVERRIDE: ""}, "the name of a ConfigMap"),
    "a period that Kubernetes does not have": ({v.READINESS_PERIOD: "2147483648"}, "from 0 to 2147483647"),
}


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_annotations_that_make_no_valid_pod_are_refused_by_their_names(name):
    notes, message = ANNOTATIONS[name]
    with pytest.raises(PodRejected, match=message) as refused:
        outcome(pod(APP, annotations=notes), STOCK)
    assert refused.value.reason == Reason.INVALID_ANNOTATION
    assert next(iter(notes)) in str(refused.value)


def test_what_only_python_takes_for_a_number_does_not_get_into_a_patch():
    for number in ("NaN", "Infinity", "1e999"):
        with pytest.raises(PodRejected, match=v.OVERRIDES):
            outcome(pod(APP, annotations={v.OVERRIDES: f'{{"containers":[{{"name":"app","x":{number}}}]}}'}), STOCK)
        notes = {
            v.STATUS: f'{{"sidecarinjector.dev":{{"istio":{{"revision":"x","undo":{{"spec":{{"x":[{number}]}}}}}}}}}}'
        }
        json.dumps(outcome(pod(APP, annotations=notes), STOCK).patch, allow_nan=False)


AUDITED = {
    "an annotation that is not allowed": {v.STATUS_PORT: "x"},
    "an unknown template": {v.TEMPLATES: "typo"},
    "a port that is none": {v.SCRAPE_PORT: "http"},
}


@pytest.mark.parametrize("name", AUDITED)
def test_in_mode_audit_no_pod_is_refused_and_its_author_is_told(name):
    result = outcome(pod(APP, annotations=AUDITED[name]), stock(mode="Audit"))
    assert (result.decision.reason, result.patch) == (Reason.AUDITED, ())
    assert "would have refused this Pod" in result.warnings[0]


def test_volumes_of_the_stock_templates_are_known_as_ours():
    templates = ["sidecar", "gateway", "grpc-agent", "grpc-simple"]
    everything = {"mountMtlsCerts": True, "caName": "GkeWorkloadCertificate", "proxy": {"tracer": "lightstep"}}
    tracing = {
        "tracing": {"lightstep": {"address": "x:1", "accessToken": "x"}, "tlsSettings": {"caCertificates": "/c/x"}}
    }
    named, mounted = set(), set()
    for config in (stock(), stock(glob=everything, mesh={"defaultConfig": tracing})):
        for name in templates:
            notes = {v.TEMPLATES: name, v.BOOTSTRAP_OVERRIDE: "x"}
            found = injected(pod(APP, annotations=notes), config)
            named |= {volume["name"] for volume in found["spec"]["volumes"]}
            if name == "sidecar":
                mounted |= {mount["mountPath"] for mount in container(found, v.PROXY)["volumeMounts"]}
    assert named == set(OURS)
    assert {path.rstrip("/") for path in mounted} <= {path.rstrip("/") for path in OURS.values()} | {"/c"}


def test_a_volume_of_the_pods_own_is_not_silently_kept_in_place_of_the_annotations():
    taken = pod(APP, annotations={v.USER_VOLUME: '{"v":{"emptyDir":{}}}'}, volumes=[{"name": "v", "emptyDir": {}}])
    with pytest.raises(PodRejected, match="one of the Pod's"):
        outcome(taken, STOCK)


def test_the_agent_without_a_proxy_is_asked_at_its_own_port():
    config = stock(mesh={"defaultConfig": {"statusPort": 15099}})
    proxy = container(injected(pod(APP, annotations={v.TEMPLATES: "grpc-agent"}), config), v.PROXY)
    assert proxy["ports"][0]["containerPort"] == proxy["readinessProbe"]["httpGet"]["port"] == 15099
    assert "--url=http://localhost:15099/healthz/ready" in proxy["lifecycle"]["postStart"]["exec"]["command"]


LATE = {"name": "late", "image": "late:1", "readinessProbe": {"httpGet": {"port": 1}}}


@pytest.mark.parametrize("mode", ["Native", "Classic"])
def test_what_others_added_to_the_proxy_stays_when_a_later_container_makes_us_come_back(mode):
    config = stock(sidecarMode=mode)
    once = json.loads(json.dumps(injected(pod(APP), config)))
    original = copy.deepcopy(once)
    proxy = container(once, v.PROXY)
    proxy["env"].append({"name": "FROM_LATE", "value": "1"})
    proxy["volumeMounts"].append({"name": "kube-api-access", "mountPath": "/token"})
    once["spec"]["volumes"].append({"name": "kube-api-access", "emptyDir": {}})
    once["spec"]["containers"].append(LATE)
    again = injected(once, config)
    assert {"name": "FROM_LATE", "value": "1"} in container(again, v.PROXY)["env"]
    assert "/token" in [mount["mountPath"] for mount in container(again, v.PROXY)["volumeMounts"]]
    variables = {item["name"]: item.get("value") for item in container(again, v.PROXY)["env"]}
    assert variables["ISTIO_META_APP_CONTAINERS"] == "app,late"
    assert json.loads(variables[v.PROBERS_VARIABLE]) == {"/app-health/late/readyz": {"httpGet": {"port": 1}}}
    assert container(again, "late")["readinessProbe"]["httpGet"]["path"] == "/app-health/late/readyz"
    assert outcome(json.loads(json.dumps(again)), config).patch == ()
    assert container_names(original) == [name for name in container_names(again) if name != "late"]


def test_tracing_of_iptables_takes_root_which_has_to_be_allowed():
    asking = pod(APP, annotations={v.PROXY_CONFIG: '{"proxyMetadata": {"IPTABLES_TRACE_LOGGING": "true"}}'})
    with pytest.raises(GuardrailError, match=r"istio-proxy.*privileged is true.*does not have Privileged"):
        outcome(asking, STOCK)
    allowing = stock(guardrails={"allow": ["AddedCapabilities", "Privileged"]})
    context = container(injected(asking, allowing), v.PROXY)["securityContext"]
    assert (context["privileged"], context["runAsUser"], context["runAsNonRoot"]) == (True, 0, False)


def test_in_a_pod_with_resources_as_a_whole_the_injected_containers_share_them():
    found = injected(pod(APP, resources={"requests": {"cpu": "50m"}, "limits": {"cpu": "1"}}), STOCK)
    assert all(not container(found, name)["resources"] for name in (v.INIT, v.PROXY))


def test_a_windows_pod_is_left_alone_with_a_reason():
    result = outcome(pod(APP, os={"name": "windows"}), STOCK)
    assert (result.decision.reason, result.patch) == (Reason.WINDOWS, ())


OWN_PROXIES = {
    "privileged": {"securityContext": {"privileged": True}},
    "root": {"securityContext": {"runAsUser": 0}},
    "requests above our limits": {"resources": {"requests": {"cpu": "4"}}},
    "limits below our requests": {"resources": {"limits": {"memory": "64Mi"}}},
    "a variable with a source of ours": {"env": [{"name": "POD_NAME", "value": "x"}]},
}


@pytest.mark.parametrize("name", OWN_PROXIES)
def test_where_the_users_word_and_ours_cannot_both_be_ours_gives_way(name):
    mine = OWN_PROXIES[name]
    found = injected(pod(APP, {**PROXY, **mine}), STOCK)
    assert list(faults(json.loads(json.dumps(found)))) == []
    proxy = container(found, v.PROXY)
    for field, value in mine.items():
        stated = value[0] in proxy[field] if field == "env" else over(proxy[field], value) == proxy[field]
        assert stated


def test_a_variable_of_the_mesh_that_has_a_source_in_the_template_takes_its_place_in_the_users_proxy():
    config = stock(mesh={"defaultConfig": {"proxyMetadata": {"GOMEMLIMIT": "1GiB"}}})
    found = container(injected(pod(APP, PROXY), config), v.PROXY)["env"]
    assert [item for item in found if item["name"] == "GOMEMLIMIT"] == [{"name": "GOMEMLIMIT", "value": "1GiB"}]


def test_the_users_init_container_stays_one_wherever_its_user_wrote_it():
    found = injected(pod(APP, {"name": v.INIT, "image": "auto", "tty": True}), STOCK)
    assert container_names(found) == ["app"]
    assert container(found, v.INIT)["tty"] is True


def test_nothing_is_captured_to_the_agents_port_if_it_was_moved():
    notes = {v.PROXY_CONFIG: "statusPort: 15099"}
    arguments = container(injected(pod(APP, annotations=notes), STOCK), v.INIT)["args"]
    assert arguments[arguments.index("-d") + 1] == "15090,15021,15020,15099"


def by_istio(field, *names):
    status = {"initContainers": [v.INIT], field: list(names), "revision": "default"}
    spec = {field: [{"name": name, "image": f"{name}:old"} for name in names]}
    return pod(APP, *spec.pop("containers", ()), annotations={v.STATUS: json.dumps(status)}, **spec)


def test_what_istio_injected_and_this_config_does_not_goes():
    before = by_istio("initContainers", v.INIT, v.PROXY)
    cni = injected(before, stock(pilot={"cni": {"enabled": True}}))
    assert container_names(cni, "initContainers") == [v.VALIDATION, v.PROXY]
    classic = injected(before, stock(sidecarMode="Classic"))
    assert container_names(classic) == ["app", v.PROXY]
    assert container_names(classic, "initContainers") == [v.INIT]
    none = injected(before, stock(mesh={"defaultConfig": {"interceptionMode": "NONE"}}))
    assert container_names(none, "initContainers") == [v.PROXY]


def test_a_url_parameter_that_can_be_no_variable_or_label_counts_for_nothing():
    assert cluster_environment(pod(APP), {}, {"a=b": "x", "ok": "y"}) == {"OK": "y"}
    plain = pod(APP)
    assert with_network_label(plain, "a/b") is plain
