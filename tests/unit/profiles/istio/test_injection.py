"""Profile Istio as a whole, where its rules meet: overrides, earlier injections, users, native sidecars."""

import json

import pytest

from sidecar_injector.errors import ConfigError, PodRejected
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio import vocabulary as v
from tests.unit.injection.support import container, container_names, injected, outcome, pod
from tests.unit.profiles.istio.support import stock

STOCK = stock()
OLD_NODES = ClusterFacts(kubelets={"old": (1, 30), "new": (1, 34)}, oldest_kubelet=(1, 30))
APP = {"name": "app", "image": "example.org/app:1"}


def home_of_proxy(found):
    return next(field for field in ("containers", "initContainers") if v.PROXY in container_names(found, field))


NATIVE = {
    # annotation, spec.sidecarMode, facts, nodeName: list of the proxy
    "new nodes": (None, "Auto", ClusterFacts(), None, "initContainers"),
    "one old node": (None, "Auto", OLD_NODES, None, "containers"),
    "the Pod's own node is new": (None, "Auto", OLD_NODES, "new", "initContainers"),
    "the Pod's own node is old": (None, "Auto", OLD_NODES, "old", "containers"),
    "1.32 is not enough": (None, "Auto", ClusterFacts(oldest_kubelet=(1, 32)), None, "containers"),
    "1.33 is": (None, "Auto", ClusterFacts(oldest_kubelet=(1, 33)), None, "initContainers"),
    "config says native": (None, "Native", OLD_NODES, None, "initContainers"),
    "config says classic": (None, "Classic", ClusterFacts(), None, "containers"),
    "annotation beats the config": ("true", "Classic", OLD_NODES, None, "initContainers"),
    "annotation beats the nodes": ("false", "Native", ClusterFacts(), None, "containers"),
    "an annotation that says nothing": ("maybe", "Auto", ClusterFacts(), None, "initContainers"),
}


@pytest.mark.parametrize("name", NATIVE)
def test_the_proxy_is_a_native_sidecar_where_annotation_config_or_nodes_say_so(name):
    asked, mode, facts, node, expected = NATIVE[name]
    notes = {v.NATIVE_SIDECAR: asked} if asked else None
    found = injected(
        pod(annotations=notes, **({"nodeName": node} if node else {})), stock(sidecarMode=mode), facts=facts
    )
    assert home_of_proxy(found) == expected
    assert (container(found, v.PROXY).get("restartPolicy") == "Always") is (expected == "initContainers")


def test_what_the_user_says_of_the_proxy_wins_and_is_remembered():
    mine = {"name": v.PROXY, "image": "auto", "args": ["mine"], "resources": {"limits": {"cpu": "3"}}}
    found = injected(pod(APP, mine), STOCK)
    proxy = container(found, v.PROXY)
    assert container_names(found) == ["app"]
    assert proxy["args"] == ["mine"]
    assert proxy["resources"]["limits"] == {"cpu": "3", "memory": "1024Mi"}
    assert proxy["image"] == "registry.istio.io/release/proxyv2:1.29.0"
    noted = json.loads(found["metadata"]["annotations"][v.OVERRIDES])
    assert noted == {"initContainers": [{key: mine[key] for key in ("name", "args", "resources")}]}


def test_an_own_image_of_the_proxy_stays():
    found = injected(pod(APP, {"name": v.PROXY, "image": "mine:1"}), STOCK)
    assert container(found, v.PROXY)["image"] == "mine:1"


USERS = {
    # securityContext of the user's proxy, mesh and pilot: -u of the init container, its user, the proxy's user
    "REDIRECT": ({"runAsUser": 7, "runAsGroup": 8}, {}, {}, "7", 0, 7),
    "only a group": ({"runAsGroup": 8}, {}, {}, "1337", 0, 1337),
    "root": ({"runAsUser": 0}, {}, {}, "1337", 0, 0),
    "TPROXY": ({"runAsUser": 7}, {"interceptionMode": "TPROXY"}, {}, "1337", 0, 0),
    "TPROXY and a group": ({"runAsUser": 7, "runAsGroup": 8}, {"interceptionMode": "TPROXY"}, {}, "7", 0, 0),
    "CNI": ({"runAsUser": 7, "runAsGroup": 8}, {}, {"enabled": True}, "7", 7, 7),
    "CNI and TPROXY": ({"runAsUser": 7}, {"interceptionMode": "TPROXY"}, {"enabled": True}, "1337", 1337, 0),
}


@pytest.mark.parametrize("name", USERS)
def test_what_captures_the_traffic_knows_the_user_of_the_proxy(name):
    context, mesh, cni, argument, init_user, proxy_user = USERS[name]
    config = stock(mesh={"defaultConfig": mesh}, pilot={"cni": cni})
    found = injected(pod(APP, {"name": v.PROXY, "image": "auto", "securityContext": context}), config)
    init = container(found, v.VALIDATION if cni else v.INIT)
    assert init["args"][init["args"].index("-u") + 1] == argument
    assert init["securityContext"]["runAsUser"] == init_user
    assert container(found, v.PROXY)["securityContext"]["runAsUser"] == proxy_user


