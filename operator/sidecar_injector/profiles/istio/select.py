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
    selected,
    shown,
    skip,
)
from sidecar_injector.injection.view import Pod, annotations, labels, part
from sidecar_injector.names import NAMESPACE_NAME, Reason
from sidecar_injector.profiles.istio.entries import entries
from sidecar_injector.profiles.istio.vocabulary import DEFAULT_REVISION, INJECT, INJECTION, REVISION
from sidecar_injector.profiles.selection import policy_rule, selectors_rule

IN_TEMPLATE = "on the Pod itself; of a workload, in spec.template.metadata.labels"


def inject_value(pod: Pod) -> tuple[str, str]:
    """Return what the Pod asks for, and by what: "label" or "annotation", which even an empty label hides."""
    for where, values in (("label", labels(pod)), ("annotation", annotations(pod))):
        if INJECT in values:
            return values[INJECT], where
    return "", ""


# --- what the API server decides by the entries, before it calls


def _opted_out_by_label(subject: Subject) -> Decision | None:
    if labels(subject.pod).get(INJECT) != "false":
        return None
    return _opted_out("label")


def _opted_out(where: str) -> Decision:
    return skip(
        Reason.POD_OPTED_OUT,
        f"the Pod has the {where} {INJECT}: false",
        f"take the {where} off, or set it to true ({IN_TEMPLATE})".replace("labels)", f"{where}s)"),
    )


def _not_called_for(subject: Subject) -> Decision | None:
    """Say which labels of Namespace and Pod keep the API server from calling; None where it calls, or is not known."""
    if subject.config.spec.match.namespace_selector is not None or subject.namespace_labels is None:
        return None
    known, pod_labels = {**subject.namespace_labels, NAMESPACE_NAME: subject.namespace}, labels(subject.pod)
    if any(entry.namespaces.matches(known) and entry.pods.matches(pod_labels) for entry in entries(subject.config)):
        return None
    return _label_at_fault(subject, known)


def _label_at_fault(subject: Subject, namespace: Mapping[str, str]) -> Decision:
    revision, name = subject.config.spec.revision, subject.namespace
    turn_on = f"kubectl label namespace {name} --overwrite {_asking_for(revision)}"
    if INJECTION in namespace:
        value = namespace[INJECTION]
        if value == "enabled":
            cause = f"namespace {name} has the label {INJECTION}=enabled, which asks for revision {DEFAULT_REVISION}, "
            return _not_selected(
                f"{cause}and this is revision {revision}",
                f"kubectl label namespace {name} --overwrite {INJECTION}- {REVISION}={revision}",
            )
        return _not_selected(
            f"namespace {name} has the label {INJECTION}={value}, which keeps every Pod in it from being injected",
            f"kubectl label namespace {name} --overwrite {INJECTION}"
            + ("=enabled" if revision == DEFAULT_REVISION else f"- {REVISION}={revision}"),
        )
    if REVISION in namespace:
        return _not_selected(
            f"namespace {name} asks for revision {namespace[REVISION]} ({REVISION}), and this is revision {revision}",
            turn_on,
        )
    asked = labels(subject.pod).get(REVISION)
    if asked is not None and asked != revision:
        return _not_selected(
            f"the Pod asks for revision {asked} ({REVISION}), and this is revision {revision}",
            f"set the label to {revision} {IN_TEMPLATE}",
            Reason.POD_NOT_SELECTED,
        )
    return _nobody_asks(subject, turn_on)


def _nobody_asks(subject: Subject, turn_on: str) -> Decision:
    value, where = inject_value(subject.pod)
    name, revision = subject.namespace, subject.config.spec.revision
    if where == "annotation" and value == "true":
        return _not_selected(
            f"the Pod asks for injection by the annotation {INJECT}, which the API server cannot select by, and "
            f"namespace {name} has no label that does",
            f"make it a label {IN_TEMPLATE}; or {turn_on}",
            Reason.POD_NOT_SELECTED,
        )
    if value == "true":
        return _not_selected(
            f"namespace {name} has no label, and the Pod's {INJECT}: true asks for revision {DEFAULT_REVISION}, "
            f"and this is revision {revision}",
            f"label the Pod {REVISION}={revision}; or {turn_on}",
        )
    pod_label = f"{INJECT}=true" if revision == DEFAULT_REVISION else f"{REVISION}={revision}"
    return _not_selected(
        f"namespace {name} has neither the label {INJECTION} nor {REVISION}, and the Pod asks for nothing",
        f"{turn_on}; for this Pod alone, label it {pod_label} ({IN_TEMPLATE})",
    )


def _asking_for(revision: str) -> str:
    return f"{INJECTION}=enabled" if revision == DEFAULT_REVISION else f"{REVISION}={revision}"


def _not_selected(message: str, remedy: str, reason: Reason = Reason.NAMESPACE_NOT_SELECTED) -> Decision:
    return skip(reason, message, remedy)


# --- what is decided here


def _host_network(subject: Subject) -> Decision | None:
    if part(subject.pod, "spec").get("hostNetwork") is not True:
        return None
    return skip(
        Reason.HOST_NETWORK,
        "spec.hostNetwork is true: to capture the Pod's traffic would be to capture the node's",
        "take hostNetwork out of the Pod's spec",
    )


def _asked(subject: Subject) -> Decision | None:
    value, where = inject_value(subject.pod)
    if value == "true":
        return selected(f"the Pod has the {where} {INJECT}: true")
    return _opted_out(where) if value == "false" else None


def _asked_value(subject: Subject) -> str:
    value, where = inject_value(subject.pod)
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
    Rule("inject label or annotation", _asked_value, _asked),
    selectors_rule(INJECT),
    policy_rule(INJECT),
)
