"""Profile Istio: a label that asks for a revision, and has no effect because another one goes before it."""

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import ProfileName
from sidecar_injector.injection.decide import label_namespace
from sidecar_injector.injection.view import labels
from sidecar_injector.profiles.explaining.model import Situation
from sidecar_injector.profiles.explaining.remedies import label_pods
from sidecar_injector.profiles.istio.vocabulary import INJECTION, REVISION


def ignored_revision(situation: Situation, injecting: frozenset[str]) -> tuple[str, str, str] | None:
    """Return which label asks in vain for another revision than the one that injects.

    That is: what is ignored, and why; what may be wanted instead; and how it is done.
    """
    known, asked_by_pod = situation.namespace_labels or {}, labels(situation.pod).get(REVISION)
    config = _by_labels(situation, injecting)
    if config is None:
        return None
    asked_by_namespace = known.get(REVISION)
    first = next((f"{key}={known[key]}" for key in (INJECTION, REVISION) if key in known), "")
    if asked_by_pod is not None and asked_by_pod != config.spec.revision and first:
        what = (
            f"the Pod's label {REVISION}: {asked_by_pod} is ignored, because the namespace's label {first} goes first"
        )
        return what, *_to_have(situation, asked_by_pod)
    if INJECTION in known and asked_by_namespace is not None and asked_by_namespace != config.spec.revision:
        what = f"the namespace's label {REVISION}={asked_by_namespace} is ignored, because its label {first} goes first"
        return what, *_to_have(situation, asked_by_namespace)
    return None


def _by_labels(situation: Situation, injecting: frozenset[str]) -> CompiledConfig | None:
    """Return the config that injects because labels ask for its revision."""
    for known in situation.configs:
        config = known.serving
        if config is None or config.name not in injecting or config.spec.profile is not ProfileName.ISTIO:
            continue
        if config.spec.match.namespace_selector is None:
            return config
    return None


def _to_have(situation: Situation, revision: str) -> tuple[str, str]:
    served = {known.serving.spec.revision for known in situation.configs if known.serving is not None}
    known, name = situation.namespace_labels or {}, situation.target.namespace
    if revision in served:
        changes = {**({INJECTION: None} if INJECTION in known else {}), REVISION: revision}
        return "have that revision", label_namespace(name, known, changes)
    if known.get(REVISION) == revision:
        return "put it right (no config has that revision)", label_namespace(name, known, {REVISION: None})
    return "put it right (no config has that revision)", label_pods(situation.target, {REVISION: None})
