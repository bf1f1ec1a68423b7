"""The status of a SidecarInjectorConfig, computed from what is known. Who calls writes it; "now" is handed in.

Source of the shape: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
(conditions have positive polarity, a transition time that changes with the status only, and an observedGeneration).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import Mode
from sidecar_injector.config.replicas import Report, behind
from sidecar_injector.config.snapshot import Entry
from sidecar_injector.errors import Problem
from sidecar_injector.names import Condition

MAX_MESSAGE = 8192
"""Characters. The schema allows four times as much; nobody reads as much."""
MAX_SERVERS = 32
"""Replicas that are listed; who runs more than a handful looks at the metrics."""


class ConditionReason(StrEnum):
    """Why a condition holds or does not, in one word."""

    ACCEPTED = "Accepted"
    INVALID = "Invalid"
    PROGRAMMED = "Programmed"
    DISABLED = "Disabled"
    NOT_ACCEPTED = "NotAccepted"
    PENDING = "Pending"
    WEBHOOK_FAILED = "WebhookFailed"
    IN_FORCE = "InForce"
    NOT_IN_FORCE = "NotInForce"


@dataclass(frozen=True)
class Registration:
    """Whether the API server sends matching Pods to us: `done`, or not yet, or not at all because of `error`."""

    done: bool
    error: str = ""


@dataclass(frozen=True)
class _Finding:
    """One condition before it has a time."""

    type: Condition
    holds: bool
    reason: ConditionReason
    message: str


def status_of(
    entry: Entry,
    registration: Registration,
    old: Mapping[str, object] | None,
    now: str,
    reports: Sequence[Report] = (),
) -> dict[str, object]:
    """Return the whole `status` of a config.

    entry        -- the latest version of the config, and the one that is being served here
    registration -- the state of the config's webhook entry
    old          -- the status as it is in the cluster, whose transition times are kept where nothing changes
    now          -- the time to note where something does, in RFC 3339
    reports      -- what each replica that is alive serves
    """
    accepted = _accepted(entry)
    programmed = _programmed(entry.accepted, registration, reports)
    findings = (accepted, programmed, _ready(entry, accepted, programmed))
    status: dict[str, object] = {"observedGeneration": entry.generation}
    if entry.accepted is not None:
        status["currentRevision"] = entry.accepted.digest
    status["servers"] = _servers(entry, reports)
    status["conditions"] = [_condition(finding, entry.generation, old, now) for finding in findings]
    return status


def _accepted(entry: Entry) -> _Finding:
    if not entry.problems:
        templates = len(entry.accepted.templates) if entry.accepted else 0
        rendered = f"{templates} template{'' if templates == 1 else 's'} compiled and rendered on sample Pods"
        return _Finding(Condition.ACCEPTED, True, ConditionReason.ACCEPTED, rendered)
    return _Finding(Condition.ACCEPTED, False, ConditionReason.INVALID, problem_text(entry.problems))


def problem_text(problems: Sequence[Problem]) -> str:
    """Return all problems, one to a line, cut to what a condition may hold."""
    text = "\n".join(str(problem) for problem in problems)
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 1]}…"


def _servers(entry: Entry, reports: Sequence[Report]) -> list[dict[str, object]]:
    """Return which replica serves what since when; one that serves nothing of this config says so by generation 0."""
    found = [(report.replica, report.configs.get(entry.name)) for report in reports]
    return [
        {"replica": replica, "revision": each.digest, "generation": each.generation, "time": each.since}
        if each is not None and each.uid == entry.uid
        else {"replica": replica, "revision": "", "generation": 0}
        for replica, each in found[:MAX_SERVERS]
    ]


def _programmed(served: CompiledConfig | None, registration: Registration, reports: Sequence[Report]) -> _Finding:
    if served is None:
        return _programmed_as(
            False, ConditionReason.NOT_ACCEPTED, "no version was ever accepted, so no Pod is sent here"
        )
    if registration.error:
        return _programmed_as(False, ConditionReason.WEBHOOK_FAILED, registration.error)
    if not registration.done:
        return _programmed_as(False, ConditionReason.PENDING, "the webhook's registration is being written")
    late = behind(served, reports)
    if late:
        message = f"generation {served.config.generation} is not served yet by {_counted(late)}"
        return _programmed_as(False, ConditionReason.PENDING, message)
    if served.spec.mode is Mode.DISABLED:
        return _programmed_as(True, ConditionReason.DISABLED, "mode is Disabled, so no Pod is sent here")
    return _programmed_as(True, ConditionReason.PROGRAMMED, "matching Pods are sent here")


def _counted(replicas: Sequence[str]) -> str:
    listed = ", ".join(replicas[:3])
    return listed if len(replicas) <= 3 else f"{listed} and {len(replicas) - 3} more replicas"


def _programmed_as(holds: bool, reason: ConditionReason, message: str) -> _Finding:
    return _Finding(Condition.PROGRAMMED, holds, reason, message[:MAX_MESSAGE])


def _ready(entry: Entry, accepted: _Finding, programmed: _Finding) -> _Finding:
    served = entry.accepted
    if not accepted.holds:
        message = f"generation {entry.generation} is not accepted; {_instead(served)}"
        return _Finding(Condition.READY, False, ConditionReason.NOT_ACCEPTED, message)
    if not programmed.holds or served is None:
        return _Finding(Condition.READY, False, ConditionReason.NOT_IN_FORCE, programmed.message)
    if served.spec.mode is Mode.DISABLED:
        return _Finding(Condition.READY, True, ConditionReason.DISABLED, programmed.message)
    message = f"generation {entry.generation} is in force as revision {served.digest}"
    return _Finding(Condition.READY, True, ConditionReason.IN_FORCE, message)


def _instead(served: CompiledConfig | None) -> str:
    if served is None:
        return "nothing is injected"
    return f"generation {served.config.generation} (revision {served.digest}) goes on serving"


def _condition(finding: _Finding, generation: int, old: Mapping[str, object] | None, now: str) -> dict[str, object]:
    status = "True" if finding.holds else "False"
    before = _previous(old, finding.type)
    since = before.get("lastTransitionTime") if before.get("status") == status else None
    return {
        "type": str(finding.type),
        "status": status,
        "observedGeneration": generation,
        "lastTransitionTime": since if isinstance(since, str) and since else now,
        "reason": str(finding.reason),
        "message": finding.message,
    }


def _previous(old: Mapping[str, object] | None, condition: Condition) -> Mapping[str, object]:
    conditions = (old or {}).get("conditions")
    for candidate in conditions if isinstance(conditions, list) else []:
        if isinstance(candidate, Mapping) and candidate.get("type") == condition:
            return candidate
    return {}
