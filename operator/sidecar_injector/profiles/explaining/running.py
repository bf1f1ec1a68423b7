"""Pods that run: what they say of their injection, what they were before it, and why one may have missed it."""

from collections.abc import Iterator, Mapping, Sequence

from sidecar_injector.config.model import FailurePolicy
from sidecar_injector.injection.status import Injection, Record, read_status, without_injection
from sidecar_injector.injection.view import Pod, annotations, labels, part
from sidecar_injector.injection.workload import workload_of
from sidecar_injector.profiles import PROFILES, profile_for
from sidecar_injector.profiles.explaining.model import (
    Considered,
    Known,
    Running,
    RunningPod,
    Situation,
    Target,
    Verdict,
)
from sidecar_injector.profiles.explaining.remedies import edit_config, restart
from sidecar_injector.profiles.istio.vocabulary import STATUS

_OF_THE_API_SERVER = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)
_LATER = ("nodeName", "ephemeralContainers")
_OVER = ("Succeeded", "Failed")


# --- one Pod


def as_sent(pod: Pod, order: Sequence[str]) -> Pod:
    """Return the Pod as it was sent for creation: without what injections, the API server and the scheduler added.

    order -- names of configs, in calling order: the last injection goes first. Raises InjectionError if one was too
    large to be recorded.
    """
    injections = [(config, record) for record, found in _injections(pod) for config in found]
    injections.sort(key=lambda each: order.index(each[0]) if each[0] in order else len(order), reverse=True)
    for config, record in injections:
        pod = without_injection(pod, config, record)
    metadata = {key: value for key, value in part(pod, "metadata").items() if key not in _OF_THE_API_SERVER}
    spec = {key: value for key, value in part(pod, "spec").items() if key not in _LATER}
    rest = {key: value for key, value in pod.items() if key not in ("metadata", "spec", "status")}
    return {**rest, "metadata": metadata, "spec": spec}


def running_pod(pod: Pod) -> RunningPod:
    """Return what a Pod in the cluster says of itself."""
    metadata = part(pod, "metadata")
    by = {config: injection.revision for _, found in _injections(pod) for config, injection in found.items()}
    foreign = STATUS in annotations(pod) and not by
    return RunningPod(str(metadata.get("name")), str(metadata.get("creationTimestamp") or ""), by, foreign)


def is_running(pod: Pod) -> bool:
    """Tell whether a Pod counts: one that is over, or being deleted, will not get a sidecar any more."""
    gone = part(pod, "metadata").get("deletionTimestamp")
    return not gone and part(pod, "status").get("phase") not in _OVER


def target_of(pod: Pod, workload: Mapping[str, object] | None) -> Target:
    """Return a Pod in the cluster as something to be explained; `workload` is what it belongs to, if that is known."""
    metadata = part(pod, "metadata")
    owners = metadata.get("ownerReferences")
    return Target(
        "Pod",
        str(metadata.get("namespace")),
        str(metadata.get("name")),
        exists=True,
        labels=labels(workload or {}),
        annotations=annotations(workload or {}),
        owner=workload_of(pod),
        controlled=any(isinstance(owner, Mapping) and owner.get("controller") for owner in _list(owners)),
    )


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _injections(pod: Pod) -> Iterator[tuple[Record, dict[str, Injection]]]:
    records: list[Record] = []
    for profile in PROFILES.values():
        if profile.record not in records:
            records.append(profile.record)
            yield profile.record, read_status(pod, profile.record)


# --- Pods, and what would be injected now


def compared(pods: Sequence[RunningPod], considered: Sequence[Considered]) -> Running:
    """Return how the Pods that run differ from what would be injected now."""
    wanted = {found.config: found.revision for found in considered if found.verdict is Verdict.INJECTED}
    missing = [pod for pod in pods if not wanted.keys() <= pod.by.keys() and not pod.foreign]
    outdated = [pod for pod in pods if pod not in missing and not wanted.items() <= pod.by.items() and not pod.foreign]
    leftover = [pod for pod in pods if pod.by.keys() - wanted.keys() or pod.foreign]
    current = sum(1 for pod in pods if pod not in missing and pod not in outdated and pod not in leftover)
    return Running(len(pods), current, tuple(outdated), tuple(missing), tuple(leftover))


def why_missed(situation: Situation, config: str, pod: RunningPod) -> tuple[str, str]:
    """Return why a Pod that runs has missed the injection by a config that would inject it now, and the remedy."""
    known = next(known for known in situation.configs if known.name == config)
    again = restart(situation.target)
    when = f"{'it' if situation.target.is_pod else pod.name} was created at {pod.created}"
    if older := _older(situation, known, pod.created):
        return f"{when}, before {older}", again
    match = known.serving.spec.match if known.serving else None
    if match and match.conditions:
        stated = "; ".join(f"{each.name}: {' '.join(each.expression.split())}" for each in match.conditions)
        cause = f"the API server may have found one of spec.match.conditions of config {config} to be false ({stated})"
        return cause, f"see to it that they are true ({edit_config(config, known.file)}); then: {again}"
    if known.serving and known.serving.spec.failure_policy is FailurePolicy.IGNORE:
        failed = "when the injector failed or did not answer"
        return f"{when}, {failed}, which failurePolicy Ignore of {config} lets pass", again
    not_called = "when the API server did not call the injector: its webhook was missing, or labels were others"
    return f"{when}, {not_called}", again


def _older(situation: Situation, known: Known, created: str) -> str:
    """Return what has come about only after this time, of what an injection takes; empty if that is not known."""
    if not created:
        return ""
    if known.created > created:
        return f"config {known.name} was ({known.created})"
    if labelled := _labelled_later(situation, known, created):
        return f"namespace {situation.target.namespace} got its label {labelled}"
    return f"config {known.name} was last changed ({known.edited})" if known.edited > created else ""


def _labelled_later(situation: Situation, known: Known, created: str) -> str:
    config = known.serving or known.selection
    if config is None:
        return ""
    entries = profile_for(config).entries(config)
    keys = {key for entry in entries for key, _ in entry.namespaces.match_labels}
    keys |= {requirement.key for entry in entries for requirement in entry.namespaces.match_expressions}
    for key in sorted(keys & situation.labelled.keys() & (situation.namespace_labels or {}).keys()):
        if situation.labelled[key] > created:
            return f"{key} ({situation.labelled[key]})"
    return ""


# --- who set what when


def set_at(resource: Mapping[str, object], *path: str) -> dict[str, str]:
    """Return when the fields under a path of an object were last set, by their names; as the API server has noted it.

    Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    found: dict[str, str] = {}
    for entry in _list(part(resource, "metadata").get("managedFields")):
        if not isinstance(entry, Mapping) or entry.get("subresource"):
            continue
        owned: object = entry.get("fieldsV1")
        for name in path:
            owned = owned.get(f"f:{name}") if isinstance(owned, Mapping) else None
        for name in owned if isinstance(owned, Mapping) else ():
            if name.startswith("f:"):
                found[name[2:]] = max(found.get(name[2:], ""), str(entry.get("time") or ""))
    return found


def edited_at(resource: Mapping[str, object]) -> str:
    """Return when the spec of an object was last changed; empty if that is not known."""
    return max(set_at(resource, "spec").values(), default="")
