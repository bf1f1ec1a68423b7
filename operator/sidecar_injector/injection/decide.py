"""Inject this Pod, and if not, why not: one table, one reason code a row.

The same function answers the webhook and the command line, so what it says is what happens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import Mode
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.review import Request
from sidecar_injector.injection.view import Pod, annotations, labels
from sidecar_injector.names import MIRROR_POD, NAMESPACE_NAME, Reason


@dataclass(frozen=True)
class Decision:
    """Whether a Pod is injected, the reason code, and the same in a sentence for people."""

    inject: bool
    reason: Reason
    message: str


@dataclass(frozen=True)
class Subject:
    """Everything that a decision may depend on.

    `namespace_labels` is None where the API server has already matched the Namespace (it has, for the webhook).
    """

    pod: Pod
    namespace: str
    config: CompiledConfig
    facts: ClusterFacts
    namespace_labels: Mapping[str, str] | None = None


class Selection(Protocol):
    """What a profile adds: its own vocabulary for opting in and out."""

    def select(self, subject: Subject) -> Decision:
        """Decide by the profile's labels, annotations and policy."""
        ...


Rule = Callable[[Subject], Decision | None]


def decide(request: Request, subject: Subject, selection: Selection) -> Decision:
    """Return the first rule's answer that has one: the rules that bind every profile, then the profile's own."""
    if not request.creates_pod:
        what = "/".join(filter(None, (request.resource, request.subresource))) or "an object"
        return skip(Reason.NOT_A_POD_CREATION, f"{request.operation} of {what}: only Pods are injected, when created")
    for rule in RULES:
        decision = rule(subject)
        if decision is not None:
            return decision
    return selection.select(subject)


def skip(reason: Reason, message: str) -> Decision:
    """Return the decision to leave a Pod alone."""
    return Decision(False, reason, message)


def _disabled(subject: Subject) -> Decision | None:
    if subject.config.spec.mode is Mode.DISABLED:
        return skip(Reason.DISABLED, f"config {subject.config.name} has mode Disabled")
    return None


def _mirror_pod(subject: Subject) -> Decision | None:
    if MIRROR_POD in annotations(subject.pod):
        return skip(Reason.MIRROR_POD, "a static Pod's mirror: the kubelet runs it from a file and ignores changes")
    return None


def _system_namespace(subject: Subject) -> Decision | None:
    if subject.namespace in subject.facts.excluded_namespaces:
        return skip(Reason.SYSTEM_NAMESPACE, f"namespace {subject.namespace} is never injected")
    return None


def _namespace_not_selected(subject: Subject) -> Decision | None:
    if subject.namespace_labels is None:
        return None
    known = {**subject.namespace_labels, NAMESPACE_NAME: subject.namespace}
    if subject.config.spec.match.namespace_selector.matches(known):
        return None
    return skip(
        Reason.NAMESPACE_NOT_SELECTED,
        f"the labels of namespace {subject.namespace} do not match spec.match.namespaceSelector "
        f"of {subject.config.name}",
    )


def _pod_not_selected(subject: Subject) -> Decision | None:
    if subject.config.spec.match.pod_selector.matches(labels(subject.pod)):
        return None
    return skip(
        Reason.POD_NOT_SELECTED, f"the Pod's labels do not match spec.match.podSelector of {subject.config.name}"
    )


RULES: tuple[Rule, ...] = (_disabled, _mirror_pod, _system_namespace, _namespace_not_selected, _pod_not_selected)
