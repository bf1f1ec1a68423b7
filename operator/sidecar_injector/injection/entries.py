"""What a config asks the API server for: for which Pods, by the labels of Namespace and Pod, it is to be called."""

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.selectors import LabelSelector, Operator, Requirement
from sidecar_injector.names import INJECT, WEBHOOK_DOMAIN


@dataclass(frozen=True)
class Entry:
    """One entry of the webhook configuration; it selects a Pod if both selectors do.

    A config may have several, because the API server has no "or" in a selector; no Pod is selected by two of them.
    The system namespaces and the injector's own are excluded where entries are registered.

    kind       -- tells the config's entries apart, as the first part of the entry's name; empty for the only one
    namespaces -- by the Namespace's labels
    pods       -- by the Pod's labels
    """

    kind: str
    namespaces: LabelSelector
    pods: LabelSelector

    def name(self, config: str) -> str:
        """Return the entry's name in the webhook configuration."""
        return ".".join(filter(None, (self.kind, config, WEBHOOK_DOMAIN)))

    def selects(self, namespace_labels: Mapping[str, str], pod_labels: Mapping[str, str]) -> bool:
        """Tell whether the API server calls for a Pod with these labels in a Namespace with those."""
        return self.namespaces.matches(namespace_labels) and self.pods.matches(pod_labels)


def generic_entries(config: CompiledConfig) -> tuple[Entry, ...]:
    """Return the one entry of a config in our own vocabulary: its selectors, without the Pods that opt out by label."""
    match = config.spec.match
    assert match.namespace_selector is not None, "the parser fills it in for this profile"
    not_opted_out = Requirement(INJECT, Operator.NOT_IN, ("false",))
    return (Entry("", match.namespace_selector, match.pod_selector.narrowed(not_opted_out)),)
