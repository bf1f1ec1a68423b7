"""What the command line asks, and what is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sidecar_injector.cli.explaining.knowledge import Knowledge
from sidecar_injector.cli.explaining.objects import Resource
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.view import Pod
from sidecar_injector.profiles.explaining import Explanation, Failure, RunningPod, Target, Verdict, explain

_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Question:
    """The arguments and options; what was not given is empty or None."""

    named: tuple[Resource, str] | None
    filenames: Sequence[str]
    config_names: Sequence[str]
    namespace: str | None
    namespace_labels: Mapping[str, str] | None
    nodes: ClusterFacts | None
    kubeconfig: str
    context: str


@dataclass(frozen=True)
class Overview:
    """A Namespace: what a Pod there is given that says nothing, and each of its workloads."""

    namespace: Explanation
    workloads: tuple[Explanation, ...]

    @property
    def headline(self) -> str:
        """The first line: the Namespace, and which workloads are not injected."""
        left_out = [each for each in self.workloads if each.verdict is not Verdict.INJECTED]
        if not self.workloads:
            return self.namespace.headline
        if not left_out:
            return f"{self.namespace.headline}. Workloads not injected: none of {len(self.workloads)}"
        names = [f"{each.target.kind.lower()}/{each.target.name}" for each in left_out]
        shown = ", ".join([*names[:_NAMES_SHOWN], *(["…"] if len(names) > _NAMES_SHOWN else [])])
        return f"{self.namespace.headline}. Workloads not injected: {len(left_out)} of {len(self.workloads)} ({shown})"


Answered = Overview | list[Explanation]


def answered(
    knowledge: Knowledge,
    target: Target,
    pod: Pod,
    pods: Sequence[RunningPod] = (),
    failure: Failure | None = None,
) -> Explanation:
    """Return the explanation of an object by what is known; `pods` and `failure` as for `explain`."""
    explanation = explain(knowledge.situation(target, pod), pods, failure)
    return replace(explanation, notes=(*explanation.notes, *knowledge.notes))
