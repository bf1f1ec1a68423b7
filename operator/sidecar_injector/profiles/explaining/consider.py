"""One config after the other on one Pod: the serving pipeline itself, watched while it works."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import FailurePolicy, Mode, ProfileName
from sidecar_injector.errors import InjectionError, PodRejected, TemplateError
from sidecar_injector.injection.calling import ask_in_turn
from sidecar_injector.injection.decide import RULES, Decision, Subject, missing
from sidecar_injector.injection.entries import Entry
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.profile import Profile
from sidecar_injector.injection.review import Request
from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.status import read_status
from sidecar_injector.injection.view import Pod, items, labels
from sidecar_injector.names import MUTATING_WEBHOOK, NAMESPACE_NAME, SHORT_NAME, Reason
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.explaining.model import (
    Considered,
    Finding,
    Known,
    Labels,
    Registered,
    SeenContainer,
    SeenEntry,
    Situation,
    Step,
    Verdict,
)
from sidecar_injector.profiles.explaining.remedies import after_failure, after_outcome, operator_check
from sidecar_injector.profiles.explaining.watching import Watched

_INJECTED = (Reason.INJECTED, Reason.ALREADY_INJECTED)


@dataclass(frozen=True)
class _Answer:
    """What became of the Pod by one config; `pod` is None if it stays as it is."""

    considered: Considered
    pod: Pod | None


def consider_all(situation: Situation) -> tuple[Considered, ...]:
    """Return what each config makes of the Pod, in calling order; each sees what the earlier ones have made of it."""
    serving = [known.serving for known in situation.configs if known.serving is not None]

    def ask(pod: Pod, config: CompiledConfig) -> _Answer:
        return _asked(replace(situation, pod=pod), config)

    _, answers = ask_in_turn(situation.pod, serving, ask, lambda answer: answer.pod)
    return tuple(
        replace(
            answers[known.name].considered, problems=known.problems, revision=known.revision or known.serving.digest
        )
        if known.serving is not None
        else _without_version(situation, known)
        for known in situation.configs
    )


# --- a config that serves


def _asked(situation: Situation, config: CompiledConfig) -> _Answer:
    profile = Watched(profile_for(config))
    subject = _subject(situation, config)
    found = _about(situation, config, subject, profile.as_profile)
    request = Request(
        "explain", "CREATE", subject.namespace, situation.target.name, False, "", "pods", "", "", situation.pod
    )
    try:
        outcome = admit(request, config, profile.as_profile, situation.facts, subject.namespace_labels)
    except (PodRejected, InjectionError, TemplateError) as error:
        found = replace(_failed(found, situation, config, error), templates=profile.templates)
        return _Answer(_if_called(found, situation), None)
    found = replace(
        _decided(found, situation, config, outcome),
        templates=profile.templates,
        rules=profile.applied,
        before=_containers(situation.pod),
        after=_containers(outcome.pod),
        warnings=tuple(warning for warning in outcome.warnings if warning != outcome.decision.message),
    )
    found = _if_called(found, situation)
    return _Answer(found, outcome.pod if outcome.patch and found.verdict is Verdict.INJECTED else None)


def _subject(situation: Situation, config: CompiledConfig) -> Subject:
    """Return what the decision is about.

    Where the API server calls by an entry of its own that we do not ask for, it has matched the Namespace.
    """
    target, known = situation.target, situation.namespace_labels
    subject = Subject(situation.pod, target.namespace, config, situation.facts, known)
    if known is None or _wanted(situation, config) or not _calls(situation, config.name):
        return subject
    return subject._replace(namespace_labels=None)


def _about(situation: Situation, config: CompiledConfig, subject: Subject, profile: Profile) -> Considered:
    """Return what is to be said of a config before it is asked."""
    spec = config.spec
    steps = tuple(_steps(subject, profile))
    called = not steps or _wanted(situation, config) is not False
    return Considered(
        config.name,
        str(spec.profile),
        config.digest,
        spec.revision if spec.profile is ProfileName.ISTIO else "",
        Verdict.NOT_INJECTED,
        "",
        "",
        called=called,
        provisos=tuple(_provisos(situation, config)),
        steps=steps,
        entries=tuple(_entries(situation, config)),
    )


def _steps(subject: Subject, profile: Profile) -> Iterator[Step]:
    """Yield the rules down to the one that decides."""
    for rule in (*RULES, *profile.rules):
        decision = rule.decide(subject)
        yield Step(rule.name, rule.value(subject), _said(decision))
        if decision is not None:
            return


def _said(decision: Decision | None) -> str:
    if decision is None:
        return ""
    return f"inject: {decision.message}" if decision.inject else f"{decision.reason}: {decision.message}"


def _decided(found: Considered, situation: Situation, config: CompiledConfig, outcome: Outcome) -> Considered:
    decision = outcome.decision
    verdict = Verdict.INJECTED if decision.reason in _INJECTED else Verdict.NOT_INJECTED
    message = decision.message.removeprefix("injected ")
    if decision.reason is Reason.AUDITED:
        message = f"config {config.name} only audits: its spec.mode is Audit, and it {message.partition(') ')[2]}"
    if decision.reason is Reason.ALREADY_INJECTED:
        message = f"{_added(situation.pod, config)}, already in it"
    of_config = after_outcome(situation.target, config, _file(situation, config), decision.reason)
    remedy = of_config or decision.remedy
    return replace(found, verdict=verdict, reason=str(decision.reason), message=message, remedy=remedy)


def _failed(
    found: Considered, situation: Situation, config: CompiledConfig, error: InjectionError | TemplateError
) -> Considered:
    """Return what is to be said when a Pod is refused, or the injection fails on it."""
    remedy = after_failure(situation.target, situation.pod, config, _file(situation, config), error)
    if isinstance(error, PodRejected):
        return replace(found, verdict=Verdict.REFUSED, reason=str(error.reason), message=str(error), remedy=remedy)
    reason = error.reason if isinstance(error, InjectionError) else Reason.RENDER_ERROR
    problem = f"template {error.place}: {error.problem}" if isinstance(error, TemplateError) else str(error)
    if config.spec.failure_policy is FailurePolicy.FAIL:
        return replace(found, verdict=Verdict.FAILED, reason=str(reason), message=problem, remedy=remedy)
    message = f"config {config.name} fails on it, which its failurePolicy Ignore lets pass: {problem}"
    return replace(found, reason=str(reason), message=message, remedy=remedy)


def _file(situation: Situation, config: CompiledConfig) -> str:
    return next(known.file for known in situation.configs if known.name == config.name)


def _containers(pod: Pod) -> tuple[SeenContainer, ...]:
    return tuple(
        SeenContainer(str(item.get("name")), _role(field, item), str(item.get("image") or ""))
        for field in CONTAINER_LISTS
        for item in items(pod, field)
    )


def _added(pod: Pod, config: CompiledConfig) -> str:
    """Return the containers that a config has added to a Pod, by the Pod's own account."""
    injection = read_status(pod, profile_for(config).record)[config.name]
    added = [name for field in CONTAINER_LISTS for name in injection.added.get(field, ())]
    return f"container{'' if len(added) == 1 else 's'} {', '.join(added)}" if added else "its changes"


