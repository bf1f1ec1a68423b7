"""The page of differences from Istio says what is so: each of its statements is tried here."""

import copy
import functools
import json
import re
from pathlib import Path

import pytest
import yaml

from sidecar_injector import names
from sidecar_injector.config.model import ReinvocationPolicy
from sidecar_injector.errors import ConfigError, GuardrailError, PodRejected
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.respond import document, respond
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio import vocabulary as v
from tests.unit.cli.program import call, write
from tests.unit.injection.support import container, container_names, outcome, pod
from tests.unit.profiles.istio.support import stock

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "reference" / "istio-differences.md"

config = functools.cache(stock)
APP = {"name": "app", "image": "example.org/app:1"}
OLD = ClusterFacts(kubelets={"old": (1, 30), "new": (1, 34)}, oldest_kubelet=(1, 30))


def injected(obj, compiled=None, facts=None):
    """The Pod after an injection, as JSON has it."""
    return json.loads(json.dumps(outcome(obj, compiled or config(), facts).pod))


def annotated(key, value):
    return pod(APP, annotations={key: value})


def proxy(obj):
    return container(obj, v.PROXY)


def variables(obj, name=v.PROXY):
    return {entry["name"]: entry.get("value") for entry in container(obj, name)["env"]}


def refused(obj, reason=Reason.INVALID_ANNOTATION):
    with pytest.raises(PodRejected) as caught:
        outcome(obj, config())
    return caught.value.reason is reason


def not_accepted(path, **changes):
    with pytest.raises(ConfigError, match=re.escape(path)):
        stock(**changes)
    return True


def app_with(**probe):
    return {**APP, "ports": [{"name": "http", "containerPort": 80}], "readinessProbe": probe}


# --- mistakes that are not made here


def unknown_port_name():
    probe = {"httpGet": {"path": "/", "port": "htpp"}}
    found = injected(pod(app_with(**probe)))
    return container(found, "app")["readinessProbe"] == probe and v.PROBERS_VARIABLE not in variables(found)


def one_port_for_probes():
    sample = pod(app_with(httpGet={"path": "/", "port": "http"}), annotations={v.STATUS_PORT: "16000"})
    found = injected(sample)
    asked = container(found, "app")["readinessProbe"]["httpGet"]
    known = json.loads(variables(found)[v.PROBERS_VARIABLE])
    off = injected(pod(APP | app_with(httpGet={"port": "http"}), annotations={v.STATUS_PORT: "0"}))
    assert container(off, "app")["readinessProbe"] == {"httpGet": {"port": "http"}}
    return asked["port"] == 16000 and known[asked["path"]]["httpGet"]["port"] == 80


def values_stay_in_their_fields():
    evil = 'x"\n- {name: EVIL, value: "{{ 1 }}'
    found = injected(annotated(v.PROXY_CONFIG, json.dumps({"proxyMetadata": {"A": evil}})))
    return variables(found)["A"] == evil and "EVIL" not in variables(found)


def image_without_slash():
    found = outcome(annotated(v.PROXY_IMAGE, "proxyv2:9"), config())
    return v.PROXY_IMAGE in found.warnings[0] and proxy(found.pod)["image"].endswith(":1.29.0")


def volumes_as_lists():
    notes = {
        v.USER_VOLUME: '[{"name": "data", "emptyDir": {}}]',
        v.USER_VOLUME_MOUNT: '[{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}]',
    }
    found = injected(pod(APP, annotations=notes))
    mounts = [mount["mountPath"] for mount in proxy(found)["volumeMounts"] if mount["name"] == "data"]
    return mounts == ["/a", "/b"] and {"name": "data", "emptyDir": {}} in found["spec"]["volumes"]


def cap_net_bind_service():
    found = outcome(annotated(v.CAP_NET_BIND_SERVICE, "true"), config())
    return not found.warnings and "NET_BIND_SERVICE" in proxy(found.pod)["securityContext"]["capabilities"]["add"]


def judged_when_written():
    not_accepted("spec.values.global.proxy.readinessPeriodSeconds", glob={"proxy": {"readinessPeriodSeconds": "soon"}})
    return not_accepted("there is no function `no_such`", templates=[("mine", "x: {{ no_such() }}")])


def crl():
    found = injected(pod(APP), stock(pilot={"crlConfigMapName": "revoked"}))
    return {"name": "istio-ca-crl", "configMap": {"name": "revoked", "optional": True}} in found["spec"]["volumes"]


CRON = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "nightly", "namespace": "shop"},
    "spec": {
        "jobTemplate": {"spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [APP]}}}}
    },
}


