"""Our own vocabulary: `sidecarinjector.dev/inject` and `sidecarinjector.dev/templates` on Pods."""

import difflib
from collections.abc import Mapping
from itertools import islice

from sidecar_injector.config.model import Policy
from sidecar_injector.errors import PodRejected, UnknownTemplateError
from sidecar_injector.injection.decide import Decision, Subject, skip
from sidecar_injector.injection.respond import WARNINGS_IN_ALL
from sidecar_injector.injection.view import Pod, annotations, labels, part
from sidecar_injector.names import GROUP, INJECT, STATUS, TEMPLATES, Reason

_KNOWN_LABELS = (INJECT,)
_KNOWN_ANNOTATIONS = (INJECT, TEMPLATES, STATUS)


class Generic:
    """Profile Generic."""

    def select(self, subject: Subject) -> Decision:
        """Decide by what the Pod says of itself, then by the config's selectors, then by its policy."""
        asked = _asked(subject.pod)
        match, pod_labels = subject.config.spec.match, labels(subject.pod)
        if asked == "false":
            return skip(Reason.POD_OPTED_OUT, f"the Pod says {INJECT}: false")
        if asked == "true":
            return _inject(f"the Pod says {INJECT}: true")
        if any(selector.matches(pod_labels) for selector in match.never_inject):
            return skip(Reason.NEVER_INJECT, "the Pod's labels match spec.match.neverInject")
        if any(selector.matches(pod_labels) for selector in match.always_inject):
            return _inject("the Pod's labels match spec.match.alwaysInject")
        if match.policy is Policy.DISABLED:
            return skip(
                Reason.POLICY_DISABLED, f"spec.match.policy is Disabled, and the Pod does not say {INJECT}: true"
            )
        return _inject("spec.match.policy is Enabled")

    def template_names(self, subject: Subject) -> tuple[str, ...]:
        """Return the templates that the Pod's annotation names, or the config's default ones."""
        text = annotations(subject.pod).get(TEMPLATES)
        if text is None:
            return subject.config.default_names
        asked = [name.strip() for name in text.split(",") if name.strip()]
        try:
            return subject.config.expand(asked)
        except UnknownTemplateError as error:
            raise PodRejected(Reason.UNKNOWN_TEMPLATE, f"metadata.annotations[{TEMPLATES}]: {error}") from None

    def context(self, subject: Subject) -> Mapping[str, object]:
        """Add nothing: what every template sees is all there is."""
        return {}

    def finish(self, subject: Subject, before: Pod, after: Pod) -> Pod:
        """Keep every label that the Pod came with.

        Controllers select by labels: a Pod whose label was changed is lost to its ReplicaSet, which makes another one,
        and so on without end.
        """
        mine = labels(before)
        if all(labels(after).get(key) == value for key, value in mine.items()):
            return after
        return {**after, "metadata": {**part(after, "metadata"), "labels": {**labels(after), **mine}}}

    def warnings(self, subject: Subject) -> tuple[str, ...]:
        """Warn of keys of ours that mean nothing, of values that do, and of an annotation where a label is better."""
        found = [
            *_misspelt("label", labels(subject.pod), _KNOWN_LABELS),
            *_misspelt("annotation", annotations(subject.pod), _KNOWN_ANNOTATIONS),
        ]
        value, where = _inject_value(subject.pod)
        if value not in (None, "true", "false"):
            found.append(f"{where} {INJECT}: {value!r} is ignored; allowed are 'true' and 'false'")
        elif where == "annotation":
            found.append(f"annotation {INJECT} works, but as a label it spares the API server the call")
        return tuple(found)


def _inject(message: str) -> Decision:
    return Decision(True, Reason.INJECTED, message)


def _asked(pod: Pod) -> str | None:
    return _inject_value(pod)[0]


def _inject_value(pod: Pod) -> tuple[str | None, str]:
    """Return what the Pod asks for and where it does: a label hides an annotation."""
    for where, values in (("label", labels(pod)), ("annotation", annotations(pod))):
        if INJECT in values:
            return values[INJECT], where
    return None, ""


def _misspelt(kind: str, values: Mapping[str, str], known: tuple[str, ...]) -> list[str]:
    warnings = []
    unknown = (key for key in values if key.startswith(f"{GROUP}/") and key not in known)
    for key in islice(unknown, WARNINGS_IN_ALL):
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        warnings.append(f"unknown {kind} {key!r} is ignored{hint}")
    return warnings
