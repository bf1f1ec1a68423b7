"""Guardrails: what an injection may give to a Pod, compared with what the Pod's author wrote."""

import copy
import json

import pytest

from sidecar_injector.config.model import Guardrail
from sidecar_injector.errors import ConfigError, GuardrailError
from sidecar_injector.injection.guardrails import COVERED, breaches
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.names import Reason
from tests.unit.injection.support import config, outcome, pod

NOTHING = frozenset()


def side(**fields):
    return {"spec": {"sidecars": [{"name": "side", "image": "registry.example/side:1", **fields}]}}


def confined(**fields):
    return side(securityContext=fields)


def spec(**fields):
    return {"spec": fields}


def probing(kind, **handler):
    return side(**{kind: {"httpGet": {"port": 80, "path": "/", **handler}}})


def volume(**source):
    return spec(volumes=[{"name": "v", **source}])


def token(audience=None):
    source = {"path": "t", **({"audience": audience} if audience is not None else {})}
    return volume(projected={"sources": [{"serviceAccountToken": source}]})


P, H, N, C, S = (
    Guardrail.PRIVILEGED,
    Guardrail.HOST_PATH,
    Guardrail.HOST_NAMESPACES,
    Guardrail.ADDED_CAPABILITIES,
    Guardrail.SERVICE_ACCOUNT,
)
SIDE = "spec.initContainers[side]"
BREACHES = [
    (P, confined(privileged=True), f"{SIDE}.securityContext.privileged is true"),
    (P, confined(procMount="Unmasked"), f"{SIDE}.securityContext.procMount is 'Unmasked'"),
    (P, confined(seccompProfile={"type": "Unconfined"}), f"{SIDE}.securityContext.seccompProfile has type Unconfined"),
    (
        P,
        confined(appArmorProfile={"type": "Unconfined"}),
        f"{SIDE}.securityContext.appArmorProfile has type Unconfined",
    ),
    (P, confined(seLinuxOptions={"type": "spc_t", "user": "u"}), f"{SIDE}.securityContext.seLinuxOptions has spc_t, u"),
    (P, confined(windowsOptions={"hostProcess": True}), f"{SIDE}.securityContext.windowsOptions has hostProcess: true"),
    (
        P,
        spec(securityContext={"seccompProfile": {"type": "Unconfined"}}),
        "spec.securityContext.seccompProfile has type",
    ),
    (P, spec(securityContext={"windowsOptions": {"hostProcess": True}}), "spec.securityContext.windowsOptions has"),
    (
        P,
        spec(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
        "spec.securityContext.sysctls has kernel.msgmax",
    ),
    (
        P,
        {
            "metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/app": "unconfined"}},
        },
        "metadata.annotations[container.apparmor.security.beta.kubernetes.io/app] is 'unconfined'",
    ),
    (
        P,
        {
            "spec": {
                "sidecars": [
                    {
                        "name": "side",
                        "image": "i",
                        "volumeMounts": [{"name": "e", "mountPath": "/e", "mountPropagation": "Bidirectional"}],
                    }
                ],
                "volumes": [{"name": "e", "emptyDir": {}}],
            }
        },
        f"{SIDE}.volumeMounts[/e].mountPropagation is Bidirectional",
    ),
    (H, volume(hostPath={"path": "/etc"}), "spec.volumes[v].hostPath is '/etc'"),
    (N, spec(hostNetwork=True), "spec.hostNetwork is true"),
    (N, spec(hostPID=True), "spec.hostPID is true"),
    (N, spec(hostIPC=True), "spec.hostIPC is true"),
    (N, side(ports=[{"containerPort": 80, "hostPort": 8080}]), f"{SIDE}.ports[80].hostPort is 8080"),
    (N, probing("livenessProbe", host="10.0.0.1"), f"{SIDE}.livenessProbe.httpGet.host is '10.0.0.1'"),
    (N, probing("startupProbe", host="127.0.0.1"), f"{SIDE}.startupProbe.httpGet.host is '127.0.0.1'"),
    (
        N,
        side(lifecycle={"preStop": {"httpGet": {"port": 80, "host": "h"}}}),
        f"{SIDE}.lifecycle.preStop.httpGet.host is 'h'",
    ),
    (
        N,
        side(readinessProbe={"tcpSocket": {"port": 80, "host": "h"}}),
        f"{SIDE}.readinessProbe.tcpSocket.host is 'h'",
    ),
    (
        C,
        confined(capabilities={"add": ["NET_ADMIN", "CHOWN"]}),
        f"{SIDE}.securityContext.capabilities.add has NET_ADMIN, CHOWN",
    ),
    (S, spec(serviceAccountName="admin"), "spec.serviceAccountName is 'admin', and not 'default'"),
    (S, spec(serviceAccount="admin"), "spec.serviceAccountName is 'admin', and not 'default'"),
    (S, spec(automountServiceAccountToken=True), "spec.automountServiceAccountToken is true"),
    (S, token(), "spec.volumes[v].projected.sources[0].serviceAccountToken is for the API server"),
    (S, token("https://kubernetes.default.svc.cluster.local"), "which is the API server's"),
]
IDS = [f"{guardrail} {message[-30:]}" for guardrail, _, message in BREACHES]