def in_file(tmp_path, obj, **spec):
    resource = yaml.safe_load(call("config", "istio").stdout)
    resource["spec"] |= spec
    command = ["inject", "--config", write(tmp_path / "config.yaml", resource), "-f", write(tmp_path / "in.yaml", obj)]
    result = call(*command)
    assert result.exit_code == 0, result.stderr
    return yaml.safe_load(result.stdout)


def cronjob(tmp_path):
    job = in_file(tmp_path, CRON)["spec"]["jobTemplate"]
    template = job["spec"]["template"]
    assert variables(template)["ISTIO_META_WORKLOAD_NAME"] == "nightly"
    return "metadata" not in job and template["metadata"]["labels"][v.CANONICAL_NAME] == "nightly"


def files_like_pods(tmp_path):
    mine = {"name": "gate", "templates": ["gateway"]}
    found = in_file(tmp_path, pod({"name": v.PROXY, "image": "auto"}), aliases=[mine], defaultTemplates=["gate"])
    return proxy(found)["args"][:2] == ["proxy", "router"]


def unknown_fields():
    odd = {**APP, "newField": {"x": 1}, "env": [{"name": "A", "new": 1}]}
    found = injected(pod(odd, initContainers=[{"name": "i", "image": "i", "newField": 2}], newSpec=[3]))
    assert container(found, "i")["newField"] == 2
    return container(found, "app") == odd and found["spec"]["newSpec"] == [3]


def is_native(found):
    return v.PROXY in container_names(found, "initContainers")


def nodes():
    return is_native(injected(pod(APP), facts=ClusterFacts(oldest_kubelet=(2, 0))))


SPIRE = """
spec:
  containers:
    - name: istio-proxy
      volumeMounts: [{name: workload-socket, mountPath: /var/run/secrets/workload-spiffe-uds, readOnly: true}]
  volumes:
    - {name: workload-socket, csi: {driver: csi.spiffe.io, readOnly: true}}
"""


def spire():
    found = injected(pod(APP), stock(templates=[("spire", SPIRE)], defaultTemplates=["sidecar", "spire"]))
    mount = {"name": "workload-socket", "mountPath": "/var/run/secrets/workload-spiffe-uds", "readOnly": True}
    assert mount in proxy(found)["volumeMounts"]
    return container_names(found) == ["app"] and is_native(found)


def skipped_with_a_reason():
    found = outcome(pod(APP, hostNetwork=True), config())
    answer = respond(found, config())
    return answer["auditAnnotations"]["reason"] == "HostNetwork" and document(found.patch) == b""


# --- kept


def resources():
    found = injected(annotated(v.PROXY_CPU, "50m"))
    return proxy(found)["resources"] == container(found, v.INIT)["resources"] == {"requests": {"cpu": "50m"}}


SEES = """
metadata: {annotations: {seen: "{{ pod.spec.initContainers | length }}"}}
"""


def templates_see_the_pod():
    found = injected(pod(APP), stock(templates=[("sees", SEES)], defaultTemplates=["sidecar", "sees"]))
    return found["metadata"]["annotations"]["seen"] == "0" and len(found["spec"]["initContainers"]) == 2


def labels_of_templates():
    template = "metadata: {labels: {app: theirs}}"
    found = injected(pod(APP, labels={"app": "mine"}), stock(templates=[("l", template)], defaultTemplates=["l"]))
    return found["metadata"]["labels"]["app"] == "theirs"


def line_end():
    found = injected(annotated(v.TEMPLATES, "grpc-simple"))
    return variables(found, "grpc-bootstrap-init")["ISTIO_NAMESPACE"] == "istio-system\n"


def metrics_port():
    moved = injected(annotated(v.STATUS_PORT, "16000"))
    without_agent = injected(annotated(v.TEMPLATES, "grpc-simple"))
    return [found["metadata"]["annotations"][v.SCRAPE_PORT] for found in (moved, without_agent)] == ["15020", "15020"]


def held():
    values = {"proxy": {"holdApplicationUntilProxyStarts": True}}
    says_no = annotated(v.PROXY_CONFIG, "holdApplicationUntilProxyStarts: false")
    found = injected(says_no, stock(glob=values, sidecarMode="Classic"))
    return container_names(found)[0] == v.PROXY


def old_node():
    bound, says = pod(APP, nodeName="new"), annotated(v.NATIVE_SIDECAR, "true")
    return [is_native(injected(obj, facts=OLD)) for obj in (pod(APP), bound, says)] == [False, True, True]


def proxy_alone():
    found = outcome(pod({"name": v.PROXY, "image": "auto"}), config())
    assert "refuses a Pod without an ordinary container" in " ".join(found.warnings)
    return not container_names(found.pod) and is_native(found.pod)


def host_network():
    sample = pod(APP, hostNetwork=True, annotations={v.TEMPLATES: "grpc-simple"}, labels={v.INJECT: "true"})
    return outcome(sample, config()).decision.reason is Reason.HOST_NETWORK


