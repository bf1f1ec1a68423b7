"""What is added to a Pod's labels and annotations beside what the templates say."""

from collections.abc import Mapping

from sidecar_injector.config.syntax import LABEL_VALUE
from sidecar_injector.injection.view import Pod, annotations, labels, with_annotations, with_labels
from sidecar_injector.profiles.istio.reading import map_at
from sidecar_injector.profiles.istio.vocabulary import NETWORK


def with_network_label(pod: Pod, network: str) -> Pod:
    """Return the Pod with the label of its network, if that is known and can be one; a label that is there stays."""
    if not network or NETWORK in labels(pod) or LABEL_VALUE.fault(network):
        return pod
    return with_labels(pod, {**labels(pod), NETWORK: network})


def injected_annotations(values: Mapping[str, object]) -> dict[str, str]:
    """Return the annotations that the config's values give to every Pod."""
    given = map_at(values, "sidecarInjectorWebhook", "injectedAnnotations")
    return {key: _text(value) for key, value in given.items() if value is not None}


def with_injected_annotations(pod: Pod, wanted: Mapping[str, str]) -> Pod:
    """Return the Pod with these annotations, which override its own."""
    present = annotations(pod)
    if not wanted or all(present.get(key) == value for key, value in wanted.items()):
        return pod
    return with_annotations(pod, {**present, **wanted})


def _text(value: object) -> str:
    """Return a value as YAML spells it: an annotation is a text, even where its author has left out the quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)
