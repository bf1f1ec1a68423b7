"""A config whose Pods Kubernetes would refuse is refused, in the API server's own words, at the line of the template.

The templates here are ones that pass our own checks, which need no API server.
"""

from typing import Any

import pytest

from sidecar_injector import names
from tests.cluster.conftest import Configs, config
from tests.cluster.operator_process import Operator
from tests.cluster.pods import images, make, pod
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

ENABLED = {"istio-injection": "enabled"}
CONTAINER = """\
spec:
  {list}:
    - name: proxy
      image: example.org/proxy:1
"""
TERM = "{matchExpressions: [{key: zone, operator: Is}]}"
AFFINITY = f"{{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{TERM}]}}}}}}"
UNKNOWN = f"{CONTAINER.format(list='sidecars')}  frobnicate: 1\n"
ESCALATION = "securityContext: {privileged: true, allowPrivilegeEscalation: false}"

OF_THE_POD = {
    "hostAliases: [{ip: somewhere, hostnames: [host]}]": "spec.hostAliases[somewhere].ip: Invalid value",
    "dnsConfig: {nameservers: [somewhere]}": "spec.dnsConfig.nameservers[0]: Invalid value",
    "topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]": (
        "maxSkew: Invalid value: 0: must be greater than zero"
    ),
    "tolerations: [{key: dedicated, operator: Exists, value: mesh}]": "value must be empty when `operator` is 'Exists'",
    'nodeSelector: {zone: "a b"}': "a valid label must be an empty string or consist of alphanumeric characters",
    f"affinity: {AFFINITY}": 'nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "Is"',
    'securityContext: {sysctls: [{name: "a b", value: "1"}]}': "spec.securityContext.sysctls[0].name: Invalid value",
    "volumes: [{name: host, hostPath: {path: /x, type: Folder}}]": (
        'spec.volumes[host].hostPath.type: Unsupported value: "Folder"'
    ),
    "volumes: [{name: files, configMap: {name: files, items: [{key: a, path: ../a}]}}]": "must not contain '..'",
    'schedulingGates: [{name: "a b"}]': 'spec.schedulingGates[a b]: Invalid value: "a b"',
    "frobnicate: 1": "spec.frobnicate: the API server knows no such field",
}
OF_THE_CONTAINER = {
    "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.nothing}}}]": (
        '[proxy].env[A].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.nothing"'
    ),
    "livenessProbe: {exec: {command: [a]}, successThreshold: 2}": (
        "[proxy].livenessProbe.successThreshold: Invalid value: 2: must be 1"
    ),
    ESCALATION: "[proxy].securityContext: Invalid value",
    "securityContext: {seccompProfile: {type: Localhost}}": (
        "[proxy].securityContext.seccompProfile.localhostProfile: Required value"
    ),
    "resources: {claims: [{name: none}]}": "must be one of the names in pod.spec.resourceClaims",
    "frobnicate: 1": "[proxy].frobnicate: the API server knows no such field",
}
AWKWARD = """\
metadata:
  labels: {example.com/empty: "", Upper_case.and-all: V1.2_3-x}
  annotations: {example.com/json: '{"a": ["\\u00e9", null, "\\""]}'}
spec:
  dnsConfig: {options: [{name: ndots, value: "2"}], nameservers: ["::1"]}
  hostAliases: [{ip: "127.0.0.1", hostnames: [a.example]}]
  securityContext: {fsGroup: 0, sysctls: [{name: net.ipv4.ip_local_port_range, value: 1024 65535}]}
  tolerations: [{operator: Exists, effect: NoExecute, tolerationSeconds: 5}]
  sidecars:
    - name: proxy
      image: example.org/proxy@sha256:{{ "0" * 64 }}
      command: []
      ports:
        - {name: a, containerPort: 53, protocol: UDP}
        - {name: b, containerPort: 53}
      env:
        - {name: with.dots-and_more, value: ""}
        - {name: WHERE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['example.com/json']"}}}
        - {name: MOST, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
      resources: {requests: {cpu: 0.1, memory: 1e8}, limits: {memory: 123Mi, example.com/gpu: 1}}
      startupProbe: {grpc: {port: 1}, timeoutSeconds: 1, terminationGracePeriodSeconds: 1}
      lifecycle: {preStop: {sleep: {seconds: 0}}}
      volumeMounts:
        - {name: token, mountPath: /var/run/secrets/a, subPathExpr: $(WHERE), readOnly: true}
  volumes:
    - name: token
      projected:
        defaultMode: 0o640
        sources:
          - serviceAccountToken: {path: a/b, audience: mesh, expirationSeconds: 600}
          - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
    - {name: unused, emptyDir: {medium: Memory, sizeLimit: 0}}
"""


def with_template(text: str, **spec: Any) -> dict[str, Any]:
    templates = [{"name": "sidecar", "template": text}]
    allowed = {"allow": ["HostPath", "Privileged"]}  # so that the API server, and not a guardrail, has the word
    return {**config(), "spec": {"profile": "Generic", "templates": templates, "guardrails": allowed, **spec}}