def _role(field: str, container: Mapping[str, object]) -> str:
    if field == "containers":
        return "container"
    return "native sidecar" if container.get("restartPolicy") == "Always" else "init container"


# --- what the API server does


def _wanted(situation: Situation, config: CompiledConfig) -> bool | None:
    """Tell whether the config asks to be called for this Pod; None: the Namespace's labels are not known."""
    selected = [_selects(entry, situation) for entry in profile_for(config).entries(config)]
    return None if None in selected and True not in selected else True in selected


def _selects(entry: Entry | Registered, situation: Situation) -> bool | None:
    pod_labels, known = labels(situation.pod), situation.namespace_labels
    if known is None:
        return None if entry.pods.matches(pod_labels) else False
    return entry.selects(_with_name(known, situation.target.namespace), pod_labels)


def _with_name(known: Labels, name: str) -> Labels:
    return {**known, NAMESPACE_NAME: name}


def _calls(situation: Situation, config: str) -> bool:
    """Tell whether the API server calls for the config, by the entries that it has."""
    entries = situation.webhook.entries.get(config, ()) if situation.webhook else ()
    return any(_selects(entry, situation) is not False for entry in entries)


def _if_called(found: Considered, situation: Situation) -> Considered:
    """Return what was found, unless it comes to nothing because the API server does not call."""
    selected = found.steps and found.steps[-1].decision.startswith("inject: ")
    if not selected or situation.webhook is None or _calls(situation, found.config):
        return found
    return replace(
        found,
        verdict=Verdict.NOT_INJECTED,
        reason=str(Finding.NOT_REGISTERED),
        message=_not_registered(situation, found.config),
        remedy=operator_check(situation.operator),
    )