def test_the_users_own_arguments_of_the_init_container_are_left_alone():
    mine = {"name": v.INIT, "image": "mine:1", "args": ["-u", "5", "x"]}
    found = injected(pod(APP, {"name": v.PROXY, "image": "auto"}, initContainers=[mine]), STOCK)
    assert container(found, v.INIT)["args"] == ["-u", "5", "x"]


def by_istio(**overrides):
    """A Pod that an istiod with classic sidecars has injected, with a variable that no template has any more."""
    status = {"initContainers": [v.INIT], "containers": [v.PROXY], "volumes": ["istio-envoy"], "revision": "default"}
    notes = {v.STATUS: json.dumps(status), v.SCRAPE_PORT: "15020", v.SCRAPE: "true", v.SCRAPE_PATH: "/stats/prometheus"}
    proxy = {"name": v.PROXY, "image": "old:1", "env": [{"name": "GONE", "value": "1"}], "args": ["old"]}
    init = {"name": v.INIT, "image": "old:1", "args": ["-u", "1337"]}
    volumes = [{"name": "istio-envoy", "emptyDir": {}}]
    if overrides:
        notes[v.OVERRIDES] = json.dumps(overrides)
    return pod(proxy, APP, annotations=notes, initContainers=[init], volumes=volumes)


def test_a_pod_that_istio_has_injected_is_brought_up_to_date():
    found = injected(by_istio(), stock(sidecarMode="Classic"))
    assert container_names(found) == ["app", v.PROXY]
    assert container(found, v.PROXY)["image"] == "registry.istio.io/release/proxyv2:1.29.0"
    assert container(found, v.PROXY)["args"][0] == "proxy"
    assert container(found, v.INIT)["args"][0] == "istio-iptables"
    assert [volume for volume in found["spec"]["volumes"] if volume["name"] == "istio-envoy"] == [
        {"name": "istio-envoy", "emptyDir": {"medium": "Memory"}}
    ]
    assert v.OVERRIDES not in found["metadata"]["annotations"]


def test_what_istio_remembered_of_the_user_still_wins():
    found = injected(by_istio(containers=[{"name": v.PROXY, "tty": True}]), stock(sidecarMode="Classic"))
    assert container(found, v.PROXY)["tty"] is True


def test_istios_own_status_comes_back_when_our_injection_is_taken_out():
    classic = stock(sidecarMode="Classic")
    before = by_istio()
    again = injected(injected(before, classic), stock(sidecarMode="Classic", glob={"tag": "2"}))
    assert container(again, v.PROXY)["image"].endswith(":2")
    assert json.loads(again["metadata"]["annotations"][v.STATUS])["containers"] == [v.PROXY]


def test_the_status_is_one_that_istio_and_its_tools_can_read():
    status = json.loads(injected(pod(APP), STOCK)["metadata"]["annotations"][v.STATUS])
    assert list(status) == [
        "initContainers",
        "containers",
        "volumes",
        "imagePullSecrets",
        "revision",
        "sidecarinjector.dev",
    ]
    assert status["initContainers"] == [v.INIT, v.PROXY]
    assert status["containers"] is None
    assert status["revision"] == "default"


def test_two_configs_note_their_injections_side_by_side():
    extra = "spec: {containers: [{name: extra, image: 'x:1'}]}"
    second = stock("second", templates=[("extra", extra)], defaultTemplates=["extra"])
    both = injected(injected(pod(APP), STOCK), second)
    assert sorted(json.loads(both["metadata"]["annotations"][v.STATUS])["sidecarinjector.dev"]) == ["istio", "second"]
    assert outcome(both, STOCK).decision.reason == outcome(both, second).decision.reason == Reason.ALREADY_INJECTED
    alone = injected(both, stock(glob={"tag": "2"}))
    assert "extra" in container_names(alone)
    assert container(alone, v.PROXY)["image"].endswith(":2")


def test_a_template_that_customises_the_proxy_finds_it_as_a_native_sidecar():
    custom = "spec: {containers: [{name: istio-proxy, env: [{name: CUSTOM, value: x}]}]}"
    config = stock(templates=[("custom", custom)], defaultTemplates=["sidecar", "custom"])
    found = injected(pod(APP), config)
    assert container_names(found) == ["app"]
    assert {"name": "CUSTOM", "value": "x"} in container(found, v.PROXY)["env"]


@pytest.mark.parametrize("order", ["sidecar,spire", "spire,sidecar"])
def test_the_order_of_templates_decides_neither_on_the_proxys_list_nor_on_a_volumes_source(order):
    spire = """
spec:
  containers: [{name: istio-proxy, env: [{name: SPIRE, value: x}]}]
  volumes: [{name: workload-socket, csi: {driver: csi.spiffe.io}}]
"""
    found = injected(pod(APP, annotations={v.TEMPLATES: order}), stock(templates=[("spire", spire)]))
    assert home_of_proxy(found) == "initContainers"
    assert container(found, v.PROXY)["restartPolicy"] == "Always"
    socket = next(volume for volume in found["spec"]["volumes"] if volume["name"] == "workload-socket")
    assert socket == {"name": "workload-socket", "csi": {"driver": "csi.spiffe.io"}}


