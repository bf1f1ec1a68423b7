"""Inject this Pod, and if not, why not: one table of rules, one reason code a row.

The same rules answer the webhook, the command line and `explain`, so what is said is what happens.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import Mode
from sidecar_injector.config.selectors import LabelSelector, Operator
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.review import Request
from sidecar_injector.injection.view import Pod, annotations, labels
from sidecar_injector.names import (
    MIRROR_POD,
    NAMESPACE_INJECTION,
    NAMESPACE_NAME,
    SHORT_NAME,
    SYSTEM_NAMESPACES,
    Reason,
)


class Decision(NamedTuple):
    """Whether a Pod is injected, the reason code, the same in a sentence, and what to do to have it otherwise.

    A message completes "the Pod is not injected: …"; a remedy is a command, if one will do.
    """

    inject: bool
    reason: Reason
    message: str
    remedy: str = ""


class Subject(NamedTuple):
    """Everything that a decision may depend on.

    namespace_labels -- None where the API server has already matched the Namespace (it has, for the webhook)
    parameters       -- keys and values from the path of the webhook
    """

    pod: Pod
    namespace: str
    config: CompiledConfig
    facts: ClusterFacts
    namespace_labels: Mapping[str, str] | None = None
    parameters: Mapping[str, str] = MappingProxyType({})


class Rule(NamedTuple):
    """One row of the table: what it looks at, what it finds there (for people), and its decision if it has one."""

    name: str
    value: Callable[[Subject], str]
    decide: Callable[[Subject], Decision | None]


class Selection(Protocol):
    """What a profile adds: its own vocabulary for opting in and out."""

    @property
    def rules(self) -> Sequence[Rule]:
        """The profile's rules, in order; the last one always decides."""
        ...


def decide(request: Request, subject: Subject, selection: Selection) -> Decision:
    """Return the first rule's answer that has one: the rules that bind every profile, then the profile's own."""
    if not request.creates_pod:
        what = "/".join(filter(None, (request.resource, request.subresource))) or "an object"
        return skip(Reason.NOT_A_POD_CREATION, f"{request.operation} of {what}: only Pods are injected, when created")
    return decision_of(subject, selection)


def decision_of(subject: Subject, selection: Selection) -> Decision:
    """Return the decision about a Pod that is being created."""
    for rules in (RULES, selection.rules):
        for rule in rules:
            decision = rule.decide(subject)
            if decision is not None:
                return decision
    raise AssertionError("the last rule of a profile decides")


def skip(reason: Reason, message: str, remedy: str = "") -> Decision:
    """Return the decision to leave a Pod alone."""
    return Decision(False, reason, message, remedy)


def selected(message: str) -> Decision:
    """Return the decision to inject a Pod."""
    return Decision(True, Reason.INJECTED, message)


# --- the rules of every profile


def _disabled(subject: Subject) -> Decision | None:
    if subject.config.spec.mode is not Mode.DISABLED:
        return None
    name = subject.config.name
    return skip(Reason.DISABLED, f"config {name} is switched off: its spec.mode is Disabled", enforce(name))


def enforce(config: str) -> str:
    """Return the command that puts a config in force."""
    return f"""kubectl patch {SHORT_NAME} {config} --type=merge -p '{{"spec":{{"mode":"Enforce"}}}}'"""


def _mirror_pod(subject: Subject) -> Decision | None:
    if MIRROR_POD not in annotations(subject.pod):
        return None
    return skip(
        Reason.MIRROR_POD,
        "it mirrors a static Pod, which the kubelet runs from a file on its node, whatever is changed here",
        "run it as a DaemonSet instead, or write the sidecar into that file",
    )


def _system_namespace(subject: Subject) -> Decision | None:
    if subject.namespace not in subject.facts.excluded_namespaces:
        return None
    return skip(
        Reason.SYSTEM_NAMESPACE,
        f"namespace {subject.namespace} is {_what(subject.namespace)}, and no Pod in it is ever injected",
        "run the workload in another namespace",
    )


