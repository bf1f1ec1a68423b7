"""Rules of selection that profiles share, each with the profile's own word for asking."""

from sidecar_injector.config.model import Policy
from sidecar_injector.injection.decide import Decision, Rule, Subject, selected, skip
from sidecar_injector.injection.view import Pod, annotations, labels
from sidecar_injector.names import Reason


def inject_value(pod: Pod, inject: str) -> tuple[str, str]:
    """Return what the Pod asks for by a key, and by what: "label" or "annotation", which even an empty label hides."""
    if inject in (given := labels(pod)):
        return given[inject], "label"
    if inject in (given := annotations(pod)):
        return given[inject], "annotation"
    return "", ""


def asked(pod: Pod, inject: str) -> Decision | None:
    """Return the decision that the Pod itself asks for by a key, None if it does not say."""
    value, where = inject_value(pod, inject)
    if value == "true":
        return selected(f"the Pod has the {where} {inject}: true")
    return opted_out(inject, where) if value == "false" else None


def opted_out(inject: str, where: str) -> Decision:
    """Return the decision about a Pod that has opted out by a label or an annotation."""
    return skip(
        Reason.POD_OPTED_OUT,
        f'the Pod opts out: it has the {where} {inject}: "false"',
        f"take the {where} off, or set it to true",
    )


def selectors_rule(inject: str) -> Rule:
    """Return the rule of `spec.match.neverInject` and `alwaysInject`; `inject` is the label that beats both."""

    def decide(subject: Subject) -> Decision | None:
        """Decide by the selectors; a Pod that is never injected is not asked whether it always is."""
        match, pod_labels = subject.config.spec.match, labels(subject.pod)
        for selector in match.never_inject:
            if selector.matches(pod_labels):
                return skip(
                    Reason.NEVER_INJECT,
                    f"spec.match.neverInject of config {subject.config.name} excludes Pods with the labels {selector}",
                    f'give the Pod the label {inject}: "true", which wins over that',
                )
        for selector in match.always_inject:
            if selector.matches(pod_labels):
                return selected("the Pod's labels match spec.match.alwaysInject")
        return None

    def value(subject: Subject) -> str:
        match = subject.config.spec.match
        return f"{len(match.never_inject)} selectors and {len(match.always_inject)}"

    return Rule("neverInject and alwaysInject", value, decide)


_ENABLED = selected("spec.match.policy is Enabled")


def policy_rule(inject: str) -> Rule:
    """Return the rule of `spec.match.policy`, which decides about Pods that say nothing."""

    def decide(subject: Subject) -> Decision:
        if subject.config.spec.match.policy is Policy.ENABLED:
            return _ENABLED
        return skip(
            Reason.POLICY_DISABLED,
            f"spec.match.policy of config {subject.config.name} is Disabled, so that only Pods with the label "
            f'{inject}: "true" are injected',
            f'give the Pod the label {inject}: "true"',
        )

    return Rule("policy", lambda subject: f"spec.match.policy is {subject.config.spec.match.policy}", decide)
