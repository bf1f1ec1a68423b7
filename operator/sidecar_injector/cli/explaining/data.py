"""Explanations for scripts: JSON and YAML."""

from collections.abc import Sequence

from sidecar_injector.profiles.explaining.model import Considered, Explanation, Running, RunningPod, SeenContainer

Data = dict[str, object]


def as_data(explanation: Explanation) -> Data:
    """Return an explanation as plain data; members that say nothing are left out, those that scripts rely on never."""
    target = explanation.target
    return {
        "object": {"kind": target.kind, "namespace": target.namespace, "name": target.name}
        | ({"file": target.file} if target.file else {}),
        "verdict": str(explanation.verdict),
        "reason": explanation.reason,
        "headline": explanation.headline,
        "cause": explanation.cause,
        "remedies": list(explanation.remedies),
        "namespaceLabels": None if explanation.namespace_labels is None else dict(explanation.namespace_labels),
        **({"running": _running(explanation.running)} if explanation.running else {}),
        "configs": [_config(found) for found in explanation.configs],
        **({"notes": list(explanation.notes)} if explanation.notes else {}),
    }


def overview_as_data(headline: str, namespace: Explanation, workloads: Sequence[Explanation]) -> Data:
    """Return a Namespace: what a Pod there is given that says nothing, and each workload."""
    return {**as_data(namespace), "headline": headline, "workloads": [as_data(each) for each in workloads]}


def _config(found: Considered) -> Data:
    return {
        "name": found.config,
        "profile": found.profile,
        "revision": found.revision,
        **({"answersTo": found.answers_to} if found.answers_to else {}),
        "verdict": str(found.verdict),
        "reason": found.reason,
        "message": found.message,
        **({"remedy": found.remedy} if found.remedy else {}),
        **({"provisos": list(found.provisos)} if found.provisos else {}),
        "steps": [{"rule": step.rule, "value": step.value, "decision": step.decision} for step in found.steps],
        "entries": [
            {"name": entry.name, "namespaces": entry.namespaces, "pods": entry.pods, "selects": entry.selects}
            | ({"live": entry.live} if entry.live else {})
            for entry in found.entries
        ],
        "templates": list(found.templates),
        "rules": list(found.rules),
        "containers": {"before": _containers(found.before), "after": _containers(found.after)},
        **({"warnings": list(found.warnings)} if found.warnings else {}),
        **({"problems": list(found.problems)} if found.problems else {}),
    }


def _containers(containers: Sequence[SeenContainer]) -> list[Data]:
    return [{"name": each.name, "role": each.role, "image": each.image} for each in containers]


def _running(running: Running) -> Data:
    return {
        "pods": running.total,
        "current": running.current,
        "outdated": _pods(running.outdated),
        "missing": _pods(running.missing),
        "leftover": _pods(running.leftover),
    }


def _pods(pods: Sequence[RunningPod]) -> list[Data]:
    return [{"name": pod.name, "created": pod.created, "injectedBy": dict(pod.by)} for pod in pods]
