"""The first line: what becomes of the object, why, and what to do about it; for Pods that run, what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sidecar_injector.profiles.explaining.answer import Answer
from sidecar_injector.profiles.explaining.model import (
    Considered,
    Failure,
    Finding,
    Running,
    RunningPod,
    Situation,
    Target,
    Verdict,
)
from sidecar_injector.profiles.explaining.remedies import operator_status, restart
from sidecar_injector.profiles.explaining.running import why_missed
from sidecar_injector.profiles.istio.vocabulary import STATUS


def headline(target: Target, found: Answer) -> str:
    """Return the answer in one line."""
    remedy = found.remedies[0] if found.remedies else ""
    purpose = found.purpose or _purpose(target, found.verdict)
    sentences = [f"{found.lead or _lead(target, found.verdict)}{found.cause}"]
    sentences += [f"{purpose}: {remedy}"] if remedy else []
    return " ".join(". ".join([*sentences, *found.asides]).split())


def subject(target: Target) -> str:
    """Return what an explanation is about, as the subject of a sentence."""
    if target.kind == "Namespace":
        return f"Pods in namespace {target.name} that say nothing themselves"
    name = f"{target.kind} {target.namespace}/{target.name}"
    return name if target.is_pod else f"Pods of {name}"


def _lead(target: Target, verdict: Verdict) -> str:
    be = "is" if target.is_pod else "are"
    match verdict:
        case Verdict.INJECTED:
            return f"{subject(target)} {'would be' if target.supposed else be} injected by "
        case Verdict.NOT_INJECTED:
            return f"{subject(target)} {'would not be' if target.supposed else f'{be} not'} injected: "
    return f"{subject(target)} {'could' if target.supposed else 'can'}not be created: "


def _purpose(target: Target, verdict: Verdict) -> str:
    if verdict is Verdict.NOT_INJECTED:
        return f"To inject {'it' if target.is_pod else 'them'}"
    return "To fix it"


# --- what runs


def of_running(situation: Situation, found: Answer, considered: Sequence[Considered], running: Running) -> Answer:
    """Return the answer for Pods that run: what they have counts, not only what they would be given now."""
    by = {each.config: each for each in considered if each.verdict is Verdict.INJECTED}
    if situation.target.is_pod:
        different = (*running.missing, *running.outdated, *running.leftover)
        return _of_pod(situation, found, by, next(iter(different), None))
    if running.missing and by:
        return _some_missed(situation, found, by, running)
    if running.outdated:
        old = f"{len(running.outdated)} of {running.total} that run have an earlier revision. To bring them up to date"
        found = replace(found, asides=(*found.asides, f"{old}: {restart(situation.target)}"))
    if running.leftover and not by:
        still = f"{len(running.leftover)} of {running.total} that run still have a sidecar"
        found = replace(found, asides=(*found.asides, still))
    return found


def with_failure(situation: Situation, found: Answer, failure: Failure) -> Answer:
    """Return the answer for a workload whose last Pod could not be created; what is known to decide goes first."""
    if found.verdict is not Verdict.INJECTED:
        return found
    said = f"the API server said at {failure.time}: {failure.message}"
    return Answer(
        Verdict.FAILED,
        Finding.WEBHOOK_FAILED,
        said,
        (f"see whether the injector runs: {operator_status(situation.operator)}",),
    )


def _of_pod(situation: Situation, found: Answer, by: Mapping[str, Considered], pod: RunningPod | None) -> Answer:
    name = subject(situation.target)
    if pod is None and not by:
        return found
    if pod is None:
        cause = "; and by ".join(
            f"{config} (revision {each.revision}, its current one): {each.message}" for config, each in by.items()
        )
        return replace(found, cause=cause)
    if pod.foreign:
        lead = f"{name} is injected by Istio's own injector (annotation {STATUS}), not by this one"
        return Answer(Verdict.INJECTED, Finding.FOREIGN, "", lead=lead)
    if not pod.by and found.verdict is Verdict.NOT_INJECTED:
        return found
    if not pod.by and found.verdict is not Verdict.INJECTED:
        return replace(found, lead=f"{name} has no sidecar, and could not even be created now: ")
    lacking = [config for config in by if config not in pod.by]
    if lacking:
        return _missed(situation, found, lacking[0], pod)
    has = " and ".join(f"{config} (revision {revision})" for config, revision in pod.by.items())
    if pod.by.keys() - by.keys():
        return _no_longer(situation, found, has, pod)
    now = " and ".join(f"{config} has revision {by[config].revision}" for config in pod.by)
    return Answer(
        Verdict.INJECTED, Finding.OUTDATED, f"{has}, which is out of date: {now} now", (restart(situation.target),),
        purpose="To bring it up to date",
    )  # fmt: skip


def _missed(situation: Situation, found: Answer, config: str, pod: RunningPod) -> Answer:
    has = f"no sidecar of config {config}" if pod.by else "no sidecar"
    lead = f"{subject(situation.target)} has {has}, although config {config} would inject it now: "
    return _with_why(situation, replace(found, lead=lead), config, pod)


def _no_longer(situation: Situation, found: Answer, has: str, pod: RunningPod) -> Answer:
    gone = [config for config in pod.by if config not in {known.name for known in situation.configs}]
    cause = f"there is no config {gone[0]} any more" if gone else found.cause
    lead = f"{subject(situation.target)} is injected by {has}, but would not be if it were created now: "
    return replace(
        found,
        verdict=Verdict.INJECTED,
        reason=Finding.NO_LONGER,
        lead=lead,
        cause=cause,
        purpose="To have it injected again",
    )


def _some_missed(situation: Situation, found: Answer, by: Mapping[str, Considered], running: Running) -> Answer:
    target, pod = situation.target, running.missing[0]
    config = next(config for config in by if config not in pod.by)
    lead = (
        f"{len(running.missing)} of {running.total} running Pods of {target.kind} {target.namespace}/{target.name} "
        f"have no sidecar, although config {config} injects new ones: "
    )
    return _with_why(situation, replace(found, lead=lead), config, pod)


def _with_why(situation: Situation, found: Answer, config: str, pod: RunningPod) -> Answer:
    cause, remedy = why_missed(situation, config, pod)
    return replace(found, verdict=Verdict.NOT_INJECTED, reason=Finding.MISSED, cause=cause, remedies=(remedy,))
