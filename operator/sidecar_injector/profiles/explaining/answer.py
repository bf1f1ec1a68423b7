"""The answer, before anything that runs is looked at: what decides, why, and what to do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.view import is_placeholder, items
from sidecar_injector.names import API_VERSION, AUTO_IMAGE, KIND, Reason
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.explaining.changes import Change, injecting, on_pods, that_help
from sidecar_injector.profiles.explaining.consider import consider_all
from sidecar_injector.profiles.explaining.model import Considered, Finding, Situation, Verdict
from sidecar_injector.profiles.explaining.remedies import and_then, change_field, edit_config
from sidecar_injector.profiles.explaining.revisions import ignored_revision
from sidecar_injector.profiles.explaining.suspects import suspects

_FAR = 99
_STOPPED = (Verdict.REFUSED, Verdict.FAILED)
_OF_THE_POD = (Reason.POD_OPTED_OUT, Reason.NEVER_INJECT, Reason.POLICY_DISABLED, Reason.POD_NOT_SELECTED)
"""Reasons that a label of the Pod's own can undo."""
_FOR_GOOD = (Reason.HOST_NETWORK, Reason.WINDOWS, Reason.MIRROR_POD, Reason.SYSTEM_NAMESPACE)
"""Reasons that no label can undo."""
_NOT_FOR_RUNNING = (*_OF_THE_POD, *_FOR_GOOD)
"""Reasons whose remedy makes new Pods by itself, or leaves none to be restarted."""


@dataclass(frozen=True)
class Answer:
    """What becomes of the Pod that the situation is about.

    cause    -- why; where it is injected, by what, and with what
    remedies -- alternatives, the best first; asides are sentences of their own
    lead     -- how the headline begins, up to the cause; empty: as the verdict has it; likewise `purpose` of the remedy
    """

    verdict: Verdict
    reason: str
    cause: str
    remedies: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()
    lead: str = ""
    purpose: str = ""


def answer(situation: Situation, considered: Sequence[Considered], then: str = "") -> Answer:
    """Return the answer for a Pod that is created now; `then` is how Pods that run are made anew, if any has to be."""
    if situation.namespace is None:
        return _no_namespace(situation)
    if not considered:
        return _no_config(situation)
    stopped = next((found for found in considered if found.verdict in _STOPPED), None)
    if stopped is not None:
        return _stopped(stopped)
    by = [found for found in considered if found.verdict is Verdict.INJECTED]
    return _injected(situation, by) if by else _not_injected(situation, considered, then)


# --- nothing to go by


def _no_namespace(situation: Situation) -> Answer:
    name = situation.target.namespace
    create = f"kubectl create namespace {name}"
    without = replace(situation, namespace=situation.facts.namespace(name), namespace_labels={})
    found = answer(without, consider_all(without))
    label = found.remedies[0] if found.remedies and found.remedies[0].startswith("kubectl label ") else ""
    return Answer(
        Verdict.NOT_INJECTED, Finding.NO_NAMESPACE, f"namespace {name} does not exist", (and_then(create, label),)
    )


def _no_config(situation: Situation) -> Answer:
    if situation.installed:
        cause, remedy = f"there is no {KIND} in the cluster", "sidecar-injector config istio | kubectl apply -f -"
    else:
        cause = f"the injector is not installed: the cluster does not know {KIND}s ({API_VERSION})"
        remedy = "kubectl apply -f manifests/install.yaml"
    return Answer(Verdict.NOT_INJECTED, Finding.NO_CONFIG, cause, (remedy,))


# --- the three kinds of answers


def _stopped(found: Considered) -> Answer:
    does = "refuses the Pod" if found.verdict is Verdict.REFUSED else "fails on the Pod, and its failurePolicy is Fail"
    cause = f"config {found.config} {does}: {found.message}"
    return Answer(found.verdict, found.reason, cause, tuple(filter(None, [found.remedy])))


def _injected(situation: Situation, by: Sequence[Considered]) -> Answer:
    cause = "; and by ".join(f"{found.config} (revision {found.revision}): {found.message}" for found in by)
    provisos = list(dict.fromkeys(proviso for found in by for proviso in found.provisos))
    if provisos:
        cause += f", provided that {', and that '.join(provisos)}"
    return Answer(Verdict.INJECTED, by[0].reason, cause, asides=tuple(_in_vain(situation, by)))


