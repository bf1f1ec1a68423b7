"""Inject this Pod, and if not, why not: one table of rules, one reason code a row.

The same rules answer the webhook, the command line and `explain`, so what is said is what happens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import Mode
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.review import Request
from sidecar_injector.injection.view import Pod, annotations, labels
from sidecar_injector.names import MIRROR_POD, NAMESPACE_NAME, Reason


@dataclass(frozen=True)
class Decision:
    """Whether a Pod is injected, the reason code, the same in a sentence, and what to do to have it otherwise."""

    inject: bool
    reason: Reason
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Subject:
    """Everything that a decision may depend on.

    namespace_labels -- None where the API server has already matched the Namespace (it has, for the webhook)
    parameters       -- keys and values from the path of the webhook
    """

    pod: Pod
    namespace: str
    config: CompiledConfig
    facts: ClusterFacts
    namespace_labels: Mapping[str, str] | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


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
    for rule in (*RULES, *selection.rules):
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
    return skip(Reason.DISABLED, f"config {name} has mode Disabled", f"set spec.mode of {name} to Enforce")


def _mirror_pod(subject: Subject) -> Decision | None:
    if MIRROR_POD not in annotations(subject.pod):
        return None
    return skip(
        Reason.MIRROR_POD,
        "a static Pod's mirror: the kubelet runs it from a file and ignores changes",
        "run it as a DaemonSet, or write the sidecar into the file",
    )


def _system_namespace(subject: Subject) -> Decision | None:
    if subject.namespace not in subject.facts.excluded_namespaces:
        return None
    return skip(
        Reason.SYSTEM_NAMESPACE,
        f"namespace {subject.namespace} is never injected",
        "run the workload in another namespace",
    )


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
    if selector is None or known is None or selector.matches({**known, NAMESPACE_NAME: subject.namespace}):
        return None
    name = subject.config.name
    return skip(
        Reason.NAMESPACE_NOT_SELECTED,
        f"the labels of namespace {subject.namespace} do not match spec.match.namespaceSelector of {name}",
        f"label the namespace so that it is selected: {selector}",
    )


def _pod_not_selected(subject: Subject) -> Decision | None:
    selector = subject.config.spec.match.pod_selector
    if selector.matches(labels(subject.pod)):
        return None
    return skip(
        Reason.POD_NOT_SELECTED,
        f"the Pod's labels do not match spec.match.podSelector of {subject.config.name}",
        f"label the Pod (of a workload: its Pod template) so that it is selected: {selector}",
    )


def shown(values: Mapping[str, str] | None, *keys: str) -> str:
    """Return labels (of these keys, if any are named) as text for people; None: they are not known here."""
    if values is None:
        return "not known here; the API server has matched them"
    return ", ".join(f"{key}={value}" for key, value in values.items() if not keys or key in keys) or "none"


NAMESPACE_SELECTOR = Rule(
    "labels of the namespace", lambda subject: shown(subject.namespace_labels), _namespace_not_selected
)
POD_SELECTOR = Rule("labels of the Pod", lambda subject: shown(labels(subject.pod)), _pod_not_selected)
