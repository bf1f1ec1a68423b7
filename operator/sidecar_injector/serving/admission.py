"""What to answer to one review. No exception leaves here: what fails is answered as the config's failurePolicy says.

In Kopf an exception is a denial, which `failurePolicy: Ignore` would not cover. So a failure of ours is either an
admission with a warning (Ignore), or an HTTP error, upon which the API server applies its own copy of the policy
(Fail). A Pod is denied for one cause only: a PodRejected, raised on the Pod's own account.
"""

import logging
from collections.abc import Mapping

from sidecar_injector import names
from sidecar_injector.config import CompiledConfig, Snapshot
from sidecar_injector.config.conditions import problem_text
from sidecar_injector.config.model import FailurePolicy
from sidecar_injector.errors import ConfigError, InjectionError, PodRejected, TemplateError
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.respond import allow, deny, document, encode, respond
from sidecar_injector.injection.review import Request
from sidecar_injector.names import Reason
from sidecar_injector.profiles import profile_for
from sidecar_injector.serving.exchange import Answer
from sidecar_injector.serving.judging import Judge

logger = logging.getLogger(__name__)

DENIED_CODE, INVALID_CONFIG_CODE = 403, 422

Resource = Mapping[str, object]


def at_once(request: Request, snapshot: Snapshot, config: str) -> Answer | None:
    """Answer a review that asks neither for an injection nor for a judgement; None: it asks for one of them.

    No entry of ours asks the API server for such; whoever points one of his own at us gets a clear answer.
    """
    if not config:
        return None if _changes_config(request) else _allowed(Reason.NOT_A_CONFIG_CHANGE, "nothing to validate")
    if not request.creates_pod:
        message = f"{request.operation} of {request.resource}: only Pods are injected, when they are created"
        return _allowed(Reason.NOT_A_POD_CREATION, message)
    if config not in snapshot.entries:
        return _allowed(Reason.CONFIG_DELETED, f"{names.KIND} {config} was deleted")
    return None


def inject(
    request: Request, snapshot: Snapshot, config: str, facts: ClusterFacts, parameters: Mapping[str, str]
) -> Answer:
    """Answer the review of a Pod being created; `parameters` are those of the path that was called."""
    compiled = snapshot.compiled(config)
    if compiled is None:
        problem = f"no version of it was accepted yet; kubectl describe {names.PLURAL} {config} says why"
        return _unanswered(config, Reason.CONFIG_NOT_ACCEPTED, problem)
    try:
        outcome = admit(request, compiled, profile_for(compiled), facts, parameters=parameters)
    except PodRejected as error:
        return _denied(error.reason, str(error))
    except InjectionError as error:
        return failed(compiled, error.reason, str(error))
    except TemplateError as error:
        return failed(compiled, Reason.RENDER_ERROR, str(error))
    except Exception as error:
        logger.exception("Defect while injecting into a Pod, uid of the review %s", request.uid)
        return failed(compiled, Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
    return Answer(
        encode(respond(outcome, compiled)),
        outcome.decision.reason,
        outcome.decision.message,
        patch=document(outcome.patch),
    )


def failed(config: CompiledConfig, reason: Reason, problem: str) -> Answer:
    """Answer a review that could not be dealt with, as the config's failurePolicy says."""
    if config.spec.failure_policy is FailurePolicy.FAIL:
        return _unanswered(config.name, reason, problem)
    warning = f"{names.KIND} {config.name} did not inject this Pod: {reason}: {problem}"
    return Answer(encode(allow(reason, problem, (warning,))), reason, problem, failed=True)


async def validate(resource: Resource, old: Resource | None, judge: Judge) -> Answer:
    """Answer the review of a SidecarInjectorConfig that is created or changed, in the words of its status.

    One whose spec stays as it is passes, broken or not, so that labels and finalizers can always be edited.
    """
    if old is not None and resource.get("spec") == old.get("spec"):
        return _allowed(Reason.CONFIG_ACCEPTED, "spec is unchanged")
    try:
        await judge.for_review(resource)
    except ConfigError as error:
        return _denied(Reason.CONFIG_NOT_ACCEPTED, problem_text(error.problems), INVALID_CONFIG_CODE)
    return _allowed(Reason.CONFIG_ACCEPTED, "")


def _changes_config(request: Request) -> bool:
    kind = (request.group, request.resource, request.subresource)
    return kind == (names.GROUP, names.PLURAL, "") and request.operation in ("CREATE", "UPDATE") and bool(request.pod)


def _allowed(reason: Reason, message: str) -> Answer:
    return Answer(encode(allow(reason, message)), reason, message)


def _denied(reason: Reason, message: str, code: int = DENIED_CODE) -> Answer:
    return Answer(encode(deny(reason, message, code)), reason, message, denied=True)


def _unanswered(config: str, reason: Reason, problem: str) -> Answer:
    return Answer(f"{reason}: {names.KIND} {config}: {problem}", reason, problem, failed=True)
