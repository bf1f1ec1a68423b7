"""Our own vocabulary: `sidecarinjector.dev/inject` and `sidecarinjector.dev/templates` on Pods."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import SidecarMode
from sidecar_injector.errors import PodRejected, Problem, UnknownTemplateError
from sidecar_injector.injection.decide import NAMESPACE_SELECTOR, POD_SELECTOR, Rule, Subject
from sidecar_injector.injection.entries import Entry, generic_entries
from sidecar_injector.injection.facts import NATIVE_SIDECARS_SINCE
from sidecar_injector.injection.overrides import annotations_of, namespace_warnings
from sidecar_injector.injection.profile import FinishingRule, Words
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.respond import WARNINGS_IN_ALL
from sidecar_injector.injection.status import Record
from sidecar_injector.injection.view import Pod, annotations, labels, with_labels
from sidecar_injector.names import GROUP, INJECT, STATUS, TEMPLATES, Reason
from sidecar_injector.profiles.selection import asked, inject_value, policy_rule, selectors_rule

_KNOWN_LABELS = (INJECT,)
KNOWN_ANNOTATIONS = (INJECT, TEMPLATES, STATUS)


@dataclass(frozen=True)
class GenericPlan:
    """A Pod that is merged as it is."""

    view: Pod
    native: bool
    replaceable_volumes: Collection[str] = ()

    def context(self) -> Mapping[str, object]:
        """Add nothing: what every template sees is all there is."""
        return {}

    def base(self, pod: Pod, overlays: Sequence[Overlay]) -> Pod:
        """Merge into the Pod as it is."""
        return pod

    def users(self, merged: Pod, overlays: Sequence[Overlay]) -> Pod:
        """All that the Pod says is its user's."""
        return self.view

    def finishing(self, users: Pod) -> Sequence[FinishingRule["GenericPlan"]]:
        """Return the one rule there is."""
        return (FinishingRule("labels", GenericPlan._with_own_labels),)

    def _with_own_labels(self, merged: Pod) -> Pod:
        """Keep every label that the Pod came with.

        Controllers select by labels: a Pod whose label was changed is lost to its ReplicaSet, which makes another one,
        and so on without end.
        """
        mine = labels(self.view)
        if all(labels(merged).get(key) == value for key, value in mine.items()):
            return merged
        return with_labels(merged, {**labels(merged), **mine})


class Generic:
    """Profile Generic."""

    record = Record()
    words = Words(INJECT, TEMPLATES, (GROUP,))

    @property
    def rules(self) -> Sequence[Rule]:
        """Decide by what the Pod says of itself, then by the config's selectors, then by its policy."""
        return RULES

    def problems(self, config: CompiledConfig) -> Sequence[Problem]:
        """Find nothing wrong: values are the templates' own."""
        return ()

    def entries(self, config: CompiledConfig) -> tuple[Entry, ...]:
        """Return the one entry of a config: its selectors, without Pods that have opted out."""
        return generic_entries(config)

    def check(self, subject: Subject) -> None:
        """Accept all annotations."""

    def template_names(self, subject: Subject) -> tuple[str, ...]:
        """Return the templates that the Pod's annotation names, or the config's default ones."""
        return asked_templates(subject, TEMPLATES)

    def settled(self, subject: Subject) -> bool:
        """An injected Pod needs nothing more."""
        return True

    def plan(self, subject: Subject) -> GenericPlan:
        """Inject by templates alone."""
        mode = subject.config.spec.sidecar_mode
        can = subject.facts.runs_native_sidecars(NATIVE_SIDECARS_SINCE)
        return GenericPlan(subject.pod, mode is SidecarMode.NATIVE or (mode is SidecarMode.AUTO and can))

    def warnings(self, subject: Subject) -> tuple[str, ...]:
        """Warn of keys of ours that mean nothing, of values that do, and of an annotation where a label is better."""
        found = [
            *_misspelt("label", labels(subject.pod), _KNOWN_LABELS),
            *_misspelt("annotation", annotations(subject.pod), (*KNOWN_ANNOTATIONS, *annotations_of(subject))),
            *namespace_warnings(subject),
        ]
        value, where = inject_value(subject.pod, INJECT)
        if where and value not in ("true", "false"):
            found.append(f"{where} {INJECT}: {value!r} is ignored; allowed are 'true' and 'false'")
        elif where == "annotation":
            found.append(f"annotation {INJECT} works, but as a label it spares the API server the call")
        return tuple(found)


def asked_templates(subject: Subject, annotation: str) -> tuple[str, ...]:
    """Return the templates that a Pod's annotation names, or the default ones. Raises PodRejected for unknown names."""
    text = annotations(subject.pod).get(annotation)
    if text is None:
        return subject.config.default_names
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    try:
        return subject.config.expand(wanted)
    except UnknownTemplateError as error:
        raise PodRejected(Reason.UNKNOWN_TEMPLATE, f"metadata.annotations[{annotation}]: {error}") from None


# --- the rules of selection


def _asked(subject: Subject) -> str:
    value, where = inject_value(subject.pod, INJECT)
    return f"{where} {INJECT}: {value!r}" if where else f"no label or annotation {INJECT}"


RULES: tuple[Rule, ...] = (
    NAMESPACE_SELECTOR,
    POD_SELECTOR,
    Rule("inject label or annotation", _asked, lambda subject: asked(subject.pod, INJECT)),
    selectors_rule(INJECT),
    policy_rule(INJECT),
)


def _misspelt(kind: str, values: Mapping[str, str], known: tuple[str, ...]) -> list[str]:
    warnings = []
    unknown = (key for key in values if key.startswith(f"{GROUP}/") and key not in known)
    for key in islice(unknown, WARNINGS_IN_ALL):
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        warnings.append(f"unknown {kind} {key!r} is ignored{hint}")
    return warnings