def made(template, **fields):
    return config("{# #}" + json.dumps(template), name="mesh", **fields)


def allowing(*guardrails):
    return {"allow": list(map(str, guardrails))}


@pytest.mark.parametrize(("guardrail", "template", "message"), BREACHES, ids=IDS)
def test_a_template_that_gives_it_is_refused_with_the_remedy(guardrail, template, message):
    with pytest.raises(ConfigError) as caught:
        made(template)
    [problem] = caught.value.problems
    assert problem.path == "spec.templates[0].template"
    assert message in problem.message, problem.message
    assert "mesh/main:1" in problem.message
    assert f"set spec.guardrails.allow: [{guardrail}]" in problem.message


@pytest.mark.parametrize(("guardrail", "template", "message"), BREACHES, ids=IDS)
def test_it_may_be_allowed_alone(guardrail, template, message):
    compiled = made(template, guardrails=allowing(guardrail))
    result = outcome(pod(), compiled)
    assert result.decision.reason is Reason.INJECTED
    assert {found.guardrail for found in breaches(pod(), result.pod, NOTHING)} == {guardrail}
    with pytest.raises(ConfigError):
        made(template, guardrails=allowing(*(other for other in Guardrail if other is not guardrail)))


@pytest.mark.parametrize(("guardrail", "template", "message"), BREACHES, ids=IDS)
def test_what_the_author_wrote_is_no_breach(guardrail, template, message):
    written = outcome(pod(), made(template, guardrails=allowing(guardrail))).pod
    assert breaches(written, copy.deepcopy(written), NOTHING) == ()