def _in_vain(situation: Situation, by: Sequence[Considered]) -> Iterator[str]:
    """Yield what was said to another end, and why it has no effect."""
    names = frozenset(found.config for found in by)
    for suspect in suspects(situation):
        opts_out = "false" in suspect.change.pods.values()
        if opts_out and not names <= injecting(suspect.change.applied(situation)):
            yield f"But {suspect.cause}. To opt out: {suspect.change.remedy(situation)}"
            break
    if waiting := [each.name for each in by[-1].after if each.image == AUTO_IMAGE]:
        yield f"But container {', '.join(waiting)} cannot start: no template in use replaces its image, {AUTO_IMAGE}"
    if ignored := ignored_revision(situation, names):
        yield "But {}. To {}: {}".format(*ignored)
    for known in situation.configs:
        if known.name in names and known.problems:
            first = known.problems[0].splitlines()[0]
            yield f"But the latest edit of config {known.name} is not accepted, and not in force: {first}"
            yield f"To fix it: {edit_config(known.name, known.file)}"
        elif known.name in names and known.status:
            yield f"But the latest edit of config {known.name} may not be in force: {known.status}"


def _not_injected(situation: Situation, considered: Sequence[Considered], then: str) -> Answer:
    decisive = min(considered, key=lambda found: _distance(situation, found))
    placeholder = _placeholder(situation)
    for suspect in suspects(situation):
        if injecting(suspect.change.applied(situation)):
            remedy = and_then(suspect.change.remedy(situation), then if suspect.change.namespace else "")
            return Answer(Verdict.NOT_INJECTED, suspect.reason, f"{suspect.cause}{placeholder}", (remedy,))
    besides = _besides(situation, decisive)
    if besides and besides.reason in _FOR_GOOD and decisive.reason == Reason.NAMESPACE_NOT_SELECTED:
        decisive, besides = besides, decisive  # nothing will help without that
    cause = decisive.message + (f"; besides, {besides.message}" if besides else "") + placeholder
    remedies = tuple(_remedies(situation, decisive, besides, then))
    return Answer(Verdict.NOT_INJECTED, decisive.reason, cause, remedies)


def _distance(situation: Situation, found: Considered) -> tuple[int, ...]:
    """Order configs that do not inject by how near they came: first those for which the API server calls.

    It does not for a Pod that opts out; there it counts how many labels of the Pod's own would have to change.
    """
    far = 0 if found.called else _FAR
    if found.reason == Reason.POD_OPTED_OUT:
        far = next((len(change.pods) for change in that_help(situation, found.config)), _FAR)
    switched_off = found.reason == Reason.DISABLED
    not_accepted = found.reason == Reason.CONFIG_NOT_ACCEPTED
    return far, switched_off, not_accepted, found.answers_to not in ("", "default")


def _remedies(situation: Situation, decisive: Considered, besides: Considered | None, then: str) -> Iterator[str]:
    reason = decisive.reason
    alone = next((change.remedy(situation) for change in that_help(situation, decisive.config)), "")
    if alone and (reason in _OF_THE_POD or besides):
        yield alone
        return
    first = _own_remedy(situation, decisive)
    if reason == Reason.POD_OPTED_OUT:
        first = _opting_in(situation, decisive.config).remedy(situation)
    if besides:
        first = and_then(first, _own_remedy(situation, besides))
    if reason not in _NOT_FOR_RUNNING:
        first = and_then(first, then)
    if first:
        yield first
    if alone and reason == Reason.NAMESPACE_NOT_SELECTED and situation.target.kind != "Namespace":
        yield alone


def _own_remedy(situation: Situation, found: Considered) -> str:
    if found.reason == Reason.HOST_NETWORK:
        return f"take hostNetwork: true out of {change_field(situation.target, 'spec')}"
    return found.remedy


def _besides(situation: Situation, decisive: Considered) -> Considered | None:
    """Return what would be in the way next, once the labels were right."""
    if decisive.reason == Reason.NAMESPACE_NOT_SELECTED:
        passed = replace(situation, namespace_labels=None)
    elif decisive.reason == Reason.POD_OPTED_OUT:
        passed = _opting_in(situation, decisive.config).applied(situation)
    else:
        return None
    found = next(found for found in consider_all(passed) if found.config == decisive.config)
    again = found.reason == decisive.reason
    return None if found.verdict is not Verdict.NOT_INJECTED or again else found


def _opting_in(situation: Situation, name: str) -> Change:
    known = next(known for known in situation.configs if known.name == name)
    config = known.serving or known.selection
    assert config is not None, "only a config whose selection is known can tell that a Pod opts out"
    return on_pods({profile_for(config).words.inject: "true"})


def _placeholder(situation: Situation) -> str:
    """Return what is to be said of containers that wait in vain for their image."""
    waiting = [
        str(item.get("name"))
        for field in CONTAINER_LISTS
        for item in items(situation.pod, field)
        if is_placeholder(item)
    ]
    if not waiting:
        return ""
    return f"; so container {', '.join(waiting)} cannot start: only an injection replaces its image, {AUTO_IMAGE}"
