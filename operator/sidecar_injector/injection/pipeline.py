"""The path of one Pod, step by step."""

from collections.abc import Mapping, Sequence
from itertools import filterfalse
from types import MappingProxyType

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import ConflictPolicy, Mode
from sidecar_injector.errors import InjectionError, PodRejected, TemplateError, TemplateRefusal
from sidecar_injector.injection.conform import conform
from sidecar_injector.injection.decide import Decision, Subject, decide, skip
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.guardrails import check as check_guardrails
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.overlay import (
    apply_overlays,
    check_result,
    conflicts,
    contributions,
    unused_placeholders,
    with_users_on_top,
)
from sidecar_injector.injection.patch import Changes, build_patch, changes, same
from sidecar_injector.injection.profile import Plan, Profile
from sidecar_injector.injection.render import Overlay, render
from sidecar_injector.injection.review import Request
from sidecar_injector.injection.status import (
    Injected,
    is_intact,
    read_status,
    with_status,
    without_entry,
    without_injection,
)
from sidecar_injector.injection.view import Pod, containers, is_placeholder, items, names_of
from sidecar_injector.names import AUTO_IMAGE, Reason

_NOTHING: Mapping[str, str] = MappingProxyType({})


def admit(
    request: Request,
    config: CompiledConfig,
    profile: Profile,
    facts: ClusterFacts,
    namespace_labels: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] = _NOTHING,
) -> Outcome:
    """Decide about the Pod of a request and inject it if so decided.

    `namespace_labels` are None where the API server has matched the Namespace already; `parameters` are those of the
    webhook's path. Raises TemplateError or InjectionError if the injection fails (the config's failurePolicy then
    applies), and PodRejected for a Pod that must not be admitted.
    """
    subject = Subject(request.pod, request.namespace, config, facts, namespace_labels, parameters)
    decision = decide(request, subject, profile)
    if not decision.inject:
        return Outcome(decision, request.pod, warnings=profile.warnings(subject) if request.creates_pod else ())
    try:
        return inject(subject, profile)
    except (InjectionError, TemplateError) as error:
        if config.spec.mode is Mode.AUDIT:
            return _audited_failure(config, error, request.pod)
        if isinstance(error, TemplateRefusal):
            raise PodRejected(Reason.TEMPLATE_REFUSED, error.problem) from None
        raise


def inject(subject: Subject, profile: Profile) -> Outcome:
    """Inject a Pod that was selected."""
    pod, config = subject.pod, subject.config
    warnings = profile.warnings(subject)
    templates = profile.template_names(subject)
    current = _is_current(subject, profile, templates)
    if current and profile.settled(subject):
        return Outcome(
            skip(Reason.ALREADY_INJECTED, f"injected by revision {config.digest} already"), pod, (), warnings
        )

    before = without_injection(pod, config.name, profile.record)
    # What others have added since to what is injected stays, as long as it is this revision's.
    ground = without_entry(pod, config.name, profile.record) if current else before
    written = subject if before is pod else subject._replace(pod=before)
    profile.check(written)
    plan = profile.plan(written)
    overlays = [conform(overlay) for overlay in render(written, plan, templates)]
    clash = conflicts(before, overlays)
    if clash and config.spec.conflict_policy is not ConflictPolicy.MERGE:
        return Outcome(_on_conflict(config, clash), pod, (), warnings)
    if unused := unused_placeholders(before, overlays):
        warnings += tuple(map(_placeholder_warning, unused))

    finished = merge(before, plan, overlays, ground)
    check_guardrails(config.name, before, finished, overlays, config.spec.allowed)
    if not items(finished, "containers"):
        warnings += (_NO_CONTAINER,)
    done = changes(before, finished)
    if not done.undo and same(before, finished):
        decision = skip(Reason.NOTHING_TO_INJECT, f"templates {', '.join(templates)} add nothing to this Pod")
        patch = () if config.spec.mode is Mode.AUDIT else tuple(build_patch(pod, before))
        return Outcome(decision, before, patch, warnings)
    contributed = contributions(overlays, finished)
    injected = Injected(config.name, config.digest, config.spec.revision, templates, contributed)
    result = with_status(before, finished, injected, profile.record, done.undo)
    return _outcome(subject, before, result, done, warnings)