# --- different on purpose


def volume_kept():
    mine = {"name": "istio-data", "persistentVolumeClaim": {"claimName": "mine"}}
    return mine in injected(pod(APP, volumes=[mine]))["spec"]["volumes"]


def whole_items():
    source = {"name": "CA_ADDR", "valueFrom": {"configMapKeyRef": {"name": "ca", "key": "address"}}}
    found = injected(pod(APP, {"name": v.PROXY, "image": "auto", "env": [source]}))
    return [entry for entry in proxy(found)["env"] if entry["name"] == "CA_ADDR"] == [source]


def host_of_a_probe():
    probe = {"httpGet": {"host": "192.0.2.1", "port": 80}}
    return container(injected(pod(app_with(**probe))), "app")["readinessProbe"] == probe


def late_containers():
    once = injected(pod(APP))
    late = {"name": "late", "image": "late:1", "livenessProbe": {"tcpSocket": {"port": 81}}}
    changed = copy.deepcopy(once)
    changed["spec"]["containers"].append(late)
    again = injected(changed)
    assert container(again, "late")["livenessProbe"]["httpGet"]["path"] == "/app-health/late/livez"
    assert outcome(again, config()).patch == ()
    return config().spec.reinvocation_policy is ReinvocationPolicy.IF_NEEDED


def taken_out_exactly():
    before = pod(app_with(httpGet={"path": "/", "port": 80}), {"name": v.PROXY, "image": "auto", "tty": True})
    other = stock(mesh={"defaultConfig": {"proxyMetadata": {"GONE": "1"}}}, glob={"mountMtlsCerts": True})
    there_and_back = injected(injected(before, other))
    assert names.GROUP in json.loads(there_and_back["metadata"]["annotations"][v.STATUS])
    return there_and_back == injected(before)


def selectors():
    wrong = {"matchExpressions": [{"key": "a", "operator": "Inn", "values": ["b"]}]}
    not_accepted("spec.match.neverInject[0].matchExpressions[0].operator", match={"neverInject": [wrong]})
    not_accepted("spec.match.alwaysInject[0]: is empty", match={"alwaysInject": [{}]})
    return not_accepted("spec.match.policy", match={"policy": "enabled"})


def by_default():
    values = {"sidecarInjectorWebhook": {"enableNamespacesByDefault": True}}
    assert stock(values=values, failurePolicy="Ignore")
    return not_accepted("enableNamespacesByDefault", values=values)


