"""Changes of labels, tried out before they are recommended: would the Pod be injected then?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sidecar_injector.injection.decide import label_namespace, missing
from sidecar_injector.injection.facts import NamespaceFacts
from sidecar_injector.injection.profile import Profile
from sidecar_injector.injection.view import Pod, labels, part
from sidecar_injector.names import NAMESPACE_NAME
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.explaining.consider import consider_all
from sidecar_injector.profiles.explaining.model import Labels, Situation, Verdict
from sidecar_injector.profiles.explaining.remedies import Changes, label_pods
from sidecar_injector.profiles.istio.vocabulary import REVISION


@dataclass(frozen=True)
class Change:
    """Labels to set on the Pods and on their Namespace; None takes one off."""

    pods: Changes
    namespace: Changes

    def applied(self, situation: Situation) -> Situation:
        """Return the situation after the change."""
        pod = _labelled(situation.pod, self.pods) if self.pods else situation.pod
        if not self.namespace or situation.namespace_labels is None:
            return replace(situation, pod=pod)
        changed = _changed(situation.namespace_labels, self.namespace)
        facts = NamespaceFacts(situation.target.namespace, changed)
        return replace(situation, pod=pod, namespace_labels=changed, namespace=situation.namespace and facts)

    def remedy(self, situation: Situation) -> str:
        """Return what it takes to make the change."""
        if self.pods:
            return label_pods(situation.target, self.pods)
        return label_namespace(situation.target.namespace, situation.namespace_labels or {}, self.namespace)


def on_pods(changes: Changes) -> Change:
    """Return a change of the Pods' labels."""
    return Change(changes, {})


def on_namespace(changes: Changes) -> Change:
    """Return a change of the Namespace's labels."""
    return Change({}, changes)


def injecting(situation: Situation) -> frozenset[str]:
    """Return the names of the configs that inject."""
    return frozenset(found.config for found in consider_all(situation) if found.verdict is Verdict.INJECTED)


def that_help(situation: Situation, config: str) -> Iterator[Change]:
    """Yield changes of the Pods' labels alone with which a config would inject them; the plainest first."""
    tried: list[Change] = []
    for change in _candidates(situation, config):
        if change not in tried and config in injecting(change.applied(situation)):
            yield change
        tried.append(change)


def _candidates(situation: Situation, config: str) -> Iterator[Change]:
    known = next(known for known in situation.configs if known.name == config)
    selecting = known.serving or known.selection
    if selecting is None:
        return
    profile, given = profile_for(selecting), labels(situation.pod)
    yield on_pods({profile.words.inject: "true"})
    in_namespace = {**(situation.namespace_labels or {}), NAMESPACE_NAME: situation.target.namespace}
    for entry in profile.entries(selecting):
        lacking = missing(entry.pods, given)
        free = all(key in _steering(profile) or key not in given for key in lacking)
        if free and (situation.namespace_labels is None or entry.namespaces.matches(in_namespace)):
            yield on_pods(lacking)
            yield on_pods({**lacking, profile.words.inject: "true"})


def _steering(profile: Profile) -> frozenset[str]:
    """Return the labels of Pods that mean nothing but injection; others may be another's to change."""
    return frozenset({profile.words.inject, REVISION})


def _labelled(pod: Pod, changes: Changes) -> Pod:
    return {**pod, "metadata": {**part(pod, "metadata"), "labels": _changed(labels(pod), changes)}}


def _changed(given: Labels, changes: Changes) -> Mapping[str, str]:
    wanted = {**given, **changes}
    return {key: value for key, value in wanted.items() if value is not None}