def merge(before: Pod, plan: Plan, overlays: Sequence[Overlay], ground: Pod | None = None) -> Pod:
    """Return the Pod with the overlays merged in and the profile's rules applied. Raises MergeError, PodRejected.

    before -- the Pod as its user wrote it; ground -- the Pod to merge into, if it is another one
    """
    base = plan.base(before if ground is None else ground, overlays)
    merged = apply_overlays(base, overlays, native=plan.native, replaceable=plan.replaceable_volumes)
    users = plan.users(merged, overlays)
    merged = with_users_on_top(merged, users, overlays)
    for rule in plan.finishing(users):
        merged = rule.apply(plan, merged)
    check_result(base, merged, overlays)
    return merged


def _is_current(subject: Subject, profile: Profile, templates: Sequence[str]) -> bool:
    config = subject.config
    earlier = read_status(subject.pod, profile.record).get(config.name)
    return (
        earlier is not None
        and earlier.revision == config.digest
        and earlier.templates == tuple(templates)
        and is_intact(subject.pod, earlier)
    )


def _audited_failure(config: CompiledConfig, error: Exception, pod: Pod) -> Outcome:
    """Say what would have become of a Pod: a preview on real traffic neither refuses nor fails one."""
    would = "refused" if isinstance(error, PodRejected | TemplateRefusal) else "failed on"
    warning = f"{config.name} (mode Audit) would have {would} this Pod: {error}"
    return Outcome(skip(Reason.AUDITED, warning), pod, (), (warning,))


def _on_conflict(config: CompiledConfig, clash: Sequence[str]) -> Decision:
    message = f"the Pod already has {_containers(clash)}, which {config.name} would inject"
    if config.spec.conflict_policy is ConflictPolicy.REJECT:
        raise PodRejected(
            Reason.CONFLICT_REJECTED,
            f"{message}; conflictPolicy is Reject: rename the container, or opt the Pod out",
        )
    return skip(Reason.CONFLICT_SKIPPED, f"{message}; conflictPolicy is Skip")


_NO_CONTAINER = (
    "the Pod's only containers become native sidecars, and the API server refuses a Pod without an ordinary container: "
    "have classic sidecars for it (spec.sidecarMode; in profile Istio, annotation sidecar.istio.io/nativeSidecar: "
    '"false"), or add the application'
)


def _placeholder_warning(name: str) -> str:
    return f"container {name!r} has image {AUTO_IMAGE!r}, but no template in use provides a container of that name"


def _outcome(subject: Subject, before: Pod, result: Pod, done: Changes, warnings: tuple[str, ...]) -> Outcome:
    config = subject.config
    summary = _summary(before, result)
    if config.spec.mode is Mode.AUDIT:
        warning = f"{config.name} (mode Audit) would have injected {summary}"
        return Outcome(Decision(False, Reason.AUDITED, warning), result, (), (*warnings, warning))
    patch = tuple(build_patch(subject.pod, result, done))
    return Outcome(Decision(True, Reason.INJECTED, f"injected {summary}"), result, patch, warnings)


def _summary(before: Pod, after: Pod) -> str:
    added = list(filterfalse(frozenset(_defined(before)).__contains__, _defined(after)))
    return _containers(added) if added else "changes to the Pod, but no container"


def _defined(pod: Pod) -> list[str]:
    """Return the names of the Pod's containers that are more than placeholders."""
    return names_of([item for item in containers(pod) if not is_placeholder(item)])


def _containers(found: Sequence[str]) -> str:
    return f"container{'s' if len(found) > 1 else ''} {', '.join(found)}"
