"""What is known when the first object is explained, from wherever it came."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.view import Pod
from sidecar_injector.profiles.explaining.model import Known, Labels, Situation, Target, Webhook

A_POD = "any"
"""Name of the Pod that says nothing."""


@dataclass(frozen=True)
class Knowledge:
    """Configs, cluster, webhook and Namespaces.

    namespaces   -- that are known, by name; None: it does not exist
    other_labels -- labels of all other Namespaces; None: they are not known
    labelled     -- when labels of Namespaces were set, by Namespace and key
    notes        -- what could not be found out
    """

    configs: tuple[Known, ...]
    facts: ClusterFacts
    namespaces: Mapping[str, NamespaceFacts | None] = field(default_factory=dict)
    other_labels: Labels | None = None
    labelled: Mapping[str, Labels] = field(default_factory=dict)
    webhook: Webhook | None = None
    operator: str = ""
    installed: bool = True
    notes: tuple[str, ...] = ()

    def situation(self, target: Target, pod: Pod) -> Situation:
        """Return everything that the answer about an object depends on."""
        name = target.namespace
        namespace = self.namespaces.get(name, NamespaceFacts(name, self.other_labels or {}))
        labels = self.other_labels if name not in self.namespaces else namespace.labels if namespace else {}
        return Situation(
            target,
            pod,
            self.configs,
            replace(self.facts, namespaces={name: namespace or NamespaceFacts(name)}),
            namespace,
            labels,
            self.labelled.get(name, {}),
            self.webhook,
            self.operator,
            self.installed,
        )


def pod_that_says_nothing(namespace: str) -> Pod:
    """Return a Pod without labels and annotations of its own."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": A_POD, "namespace": namespace},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    }
