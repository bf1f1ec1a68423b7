"""Why a Pod is not injected, or not as its author thinks: what users report, each with the first line of the answer.

In each, Deployment web is in namespace shop, whose label is istio-injection=enabled, and config istio is the only one,
unless it says otherwise. FILE stands for the file with the objects, CONFIG for that of the configs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

INJECT = "sidecar.istio.io/inject"
REVISION = "istio.io/rev"
ENABLED = {"istio-injection": "enabled"}
TEMPLATE = 'spec: {sidecars: [{name: istio-proxy, image: "example.org/proxy:1"}]}'
FAILING = '{% if pod.metadata.labels.get("app") == "web" %}spec: {nodeName: {{ pod.spec.nodeName }}}{% endif %}'
REFUSING = '{% if pod.metadata.labels.get("app") == "web" %}{{ fail("no web here") }}{% endif %}'

WEB = "Pods of Deployment shop/web"
IN_TEMPLATE = "in spec.template.metadata.labels of Deployment web in FILE"
OPT_IN = f'To inject them: set the label {INJECT}: "true" {IN_TEMPLATE}'
BY_ISTIO = "are injected by istio (revision …): container istio-proxy"
SILENT = (
    "namespace shop has no label istio-injection=enabled, nor istio.io/rev, and the Pod does not ask for injection "
    "by a label of its own"
)
LABEL = "To inject them: kubectl label namespace shop istio-injection=enabled"
RELABEL = "To inject them: kubectl label namespace shop --overwrite istio-injection=enabled"
HOST_NETWORK = "spec.hostNetwork is true, and a Pod on the node's network is never injected: its traffic is the node's"


def config(name: str = "istio", template: str = TEMPLATE, **spec: Any) -> Object:
    return {
        "apiVersion": "sidecarinjector.dev/v1alpha1",
        "kind": "SidecarInjectorConfig",
        "metadata": {"name": name},
        "spec": {"revision": "default", "templates": [{"name": "sidecar", "template": template}], **spec},
    }


def generic(name: str = "mesh", **spec: Any) -> Object:
    return config(
        name, template=f'spec: {{sidecars: [{{name: {name}, image: "{name}:1"}}]}}', profile="Generic", **spec
    )


def deployment(
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    own: Mapping[str, Any] | None = None,
    namespace: str = "shop",
    **spec: Any,
) -> Object:
    """Return a Deployment; labels, annotations and spec are of its Pod template, `own` is of its own metadata."""
    metadata = {"labels": {"app": "web", **(labels or {})}, "annotations": dict(annotations or {})}
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": "example.org/app:1"}], **spec}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace, **(own or {})},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": pod},
    }


def pod(**metadata: Any) -> Object:
    spec = {"containers": [{"name": "app", "image": "example.org/app:1"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", **metadata},
        "spec": spec,
    }


@dataclass(frozen=True)
class Situation:
    """What is reported, and the first line. `namespace` are the labels of shop; None: they are not told."""

    title: str
    first_line: str
    object: Object = field(default_factory=deployment)
    namespace: Mapping[str, str] | None = field(default_factory=lambda: ENABLED)
    namespace_annotations: Mapping[str, str] = field(default_factory=dict)
    configs: Sequence[Object] = field(default_factory=lambda: [config()])
    injected: bool = False


TWO = [config(), config("istio-canary", revision="canary")]
OWN_PROXY = [{"name": "app", "image": "a"}, {"name": "istio-proxy", "image": "mine"}]
AUTO_PROXY = [{"name": "app", "image": "a"}, {"name": "istio-proxy", "image": "auto"}]

SITUATIONS = [
    Situation("all is well", f"{WEB} {BY_ISTIO}", injected=True),
    Situation(
        "hostNetwork",
        f"{WEB} are not injected: {HOST_NETWORK}. "
        "To inject them: take hostNetwork: true out of spec.template.spec of Deployment web in FILE",
        deployment(hostNetwork=True),
    ),
    Situation(
        "hostNetwork, in a namespace without label: the label alone would not help",
        f"{WEB} are not injected: {HOST_NETWORK}; besides, {SILENT}. To inject them: take hostNetwork: true out of "
        "spec.template.spec of Deployment web in FILE; then: kubectl label namespace shop istio-injection=enabled",
        deployment(hostNetwork=True),
        {},
    ),
    Situation(
        "a Pod for Windows",
        f"{WEB} are not injected: spec.os.name is windows, where the proxy does not run. "
        "To inject them: run it on nodes with Linux",
        deployment(os={"name": "windows"}),
    ),
    Situation(
        "annotation on the Deployment itself",
        f'{WEB} are not injected: the annotation {INJECT}: "true" is in metadata.annotations of Deployment web, and '
        f"only labels of its Pod template count (spec.template.metadata.labels). {OPT_IN}",
        deployment(own={"annotations": {INJECT: "true"}}),
        {},
    ),
    Situation(
        "label on the Deployment itself",
        f'{WEB} are not injected: the label {INJECT}: "true" is in metadata.labels of Deployment web, and only labels '
        f"of its Pod template count (spec.template.metadata.labels). {OPT_IN}",
        deployment(own={"labels": {INJECT: "true"}}),
        {},
    ),
    Situation(
        "opting out on the Deployment itself",
        f'{WEB} {BY_ISTIO}. But the label {INJECT}: "false" is in metadata.labels of Deployment web, and only labels '
        f'of its Pod template count (spec.template.metadata.labels). To opt out: set the label {INJECT}: "false" '
        f"{IN_TEMPLATE}",
        deployment(own={"labels": {INJECT: "false"}}),
        injected=True,
    ),
    Situation("a namespace without any label", f"{WEB} are not injected: {SILENT}. {LABEL}", namespace={}),
    Situation(
        "a namespace that is switched off",
        f"{WEB} are not injected: namespace shop has the label istio-injection=disabled, which keeps every Pod in it "
        f"from being injected. {RELABEL}",
        namespace={"istio-injection": "disabled"},
    ),
    Situation(
        "a revision that there is not",
        f"{WEB} are not injected: namespace shop has the label istio.io/rev=1-20, and no config has that revision; "
        "there is default. To inject them: kubectl label namespace shop --overwrite istio.io/rev=default",
        namespace={REVISION: "1-20"},
    ),
    Situation(
        "a revision that is misspelt",
        f"{WEB} are not injected: namespace shop has the label istio.io/rev=canry, and no config has that revision; "
        "there are default, canary. To inject them: kubectl label namespace shop --overwrite istio.io/rev=canary",
        namespace={REVISION: "canry"},
        configs=TWO,
    ),
    Situation(
        "a Pod that asks for a revision that there is not",
        f'{WEB} are not injected: the Pod has the label istio.io/rev: "canary", and no config has that revision; '
        f'there is default. To inject them: set the label istio.io/rev: "default" {IN_TEMPLATE}',
        deployment({REVISION: "canary"}),
        {},
    ),
    Situation(
        "a Pod that asks for a revision, in a namespace that asks for another",
        f"{WEB} {BY_ISTIO}. But the Pod's label istio.io/rev: canary is ignored, because the namespace's label "
        "istio-injection=enabled goes first. To have that revision: kubectl label namespace shop istio-injection- "
        "istio.io/rev=canary",
        deployment({REVISION: "canary"}),
        configs=TWO,
        injected=True,
    ),
    Situation(
        "a Pod that asks for a revision that there is not, in a namespace that asks for another",
        f"{WEB} {BY_ISTIO}. But the Pod's label istio.io/rev: canary is ignored, because the namespace's label "
        "istio-injection=enabled goes first. To put it right (no config has that revision): take the label "
        f"istio.io/rev off {IN_TEMPLATE}",
        deployment({REVISION: "canary"}),
        injected=True,
    ),
    Situation(
        "a namespace that asks for two revisions",
        f"{WEB} {BY_ISTIO}. But the namespace's label istio.io/rev=canary is ignored, because its label "
        "istio-injection=enabled goes first. To have that revision: kubectl label namespace shop --overwrite "
        "istio-injection- istio.io/rev=canary",
        namespace={**ENABLED, REVISION: "canary"},
        configs=TWO,
        injected=True,
    ),
    Situation(
        "istio-injection=enabled, but no config of revision default",
        f"{WEB} are not injected: namespace shop has the label istio-injection=enabled, which asks for revision "
        "default, and config istio-canary has revision canary. To inject them: kubectl label namespace shop "
        "istio-injection- istio.io/rev=canary",
        configs=TWO[1:],
    ),
    Situation(
        "opted out by label",
        f'{WEB} are not injected: the Pod opts out: it has the label {INJECT}: "false". {OPT_IN}',
        deployment({INJECT: "false"}),
    ),
    Situation(
        "opted out by annotation",
        f'{WEB} are not injected: the Pod opts out: it has the annotation {INJECT}: "false". {OPT_IN}',
        deployment(annotations={INJECT: "false"}),
    ),
    Situation(
        "a system namespace",
        "Pods of Deployment kube-system/web are not injected: namespace kube-system is a system namespace, and no "
        "Pod in it is ever injected. To inject them: run the workload in another namespace",
        deployment(namespace="kube-system"),
    ),
    Situation(
        "a value that is not allowed",
        f"{WEB} cannot be created: config istio refuses the Pod: "
        "metadata.annotations[traffic.sidecar.istio.io/excludeOutboundPorts]: is '80,http' ('http' is no port); "
        "allowed: ports from 0 to 65535 with commas between them, or nothing. To fix it: correct it in "
        "spec.template.metadata.annotations of Deployment web in FILE",
        deployment(annotations={"traffic.sidecar.istio.io/excludeOutboundPorts": "80,http"}),
    ),
    Situation(
        "policy Disabled",
        f"{WEB} are not injected: spec.match.policy of config istio is Disabled, so that only Pods with the label "
        f'{INJECT}: "true" are injected. {OPT_IN}',
        configs=[config(match={"policy": "Disabled"})],
    ),
    Situation(
        "policy Disabled, and a namespace without label: one label of the Pod's own does for both",
        f"{WEB} are not injected: {SILENT}; besides, spec.match.policy of config istio is Disabled, so that only Pods "
        f'with the label {INJECT}: "true" are injected. {OPT_IN}',
        namespace={},
        configs=[config(match={"policy": "Disabled"})],
    ),
    Situation(
        "neverInject",
        f"{WEB} are not injected: spec.match.neverInject of config istio excludes Pods with the labels app=web. "
        f"{OPT_IN}",
        configs=[config(match={"neverInject": [{"matchLabels": {"app": "web"}}]})],
    ),
    Situation(
        "asking by annotation in a namespace without label",
        f'{WEB} are not injected: the Pod has {INJECT}: "true" as an annotation, and the API server selects by labels '
        f"only. {OPT_IN}",
        deployment(annotations={INJECT: "true"}),
        {},
    ),
    Situation(
        "a template that there is not",
        f"{WEB} cannot be created: config istio refuses the Pod: metadata.annotations[inject.istio.io/templates]: no "
        "template or alias is named sidcar; there are: sidecar. To fix it: set the annotation "
        "inject.istio.io/templates to sidecar in spec.template.metadata.annotations of Deployment web in FILE",
        deployment(annotations={"inject.istio.io/templates": "sidcar"}),
    ),
    Situation(
        "mode Audit",
        f"{WEB} are not injected: config istio only audits: its spec.mode is Audit, and it would have injected "
        "container istio-proxy. To inject them: set spec.mode: Enforce in config istio in CONFIG",
        configs=[config(mode="Audit")],
    ),
    Situation(
        "mode Disabled",
        f"{WEB} are not injected: config istio is switched off: its spec.mode is Disabled. To inject them: set "
        "spec.mode: Enforce in config istio in CONFIG",
        configs=[config(mode="Disabled")],
    ),
    Situation(
        "a config that is not accepted",
        f"{WEB} are not injected: config istio is not accepted: spec.templates[0].template: istio/sidecar:1:10: "
        "`pod.x` is undefined. To inject them: correct it in CONFIG; sidecar-injector validate -f CONFIG shows every "
        "problem",
        configs=[config(template="spec: {{ pod.x }}")],
    ),
    Situation(
        "image auto without injection",
        f"{WEB} are not injected: {SILENT}; so container istio-proxy cannot start: only an injection replaces its "
        f"image, auto. {LABEL}",
        deployment(containers=AUTO_PROXY),
        {},
    ),
    Situation(
        "image auto that no template replaces",
        f"{WEB} are injected by istio (revision …): container istio-proxy. But container agent cannot start: no "
        "template in use replaces its image, auto",
        deployment(containers=[{"name": "app", "image": "a"}, {"name": "agent", "image": "auto"}]),
        injected=True,
    ),
    Situation(
        "a misspelt label",
        f'{WEB} are not injected: the Pod has the label sidecar.istio.io/injct: "true", which means nothing: {INJECT} '
        f'is how it is spelt. To inject them: set the label {INJECT}: "true" and take the label '
        f"sidecar.istio.io/injct off {IN_TEMPLATE}",
        deployment({"sidecar.istio.io/injct": "true"}),
        {},
    ),
    Situation(
        "a label of the wrong domain",
        f'{WEB} are not injected: the Pod has the label istio.io/inject: "true", which means nothing: {INJECT} is how '
        f'it is spelt. To inject them: set the label {INJECT}: "true" and take the label istio.io/inject off '
        f"{IN_TEMPLATE}",
        deployment({"istio.io/inject": "true"}),
        {},
    ),
    Situation(
        "inject: yes",
        f'{WEB} are not injected: the Pod has the label {INJECT}: "yes", which means nothing; allowed: "true", '
        f'"false". {OPT_IN}',
        deployment({INJECT: "yes"}),
        {},
    ),
    Situation(
        "inject: no",
        f'{WEB} {BY_ISTIO}. But the Pod has the label {INJECT}: "no", which means nothing; allowed: "true", "false". '
        f'To opt out: set the label {INJECT}: "false" {IN_TEMPLATE}',
        deployment({INJECT: "no"}),
        injected=True,
    ),
    Situation(
        "inject: True",
        f'{WEB} are not injected: the Pod has the label {INJECT}: "True", which means nothing; allowed: "true", '
        f'"false". {OPT_IN}',
        deployment({INJECT: "True"}),
        configs=[config(match={"policy": "Disabled"})],
    ),
    Situation(
        "istio-injection=true",
        f"{WEB} are not injected: namespace shop has the label istio-injection=true, which means nothing; allowed: "
        f'"enabled". {RELABEL}',
        namespace={"istio-injection": "true"},
    ),
    Situation(
        "a misspelt label of the namespace",
        f"{WEB} are not injected: namespace shop has the label istio-injecton=enabled, which means nothing: "
        "istio-injection is how it is spelt. To inject them: kubectl label namespace shop istio-injecton- "
        "istio-injection=enabled",
        namespace={"istio-injecton": "enabled"},
    ),
    Situation(
        "an annotation of the namespace",
        f'{WEB} are not injected: namespace shop has istio-injection: "enabled" as an annotation, and it has to be a '
        f"label. {LABEL}",
        namespace={},
        namespace_annotations=ENABLED,
    ),
    Situation(
        "a Pod's label on the namespace",
        f"{WEB} are not injected: namespace shop has the label {INJECT}=true, which works on Pods only. {LABEL}",
        namespace={INJECT: "true"},
    ),
    Situation(
        "a namespace's label on the Pod",
        f'{WEB} are not injected: the label istio-injection: "enabled" of the Pod has no effect: it is a label of '
        f"namespaces. {LABEL}",
        deployment(ENABLED),
        {},
    ),
    Situation(
        "a CEL condition",
        f"{WEB} {BY_ISTIO}, provided that the API server, which alone can tell, finds spec.match.conditions[no-batch] "
        "to be true: !has(object.metadata.labels.batch)",
        configs=[
            config(match={"conditions": [{"name": "no-batch", "expression": "!has(object.metadata.labels.batch)"}]})
        ],
        injected=True,
    ),
    Situation(
        "a namespace of which nothing is known",
        f"{WEB} {BY_ISTIO}, provided that namespace shop has the label istio.io/rev=default or has the label "
        "istio-injection=enabled (its labels are not known here: --namespace-labels)",
        namespace=None,
        injected=True,
    ),
    Situation(
        "a static Pod",
        "Pod shop/web is not injected: it mirrors a static Pod, which the kubelet runs from a file on its node, "
        "whatever is changed here. To inject it: run it as a DaemonSet instead, or write the sidecar into that file",
        pod(annotations={"kubernetes.io/config.mirror": "x"}),
    ),
    Situation(
        "a template that fails on this Pod",
        f"{WEB} cannot be created: config istio fails on the Pod, and its failurePolicy is Fail: template "
        "istio/sidecar:1:69: `pod.spec.nodeName` is undefined. To fix it: if it may be missing, write "
        "`pod.spec.nodeName | default(…)` (template sidecar, line 1; config istio in CONFIG)",
        configs=[config(template=FAILING)],
    ),
    Situation(
        "a template that fails on this Pod, with failurePolicy Ignore",
        f"{WEB} are not injected: config istio fails on it, which its failurePolicy Ignore lets pass: template "
        "istio/sidecar:1:69: `pod.spec.nodeName` is undefined. To inject them: if it may be missing, write "
        "`pod.spec.nodeName | default(…)` (template sidecar, line 1; config istio in CONFIG)",
        configs=[config(template=FAILING, failurePolicy="Ignore")],
    ),
    Situation(
        "a template that refuses this Pod",
        f"{WEB} cannot be created: config istio refuses the Pod: no web here. To fix it: change the Pod as the author "
        "of the template asks, in spec.template of Deployment web in FILE",
        configs=[config(template=REFUSING)],
    ),
    Situation(
        "conflictPolicy Skip",
        f"{WEB} are not injected: the Pod already has container istio-proxy, which istio would inject; conflictPolicy "
        "is Skip. To inject them: set spec.conflictPolicy: Merge in config istio in CONFIG; or rename the container "
        "in spec.template.spec of Deployment web in FILE",
        deployment(containers=OWN_PROXY),
        configs=[config(conflictPolicy="Skip")],
    ),
    Situation(
        "conflictPolicy Reject",
        f"{WEB} cannot be created: config istio refuses the Pod: the Pod already has container istio-proxy, which "
        "istio would inject; conflictPolicy is Reject: rename the container, or opt the Pod out. To fix it: rename "
        "the container in spec.template.spec of Deployment web in FILE; or set spec.conflictPolicy: Merge in config "
        "istio in CONFIG",
        deployment(containers=OWN_PROXY),
        configs=[config(conflictPolicy="Reject")],
    ),
    Situation(
        "podSelector",
        f"{WEB} are not injected: the Pod is not selected by config istio: spec.match.podSelector asks for mesh=in, "
        f'and it has no such label. To inject them: set the label mesh: "in" {IN_TEMPLATE}',
        configs=[config(match={"podSelector": {"matchLabels": {"mesh": "in"}}})],
    ),
    Situation(
        "podSelector, by a label that is not for us to change",
        f"{WEB} are not injected: the Pod is not selected by config istio: spec.match.podSelector asks for app=api, "
        "and it has app=web. To inject them: kubectl edit sic istio (spec.match.podSelector)",
        configs=[config(match={"podSelector": {"matchLabels": {"app": "api"}}})],
    ),
    Situation(
        "namespaceSelector",
        f"{WEB} are not injected: namespace shop is not selected by config mesh: spec.match.namespaceSelector asks for "
        "team=a, and it has no such label. To inject them: kubectl label namespace shop team=a",
        configs=[generic(match={"namespaceSelector": {"matchLabels": {"team": "a"}}})],
    ),
    Situation(
        "namespaceSelector, by a label that is not for us to change",
        f"{WEB} are not injected: namespace shop is not selected by config mesh: spec.match.namespaceSelector asks for "
        "team=a, and it has team=b. To inject them: kubectl edit sic mesh (spec.match.namespaceSelector)",
        namespace={"team": "b"},
        configs=[generic(match={"namespaceSelector": {"matchLabels": {"team": "a"}}})],
    ),
    Situation(
        "two configs, of which the one that came nearest is named",
        f"{WEB} are not injected: spec.match.policy of config mesh is Disabled, so that only Pods with the label "
        'sidecarinjector.dev/inject: "true" are injected. To inject them: set the label sidecarinjector.dev/inject: '
        f'"true" {IN_TEMPLATE}',
        configs=[TWO[1], generic(match={"policy": "Disabled"})],
    ),
    Situation(
        "two configs that both inject",
        f"{WEB} {BY_ISTIO}; and by mesh (revision …): container mesh",
        configs=[generic(), config()],
        injected=True,
    ),
]