def test_a_template_may_replace_all_labels():
    replace = "metadata: {labels: {$patch: replace, only: this}}"
    config = stock(templates=[("labels", replace)], defaultTemplates=["labels"])
    assert injected(pod(APP, labels={"app": "a"}), config)["metadata"]["labels"] == {"only": "this"}


def test_templates_are_named_by_annotation_with_aliases():
    config = stock(aliases=[{"name": "all", "templates": ["sidecar", "grpc-simple"]}])
    found = injected(pod(APP, annotations={v.TEMPLATES: " all , sidecar"}), config)
    assert "grpc-bootstrap-init" in container_names(found, "initContainers")
    with pytest.raises(PodRejected, match=r"inject\.istio\.io/templates.*no template or alias is named other"):
        outcome(pod(APP, annotations={v.TEMPLATES: "sidecar,other"}), config)
    with pytest.raises(PodRejected, match="names no template; there are: sidecar, "):
        outcome(pod(APP, annotations={v.TEMPLATES: " "}), config)


def test_cluster_and_network_come_from_values_then_the_path_then_the_pods_label():
    config = stock(glob={"network": "values", "multiCluster": {"clusterName": "values"}})

    def environment(found):
        return {item["name"]: item.get("value") for item in container(found, v.PROXY)["env"]}

    assert environment(injected(pod(APP), config))[v.NETWORK_VARIABLE] == "values"
    labelled = injected(pod(APP, labels={v.NETWORK: "label"}), config)
    assert environment(labelled)[v.NETWORK_VARIABLE] == "label"
    assert labelled["metadata"]["labels"][v.NETWORK] == "label"
    assert environment(injected(pod(APP), config))[v.CLUSTER_VARIABLE] == "values"


def test_the_pods_only_container_being_the_proxy_is_told():
    result = outcome(pod({"name": v.PROXY, "image": "auto"}), STOCK)
    assert any("refuses a Pod without an ordinary container" in warning for warning in result.warnings)
    classic = outcome(pod({"name": v.PROXY, "image": "auto"}, annotations={v.NATIVE_SIDECAR: "false"}), STOCK)
    assert container_names(classic.pod) == [v.PROXY]
    assert classic.warnings == ()


def test_on_openshift_the_proxy_has_the_highest_user_of_the_namespace():
    facts = ClusterFacts(namespaces={"shop": NamespaceFacts("shop", {}, {v.OPENSHIFT_UIDS: "1000/10"})})
    found = injected(pod(APP), STOCK, facts=facts)
    assert container(found, v.PROXY)["securityContext"]["runAsUser"] == 1009
    assert container(found, v.INIT)["args"][container(found, v.INIT)["args"].index("-u") + 1] == "1009"


def test_a_mesh_config_of_the_wrong_shape_is_refused():
    with pytest.raises(ConfigError, match=r"spec\.meshConfig"):
        stock(mesh={"defaultConfig": {"statusPort": "many"}})


WRONG_VALUES = {
    "text for a boolean": ({"logAsJson": "false"}, r"spec\.values\.global\.logAsJson: is .* true or false"),
    "text for a number": ({"proxy": {"statusPort": "x"}}, r"spec\.values\.global\.proxy\.statusPort: .* whole number"),
    "a list for an object": ({"proxy": {"resources": []}}, r"spec\.values\.global\.proxy\.resources: .* object"),
    "an object for text": ({"hub": {}}, r"spec\.values\.global\.hub: .* text"),
    "text for a list": ({"imagePullSecrets": "a"}, r"spec\.values\.global\.imagePullSecrets: .* list"),
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_values_of_the_wrong_kind_are_refused_by_their_path(name):
    changed, message = WRONG_VALUES[name]
    with pytest.raises(ConfigError, match=message):
        stock(glob=changed)


OLDER = {
    "nothing": {},
    "nulls": {"global": None, "pilot": None, "sidecarInjectorWebhook": None},
    "only an image": {"global": {"hub": "example.org", "tag": 1.2, "proxy": {"resources": None}}},
}


@pytest.mark.parametrize("name", OLDER)
def test_values_that_leave_things_out_have_istios_defaults(name):
    found = injected(pod(APP), stock(values=OLDER[name]))
    proxy = container(found, v.PROXY)
    assert proxy["readinessProbe"]["periodSeconds"] == 15
    assert proxy["args"][3] == "$(POD_NAMESPACE).svc.cluster.local"
    assert proxy.get("resources") in (None, {})


def test_the_cni_switch_of_older_values_is_understood():
    found = injected(pod(APP), stock(values={"istio_cni": {"enabled": True}}))
    assert container_names(found, "initContainers") == [v.VALIDATION, v.PROXY]