def refusal(cluster: Cluster, wanted: dict[str, Any]) -> str:
    refused = cluster.kubectl("apply", "-f-", input=wanted, check=False)
    assert refused.returncode != 0
    assert 'admission webhook "validate.sidecarinjector.dev" denied the request' in refused.stderr
    return refused.stderr


@pytest.mark.parametrize(("line", "message"), OF_THE_POD.items(), ids=OF_THE_POD.values())
def test_what_is_invalid_in_the_pod_is_refused_at_its_line(
    control_plane: Cluster, operator: Operator, line: str, message: str
) -> None:
    text = refusal(control_plane, with_template(f"{CONTAINER.format(list='containers')}  {line}\n"))
    assert "spec.templates[0].template: mesh/sidecar:5" in text
    assert message in text
    assert text.count("mesh/sidecar") == 1, "it is told once, not for every sample"


@pytest.mark.parametrize("field", ["containers", "initContainers", "sidecars"])
def test_what_is_invalid_in_a_container_is_refused_wherever_it_ends_up(
    control_plane: Cluster, operator: Operator, field: str
) -> None:
    text = refusal(control_plane, with_template(f"{CONTAINER.format(list=field)}      {ESCALATION}\n"))
    home = "containers" if field == "containers" else "initContainers"
    assert f"mesh/sidecar:5:7: spec.{home}[proxy].securityContext: Invalid value" in text


@pytest.mark.parametrize(("line", "message"), OF_THE_CONTAINER.items(), ids=OF_THE_CONTAINER.values())
def test_what_is_invalid_in_a_container_is_refused_at_its_line(
    control_plane: Cluster, operator: Operator, line: str, message: str
) -> None:
    text = refusal(control_plane, with_template(f"{CONTAINER.format(list='sidecars')}      {line}\n"))
    assert "spec.templates[0].template: mesh/sidecar:5" in text
    assert message in text


def test_what_only_an_alias_makes_is_judged_too(control_plane: Cluster, operator: Operator) -> None:
    good, bad = (
        CONTAINER.format(list="containers"),
        f"{CONTAINER.format(list='containers')}  activeDeadlineSeconds: 0\n",
    )
    templates = [{"name": "good", "template": good}, {"name": "bad", "template": bad}]
    aliases = [{"name": "both", "templates": ["good", "bad"]}]
    spec = {"profile": "Generic", "templates": templates, "defaultTemplates": ["good"], "aliases": aliases}
    text = refusal(control_plane, {**config(), "spec": spec})
    assert "spec.templates[1].template: mesh/bad:5" in text


def test_awkward_but_valid_templates_are_accepted_and_no_podtemplate_is_stored(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(with_template(AWKWARD))
    assert make(control_plane, namespace("shop", ENABLED), pod("awkward"))["spec"]["initContainers"]
    assert control_plane.get("podtemplates", "-A")["items"] == []


def test_past_the_webhook_the_status_says_it_and_the_last_good_config_goes_on(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    with operator.stopped():
        control_plane.kubectl("apply", "-f-", input=with_template(UNKNOWN))
    accepted = '{.status.conditions[?(@.type=="Accepted")].%s}'

    def told() -> bool:
        return control_plane.kubectl("get", "sic", "mesh", "-o", f"jsonpath={accepted % 'status'}").stdout == "False"

    wait_until(told, seconds=10, what="it is judged")
    message = control_plane.kubectl("get", "sic", "mesh", "-o", f"jsonpath={accepted % 'message'}").stdout
    assert "spec.templates[0].template: mesh/sidecar:5" in message
    assert "spec.frobnicate: the API server knows no such field" in message
    assert images(make(control_plane, namespace("shop", ENABLED), pod("after")))[1:] == ["example.org/proxy:1"]


def test_without_the_right_to_ask_configs_are_accepted(control_plane: Cluster, configs: Configs) -> None:
    role = control_plane.get("role", names.APP, "-n", names.APP)
    assert isinstance(role, dict)
    kept = [rule for rule in role["rules"] if rule["resources"] != ["podtemplates"]]
    assert len(kept) == len(role["rules"]) - 1
    control_plane.kubectl("apply", "-f-", input={**stripped(role), "rules": kept})
    try:
        wait_until(lambda: not may_ask(control_plane), seconds=10, what="the right is withdrawn")
        configs(with_template(UNKNOWN))
    finally:
        control_plane.kubectl("apply", "-f-", input=stripped(role))
    wait_until(lambda: may_ask(control_plane), seconds=10, what="the right is back")


def stripped(role: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: role["metadata"][key] for key in ("name", "namespace", "labels")}
    return {**role, "metadata": metadata}


def may_ask(cluster: Cluster) -> bool:
    user = f"--as=system:serviceaccount:{names.APP}:{names.APP}"
    asked = cluster.kubectl("auth", "can-i", "create", "podtemplates", "-n", names.APP, user, check=False)
    return asked.stdout.strip() == "yes"
