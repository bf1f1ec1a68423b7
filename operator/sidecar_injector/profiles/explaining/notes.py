"""What else is worth knowing, beside what decides."""

from collections.abc import Iterator

from sidecar_injector.injection.view import annotations, labels
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.explaining.model import Situation
from sidecar_injector.profiles.explaining.remedies import editable, place


def notes(situation: Situation) -> Iterator[str]:
    """Yield a sentence for each thing that may be meant otherwise than it works."""
    yield from _on_the_workload(situation)
    if situation.namespace_labels is None:
        yield (
            f"the labels of namespace {situation.target.namespace} are not known, and taken to select it; give them "
            "with --namespace-labels, or the Namespace among the files"
        )


def _on_the_workload(situation: Situation) -> Iterator[str]:
    """Yield keys of our vocabularies that are on the workload itself, and not in its Pod template."""
    target = situation.target
    configs = [known.serving for known in situation.configs if known.serving is not None]
    prefixes = {prefix for config in configs for prefix in profile_for(config).words.prefixes}
    inherited = {"labels": labels(situation.pod), "annotations": annotations(situation.pod)}
    for field, given in (("labels", target.labels), ("annotations", target.annotations)):
        for key in given:
            if key.partition("/")[0] in prefixes and key not in inherited[field]:
                where = place(target, "metadata", field)
                workload = " ".join(editable(target)[:2])
                yield f"{key} in metadata.{field} of {workload} has no effect; what counts is {where}"
