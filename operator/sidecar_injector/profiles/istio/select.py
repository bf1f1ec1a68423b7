"""Inject this Pod, and if not, why not: Istio's table, top to bottom; the first row that decides, decides.

Source: https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy
"""

from collections.abc import Mapping

from sidecar_injector.injection.decide import (
    NAMESPACE_SELECTOR,
    POD_SELECTOR,
    Decision,
    Rule,
    Subject,
    label_namespace,
    shown,
    skip,
)
from sidecar_injector.injection.view import labels, part
from sidecar_injector.names import NAMESPACE_NAME, Reason
from sidecar_injector.profiles.istio.entries import entries
from sidecar_injector.profiles.istio.vocabulary import DEFAULT_REVISION, INJECT, INJECTION, REVISION
from sidecar_injector.profiles.selection import asked, inject_value, opted_out, policy_rule, selectors_rule

# --- what the API server decides by the entries, before it calls


def _opted_out_by_label(subject: Subject) -> Decision | None:
    if labels(subject.pod).get(INJECT) != "false":
        return None
    return opted_out(INJECT, "label")


def _not_called_for(subject: Subject) -> Decision | None:
    """Say which labels of Namespace and Pod keep the API server from calling; None where it calls, or is not known.

    A podSelector that does not match is left to its own rule.
    """
    if subject.namespace_labels is None:
        return None
    match, pod_labels = subject.config.spec.match, labels(subject.pod)
    if match.namespace_selector is not None:
        return None
    known = {**subject.namespace_labels, NAMESPACE_NAME: subject.namespace}
    called = any(entry.selects(known, pod_labels) for entry in entries(subject.config))
    if called or not match.pod_selector.matches(pod_labels):
        return None
    return _label_at_fault(subject, subject.namespace_labels)


def _label_at_fault(subject: Subject, namespace: Mapping[str, str]) -> Decision:
    revision, name = subject.config.spec.revision, subject.namespace
    this = f"config {subject.config.name} has revision {revision}"
    turn_on = label_namespace(name, namespace, _asking_for(revision, namespace))
    if INJECTION in namespace:
        value = namespace[INJECTION]
        if value == "enabled":
            asked = f"namespace {name} has the label {INJECTION}=enabled, which asks for revision {DEFAULT_REVISION}"
            return _not_selected(f"{asked}, and {this}", turn_on)
        kept = f"namespace {name} has the label {INJECTION}={value}, which keeps every Pod in it from being injected"
        return _not_selected(kept, turn_on)
    if REVISION in namespace:
        asked = f"namespace {name} asks for revision {namespace[REVISION]} by its label {REVISION}"
        return _not_selected(f"{asked}, and {this}", turn_on)
    asked_by_pod = labels(subject.pod).get(REVISION)
    if asked_by_pod is not None and asked_by_pod != revision:
        return _not_selected(
            f"the Pod asks for revision {asked_by_pod} by its label {REVISION}, and {this}",
            f"set the label to {revision}",
            Reason.POD_NOT_SELECTED,
        )
    return _nobody_asks(subject, turn_on)


def _nobody_asks(subject: Subject, turn_on: str) -> Decision:
    value, where = inject_value(subject.pod, INJECT)
    silent = f"namespace {subject.namespace} has no label {INJECTION}=enabled, nor {REVISION}"
    if where == "annotation" and value == "true":
        return _not_selected(
            f"{silent}, and the Pod asks by the annotation {INJECT}, which the API server does not look at: it has to "
            "be a label",
            f'make it a label: {INJECT}: "true"',
            Reason.POD_NOT_SELECTED,
        )
    if value == "true":
        return _not_selected(
            f"{silent}, and the Pod's label {INJECT}: true asks for revision {DEFAULT_REVISION}, "
            f"while config {subject.config.name} has revision {subject.config.spec.revision}",
            turn_on,
        )
    return _not_selected(f"{silent}, and the Pod does not ask for injection by a label of its own", turn_on)


def _asking_for(revision: str, namespace: Mapping[str, str]) -> dict[str, str | None]:
    """Return the labels of a Namespace that ask for a revision; the other one of the two must not be in the way."""
    if revision == DEFAULT_REVISION:
        return {INJECTION: "enabled"}
    return {**({INJECTION: None} if INJECTION in namespace else {}), REVISION: revision}


def _not_selected(message: str, remedy: str, reason: Reason = Reason.NAMESPACE_NOT_SELECTED) -> Decision:
    return skip(reason, message, remedy)


# --- what is decided here


def _host_network(subject: Subject) -> Decision | None:
    if part(subject.pod, "spec").get("hostNetwork") is not True:
        return None
    return skip(
        Reason.HOST_NETWORK,
        "spec.hostNetwork is true, and a Pod on the node's network is never injected: its traffic is the node's",
        "take hostNetwork: true out of the Pod's spec",
    )


def _windows(subject: Subject) -> Decision | None:
    if part(part(subject.pod, "spec"), "os").get("name") != "windows":
        return None
    return skip(
        Reason.WINDOWS,
        "spec.os.name is windows, where the proxy does not run",
        "run it on nodes with Linux",
    )


def _asked_value(subject: Subject) -> str:
    value, where = inject_value(subject.pod, INJECT)
    if not where:
        return f"no label or annotation {INJECT}"
    meaning = "" if value in ("true", "false") else ", which means nothing: it counts as not given"
    return f"{where} {INJECT}: {value!r}{meaning}"


RULES: tuple[Rule, ...] = (
    Rule("opt-out label", lambda subject: shown(labels(subject.pod), INJECT), _opted_out_by_label),
    Rule(
        "labels that ask for a revision",
        lambda subject: (
            f"namespace: {shown(subject.namespace_labels, INJECTION, REVISION)}; "
            f"Pod: {shown(labels(subject.pod), INJECT, REVISION)}; this is revision {subject.config.spec.revision}"
        ),
        _not_called_for,
    ),
    NAMESPACE_SELECTOR,
    POD_SELECTOR,
    Rule(
        "host network",
        lambda subject: f"spec.hostNetwork is {str(bool(part(subject.pod, 'spec').get('hostNetwork'))).lower()}",
        _host_network,
    ),
    Rule(
        "operating system",
        lambda subject: f"spec.os.name is {part(part(subject.pod, 'spec'), 'os').get('name') or 'not set'}",
        _windows,
    ),
    Rule("inject label or annotation", _asked_value, lambda subject: asked(subject.pod, INJECT)),
    selectors_rule(INJECT),
    policy_rule(INJECT),
)