def _what(namespace: str) -> str:
    return "a system namespace" if namespace in SYSTEM_NAMESPACES else "the injector's own"


RULES: tuple[Rule, ...] = (
    Rule("mode", lambda subject: f"spec.mode is {subject.config.spec.mode}", _disabled),
    Rule(
        "mirror Pod",
        lambda subject: f"annotation {MIRROR_POD} is {'there' if MIRROR_POD in annotations(subject.pod) else 'absent'}",
        _mirror_pod,
    ),
    Rule("system namespace", lambda subject: f"the namespace is {subject.namespace or 'not known'}", _system_namespace),
)


# --- what the API server decides by the entries of the webhook configuration, before it calls


def _namespace_not_selected(subject: Subject) -> Decision | None:
    selector, known = subject.config.spec.match.namespace_selector, subject.namespace_labels
    if selector is None or known is None:
        return None
    given = {**known, NAMESPACE_NAME: subject.namespace}
    if selector.matches(given):
        return None
    changes, name = missing(selector, given), subject.config.name
    to_select = f"kubectl edit {SHORT_NAME} {name} (spec.match.namespaceSelector)"
    free = all(key == NAMESPACE_INJECTION or key not in given for key in changes)
    return skip(
        Reason.NAMESPACE_NOT_SELECTED,
        f"namespace {subject.namespace} is not selected by config {name}: spec.match.namespaceSelector asks for "
        f"{selector}, and it has {_has(selector, given)}",
        label_namespace(subject.namespace, known, changes) if free else to_select,
    )


def _pod_not_selected(subject: Subject) -> Decision | None:
    selector, given = subject.config.spec.match.pod_selector, labels(subject.pod)
    if selector.matches(given):
        return None
    return skip(
        Reason.POD_NOT_SELECTED,
        f"the Pod is not selected by config {subject.config.name}: spec.match.podSelector asks for {selector}, and it "
        f"has {_has(selector, given)}",
        f"kubectl edit {SHORT_NAME} {subject.config.name} (spec.match.podSelector)",
    )


def _has(selector: LabelSelector, given: Mapping[str, str]) -> str:
    keys = [*(key for key, _ in selector.match_labels), *(found.key for found in selector.match_expressions)]
    return ", ".join(f"{key}={value}" for key, value in given.items() if key in keys) or "no such label"


def missing(selector: LabelSelector, given: Mapping[str, str]) -> dict[str, str | None]:
    """Return what these labels lack to be selected: labels to set, and with None labels to take off."""
    changes: dict[str, str | None] = {key: value for key, value in selector.match_labels if given.get(key) != value}
    for requirement in selector.match_expressions:
        if not requirement.matches(given):
            values = {Operator.IN: requirement.values[:1], Operator.EXISTS: ("true",)}.get(requirement.operator, ())
            changes[requirement.key] = next(iter(values), None)
    return changes


def label_namespace(name: str, given: Mapping[str, str], changes: Mapping[str, str | None]) -> str:
    """Return the command that changes labels of a Namespace; None takes one off."""
    overwrite = " --overwrite" if any(value is not None and key in given for key, value in changes.items()) else ""
    pairs = [f"{key}-" if value is None else f"{key}={value}" for key, value in changes.items()]
    return f"kubectl label namespace {name}{overwrite} {' '.join(pairs)}"


def shown(values: Mapping[str, str] | None, *keys: str) -> str:
    """Return labels (of these keys, if any are named) as text for people; None: they are not known here."""
    if values is None:
        return "not known here; the API server has matched them"
    return ", ".join(f"{key}={value}" for key, value in values.items() if not keys or key in keys) or "none"


NAMESPACE_SELECTOR = Rule(
    "labels of the namespace", lambda subject: shown(subject.namespace_labels), _namespace_not_selected
)
POD_SELECTOR = Rule("labels of the Pod", lambda subject: shown(labels(subject.pod)), _pod_not_selected)