def telemetry():
    provider = {"name": "o", "opentelemetry": {"serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}}
    found = injected(annotated(v.OTEL_VERSION, "1,2=ä"), stock(mesh={"extensionProviders": [provider]}))
    return "service.version=1%2C2%3D%C3%A4," in variables(found)["OTEL_RESOURCE_ATTRIBUTES"]


def canonical_names():
    long = pod({"name": v.PROXY, "image": "auto"}, annotations={v.TEMPLATES: "gateway"})
    long["metadata"]["name"] = "a" * 62 + "-" + "b" * 40
    return injected(long)["metadata"]["labels"][v.CANONICAL_NAME] == "a" * 62


def network_label():
    sample = pod(APP, labels={v.NETWORK: ""})
    return injected(sample, stock(glob={"network": "one"}))["metadata"]["labels"][v.NETWORK] == ""


def warned():
    found = outcome(annotated("sidecar.istio.io/proxyCpu", "1"), config())
    return "did you mean sidecar.istio.io/proxyCPU" in found.warnings[0]


def counted_once():
    """That needs an operator; the test that has one tries it."""
    test = "def test_admissions_are_counted_by_config_result_and_reason("
    return test in (ROOT / "tests" / "contract" / "test_admission.py").read_text()


def no_environment():
    return not_accepted("there is no function `env`", templates=[("e", "x: {{ env('HOME') }}")])


def drain_at_port_zero():
    found = injected(pod(APP, annotations={v.STATUS_PORT: "0"}))
    return "--debug-port=0" in proxy(found)["lifecycle"]["preStop"]["exec"]["command"]


def users_word():
    mine = {
        "name": v.PROXY,
        "image": "auto",
        "resources": {"requests": {"cpu": "4"}},
        "securityContext": {"runAsUser": 0},
    }
    found = proxy(injected(pod(APP, mine)))
    return "cpu" not in found["resources"]["limits"] and "runAsNonRoot" not in found["securityContext"]


def shared_resources():
    whole = pod(APP)
    whole["spec"]["resources"] = {"requests": {"cpu": "1"}}
    return not proxy(injected(whole))["resources"]


def windows():
    sample = pod(APP)
    sample["spec"]["os"] = {"name": "windows"}
    return outcome(sample, config()).decision.reason == Reason.WINDOWS


def limited():
    tracing = annotated(v.PROXY_CONFIG, '{"proxyMetadata": {"IPTABLES_TRACE_LOGGING": "true"}}')
    host_path = annotated(v.USER_VOLUME, '{"x": {"hostPath": {"path": "/"}}}')
    for asking, needed in ((tracing, "Privileged"), (host_path, "HostPath")):
        with pytest.raises(GuardrailError) as caught:
            outcome(asking, config())
        assert caught.value.needed == (needed,)
        assert injected(asking, allowing(needed))
    own = pod(APP, {"name": v.PROXY, "image": "auto", "securityContext": {"privileged": True}})
    assert proxy(injected(own))["securityContext"]["privileged"]
    return True


def allowing(guardrail):
    return stock(guardrails={"allow": ["AddedCapabilities", guardrail]})


def moved_port():
    found = injected(annotated(v.PROXY_CONFIG, "statusPort: 15099"))
    return "15090,15021,15020,15099" in container(found, v.INIT)["args"]


CHECKS = {
    "A probe whose port has an unknown name is left alone": unknown_port_name,
    "Probes, and what the agent knows of them, go by one port": one_port_for_probes,
    "A value never becomes YAML": values_stay_in_their_fields,
    "includeOutboundPorts is checked": lambda: refused(annotated(v.INCLUDE_OUTBOUND_PORTS, "80,x")),
    "An image without a slash is answered with a warning": image_without_slash,
    "userVolume and userVolumeMount may be lists": volumes_as_lists,
    "capNetBindService is a known annotation": cap_net_bind_service,
    "A config is accepted whole or not at all": lambda: not_accepted(
        "spec.values.global.proxy", glob={"proxy": "none"}
    ),
    "A config is judged when it is written": judged_when_written,
    "crlConfigMapName has an effect": crl,
    "A CronJob in a file is changed where its Pods are described": cronjob,
    "Files are injected as Pods are": files_like_pods,
    "Fields that the injector does not know survive": unknown_fields,
    "Nodes are judged when they change, not for each Pod": nodes,
    "A template that changes istio-proxy finds it": spire,
    "Every review is counted once": counted_once,
    "A Pod that is skipped has a reason": skipped_with_a_reason,
    "A template cannot read the environment of the injector": no_environment,
    "One annotation about resources drops all defaults": resources,
    "Templates do not see each other": templates_see_the_pod,
    "A template's label wins over the Pod's": labels_of_templates,
    "ISTIO_NAMESPACE of grpc-simple ends with a line end": line_end,
    "Prometheus is sent to the status port of the ProxyConfig": metrics_port,
    "A Pod cannot refuse to be held": held,
    "A single old node makes sidecars classic": old_node,
    "A Pod of istio-proxy alone is left without an ordinary container": proxy_alone,
    "Pods on the host's network are never injected": host_network,
    "With status port 0 a native sidecar is told to drain at port 0": drain_at_port_zero,
    "A volume of the Pod's own is never replaced": volume_kept,
    "An item of a list is the Pod's or the template's": whole_items,
    "Where the Pod's word and the template's cannot both be, the template's gives way": users_word,
    "Volumes and mounts in annotations have to fit": lambda: refused(
        annotated(v.USER_VOLUME_MOUNT, '{"x": {"mountPath": "/x"}}')
    ),
    "In a Pod with resources as a whole, what is injected has none of its own": shared_resources,
    "A Pod for Windows is left alone": windows,
    "The agent's port is not captured if it was moved": moved_port,
    "A probe that names a host is left alone": host_of_a_probe,
    "Containers that come later have their probes rewritten, too": late_containers,
    "What was injected is taken out exactly": taken_out_exactly,
    "Selectors and policies that mean nothing are refused": selectors,
    "enableNamespacesByDefault needs failurePolicy Ignore": by_default,
    "Attributes for OpenTelemetry are percent-encoded": telemetry,
    "Canonical names are valid labels in every template": canonical_names,
    "The network label of a Pod stays as it is": network_label,
    "What is misspelt, misplaced, deprecated or in vain is a warning": warned,
    "What templates may give to Pods is limited": limited,
}
"""The statements of the page, in its order and in its words, and what shows that they are so."""


def test_every_statement_of_the_page_is_tried() -> None:
    stated = re.findall(r"^- \*\*(.+?)\.?\*\*", PAGE.read_text(), re.MULTILINE)
    assert stated == list(CHECKS)


@pytest.mark.parametrize("statement", CHECKS)
def test_what_the_page_says_is_so(statement, tmp_path) -> None:
    check = CHECKS[statement]
    assert check(tmp_path) if check in (cronjob, files_like_pods) else check()