HARMLESS = [
    confined(privileged=False, allowPrivilegeEscalation=True, procMount="Default", runAsUser=0, runAsNonRoot=False),
    confined(seccompProfile={"type": "RuntimeDefault"}, appArmorProfile={"type": "Localhost", "localhostProfile": "x"}),
    confined(capabilities={"drop": ["ALL"]}, seLinuxOptions={"type": "container_t", "level": "s0"}),
    spec(securityContext={"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]}),
    spec(hostNetwork=False, hostUsers=False, automountServiceAccountToken=False, serviceAccountName="default"),
    side(ports=[{"containerPort": 80}], livenessProbe={"httpGet": {"port": 80}}),
    token("istio-ca"),
    volume(emptyDir={}),
    volume(secret={"secretName": "s"}),
]


@pytest.mark.parametrize("template", HARMLESS, ids=[json.dumps(template)[:60] for template in HARMLESS])
def test_what_takes_nothing_away_and_reaches_nowhere_is_no_breach(template):
    assert made(template).digest


RESTRAINED = {
    "seccompProfile": {"type": "RuntimeDefault"},
    "appArmorProfile": {"type": "RuntimeDefault"},
    "runAsNonRoot": True,
}


@pytest.mark.parametrize(
    ("template", "field"),
    [
        (spec(securityContext={"seccompProfile": {"$patch": "delete"}}), "spec.securityContext.seccompProfile"),
        (spec(securityContext={"appArmorProfile": {"type": "Unconfined"}}), "spec.securityContext.appArmorProfile"),
        (spec(securityContext={"runAsNonRoot": False}), "spec.securityContext.runAsNonRoot"),
        (spec(securityContext={"$patch": "delete"}), "spec.securityContext.seccompProfile"),
        (spec(hostUsers=True), "spec.hostUsers"),
        (spec(hostUsers=None), "spec.hostUsers"),
        (spec(automountServiceAccountToken=None), "spec.automountServiceAccountToken"),
        (spec(serviceAccountName=None), "spec.serviceAccountName is 'default', and not 'app'"),
    ],
)
def test_a_restraint_of_the_pods_own_is_not_taken_away(template, field):
    everything = made(template, guardrails=allowing(*Guardrail))
    restrained = pod(
        hostUsers=False, automountServiceAccountToken=False, serviceAccountName="app", securityContext=RESTRAINED
    )
    result = outcome(restrained, everything).pod
    found = breaches(restrained, result, NOTHING)
    assert any(str(breach).startswith(field) for breach in found), found


AS_THE_POD_SAYS = """
spec:
  sidecars:
  - name: side
    image: registry.example/side:1
    securityContext:
      privileged: {{ pod.metadata.annotations['example.org/root'] | default('false') == 'true' }}
"""
ROOT = {"example.org/root": "true"}


def test_a_breach_that_arises_with_certain_pods_fails_on_these():
    compiled = config(AS_THE_POD_SAYS, name="mesh")
    assert outcome(pod(), compiled).decision.reason is Reason.INJECTED
    with pytest.raises(GuardrailError) as caught:
        outcome(pod(annotations=ROOT), compiled)
    assert str(caught.value) == (
        f"template main: {SIDE}.securityContext.privileged is true; config mesh may not give that to a "
        "Pod, because its spec.guardrails.allow does not have Privileged"
    )
    assert (caught.value.reason, caught.value.needed) == (Reason.GUARDRAIL_BREACHED, ("Privileged",))


def test_in_mode_audit_it_is_a_warning():
    result: Outcome = outcome(pod(annotations=ROOT), config(AS_THE_POD_SAYS, name="mesh", mode="Audit"))
    assert result.decision.reason is Reason.AUDITED
    assert result.warnings[0].startswith("mesh (mode Audit) would have failed on this Pod: template main: ")


def test_the_word_of_the_pods_author_about_an_injected_container_is_theirs():
    mine = {"name": "side", "image": "auto", "securityContext": {"privileged": True, "capabilities": {"add": ["A"]}}}
    result = outcome(pod("app", mine), config(AS_THE_POD_SAYS, name="mesh"))
    assert result.decision.reason is Reason.INJECTED
    adding = made(confined(capabilities={"add": ["A", "B"]}), guardrails=allowing(C))
    found = breaches(pod("app", mine), outcome(pod("app", {**mine, "securityContext": {}}), adding).pod, NOTHING)
    assert [str(breach) for breach in found] == [f"{SIDE}.securityContext.capabilities.add has B"]


MOUNTS = """
spec:
  sidecars:
  - name: side
    image: registry.example/side:1
    volumeMounts:
{% for volume in pod.spec.volumes %}
    - {name: {{ volume.name }}, mountPath: "/all/{{ volume.name }}"}
{% endfor %}
"""


def test_a_host_path_of_the_pods_is_not_for_the_sidecar():
    compiled = config(MOUNTS, name="mesh")
    assert outcome(pod(volumes=[{"name": "own", "emptyDir": {}}]), compiled).decision.reason is Reason.INJECTED
    with pytest.raises(
        GuardrailError, match=r"volumeMounts\[/all/own\] mounts own, a volume of type hostPath.*HostPath"
    ):
        outcome(pod(volumes=[{"name": "own", "hostPath": {"path": "/"}}]), compiled)


def test_a_template_that_no_default_uses_is_tried_too():
    entries = [
        {"name": "plain", "template": "spec: {sidecars: [{name: s, image: i}]}"},
        {"name": "root", "template": json.dumps(confined(privileged=True))},
    ]
    with pytest.raises(ConfigError, match=r"^spec.templates\[1\].template: .*privileged is true"):
        config(templates=entries, defaultTemplates=["plain"])


def test_every_breach_is_named_with_all_that_has_to_be_allowed():
    template = {
        "spec": {"hostPID": True, **confined(privileged=True)["spec"], **volume(hostPath={"path": "/"})["spec"]}
    }
    with pytest.raises(ConfigError) as caught:
        made(template, guardrails=allowing(C))
    assert len(caught.value.problems) == 3
    allow = "spec.guardrails.allow: [Privileged, HostPath, HostNamespaces, AddedCapabilities]"
    assert all(allow in problem.message for problem in caught.value.problems)


def test_every_guardrail_says_what_it_is_about_and_has_a_breach_here():
    assert set(COVERED) == set(Guardrail) == {guardrail for guardrail, _, _ in BREACHES}
