"""Why is this Pod injected, or not? What `explain` says, worked out by the serving pipeline itself. Pure.

model        what is known, and what is found out
consider     each config on the Pod: the pipeline, watched (`watching`)
suspects     what may have been meant otherwise, tried out (`changes`); `revisions` for those of profile Istio
answer       what decides, why, and the remedy (`remedies`)
running      what Pods that run say of their injection
headline     all of that in one line
"""

from collections.abc import Sequence

from sidecar_injector.profiles.explaining.answer import answer
from sidecar_injector.profiles.explaining.consider import consider_all
from sidecar_injector.profiles.explaining.headline import headline, of_running, with_failure
from sidecar_injector.profiles.explaining.model import (
    Explanation,
    Failure,
    Known,
    Registered,
    RunningPod,
    Situation,
    Target,
    Verdict,
    Webhook,
)
from sidecar_injector.profiles.explaining.notes import notes
from sidecar_injector.profiles.explaining.remedies import restart
from sidecar_injector.profiles.explaining.running import compared

__all__ = [
    "Explanation",
    "Failure",
    "Known",
    "Registered",
    "RunningPod",
    "Situation",
    "Target",
    "Verdict",
    "Webhook",
    "explain",
]


def explain(situation: Situation, pods: Sequence[RunningPod] = (), failure: Failure | None = None) -> Explanation:
    """Return what becomes of the Pod and why.

    pods    -- that run: of a workload, or the Pod itself
    failure -- the last one of the webhook to let such a Pod be created
    """
    considered = consider_all(situation)
    found = answer(situation, considered, restart(situation.target) if any(not pod.by for pod in pods) else "")
    running = compared(pods, considered) if pods else None
    if running is not None:
        found = of_running(situation, found, considered, running)
    if failure is not None and all(pod.created < failure.time for pod in pods):
        found = with_failure(situation, found, failure)
    return Explanation(
        situation.target,
        headline(situation.target, found),
        found.verdict,
        str(found.reason),
        found.cause,
        found.remedies,
        situation.namespace_labels,
        considered,
        running,
        tuple(notes(situation)),
    )