def _not_registered(situation: Situation, name: str) -> str:
    assert situation.webhook is not None
    status = next((known.status for known in situation.configs if known.name == name), "")
    entries = situation.webhook.entries.get(name, ())
    if not situation.webhook.exists:
        what = f"there is no MutatingWebhookConfiguration {MUTATING_WEBHOOK}"
    elif not entries:
        what = f"MutatingWebhookConfiguration {MUTATING_WEBHOOK} has no entry for config {name}"
    else:
        edited = next((entry for entry in entries if entry.differences), entries[0])
        fields = " and ".join(edited.differences) or "the entries"
        what = f"somebody has changed {fields} of {edited.name} in MutatingWebhookConfiguration {MUTATING_WEBHOOK}"
    return f"{what}, so that the API server does not call the injector{f' ({status})' if status else ''}"


def _entries(situation: Situation, config: CompiledConfig) -> Iterator[SeenEntry]:
    """Yield the entries that a config wants, and those that the API server has in their place or beside them."""
    live = {entry.name: entry for entry in situation.webhook.entries.get(config.name, ())} if situation.webhook else {}
    off = config.spec.mode is Mode.DISABLED
    for entry in profile_for(config).entries(config):
        name = entry.name(config.name)
        registered = live.pop(name, None)
        state = ""
        if situation.webhook is not None and not off:
            state = "missing" if registered is None else _differences(registered)
        yield SeenEntry(name, str(entry.namespaces), str(entry.pods), _selects(entry, situation), state)
    for registered in live.values():
        shown = str(registered.namespaces), str(registered.pods)
        yield SeenEntry(registered.name, *shown, _selects(registered, situation), "not one of the operator's")


def _differences(registered: Registered) -> str:
    return f"changed by somebody: {', '.join(registered.differences)}" if registered.differences else ""


def _provisos(situation: Situation, config: CompiledConfig) -> Iterator[str]:
    """Yield what an injection hangs on beside what can be told here."""
    if situation.namespace_labels is None:
        entries = [entry for entry in profile_for(config).entries(config) if entry.pods.matches(labels(situation.pod))]
        asked = " or ".join(dict.fromkeys(_asked_of_namespaces(entry) for entry in entries))
        yield f"namespace {situation.target.namespace} {asked} (its labels are not known here: --namespace-labels)"
    for condition in config.spec.match.conditions:
        yield (
            f"the API server, which alone can tell, finds spec.match.conditions[{condition.name}] to be true: "
            f"{' '.join(condition.expression.split())}"
        )


def _asked_of_namespaces(entry: Entry) -> str:
    """Return what an entry asks of Namespaces: `has istio-injection=enabled`, or that it says nothing."""
    lacking = [f"{key}={value}" for key, value in missing(entry.namespaces, {}).items() if value is not None]
    return f"has the label {','.join(lacking)}" if lacking else f"matches {entry.namespaces}"


# --- a config of which no version can be used here


def _without_version(situation: Situation, known: Known) -> Considered:
    """Return what can be said of a config that has never been accepted, or whose accepted version cannot be read."""
    selecting = known.selection
    about = Considered(known.name, "", known.revision, "", Verdict.NOT_INJECTED, "", "", called=True)
    if selecting is not None:
        subject = _subject(situation, selecting)
        about = _about(situation, selecting, subject, profile_for(selecting))
    about = replace(about, revision=known.revision, problems=known.problems)
    decided = about.steps[-1].decision if about.steps else "inject: "
    if not decided.startswith("inject: "):
        reason, _, message = decided.partition(": ")
        return replace(about, reason=reason, message=message, remedy=_remedy_of(situation, known))
    if known.revision:
        message = f"an earlier version of it goes on serving, revision {known.revision}, which cannot be read from here"
        found = replace(about, verdict=Verdict.INJECTED, reason=str(Reason.INJECTED), message=message)
        return _if_called(found, situation)
    first = known.problems[0].splitlines()[0] if known.problems else "the operator has not looked at it yet"
    return replace(
        about,
        reason=str(Reason.CONFIG_NOT_ACCEPTED),
        message=f"config {known.name} is not accepted: {first}",
        remedy=_to_accept(situation, known),
    )


def _to_accept(situation: Situation, known: Known) -> str:
    if known.file:
        return f"correct it in {known.file}; sidecar-injector validate -f {known.file} shows every problem"
    return f"kubectl edit {SHORT_NAME} {known.name}" if known.problems else operator_check(situation.operator)


def _remedy_of(situation: Situation, known: Known) -> str:
    assert known.selection is not None
    subject = _subject(situation, known.selection)
    decisions = (rule.decide(subject) for rule in (*RULES, *profile_for(known.selection).rules))
    return next((decision.remedy for decision in decisions if decision is not None), "")
