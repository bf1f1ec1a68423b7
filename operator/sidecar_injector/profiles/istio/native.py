"""Native sidecars: as the Pod's annotation says, else the config, else every node.

Istio's own threshold is a later version than the one in which kubelets began to run native sidecars by default.
"""

from collections.abc import Sequence
from itertools import chain

from sidecar_injector.config.model import SidecarMode
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import SIDECARS
from sidecar_injector.injection.view import Pod, annotations, items, names, node_of, with_spec
from sidecar_injector.profiles.istio.reading import go_bool
from sidecar_injector.profiles.istio.vocabulary import NATIVE_SIDECAR

SINCE = (1, 33)


def wants_native(subject: Subject) -> bool:
    """Tell whether the sidecars of a Pod become init containers that stay."""
    asked = go_bool(annotations(subject.pod).get(NATIVE_SIDECAR))
    if asked is not None:
        return asked
    mode = subject.config.spec.sidecar_mode
    if mode is not SidecarMode.AUTO:
        return mode is SidecarMode.NATIVE
    return subject.facts.runs_native_sidecars(SINCE, node_of(subject.pod))


def with_containers_moved(pod: Pod, overlays: Sequence[Overlay], *, native: bool) -> Pod:
    """Return the Pod with what the user says of injected containers among the init containers, if those will be there.

    Users write what they want of the proxy under `containers`, whatever becomes of it.
    """
    fields = (SIDECARS, "initContainers") if native else ("initContainers",)
    theirs = set(chain.from_iterable([names(overlay.tree, field) for overlay in overlays for field in fields]))
    if theirs.isdisjoint(names(pod, "containers")):
        return pod
    moved = [item for item in items(pod, "containers") if item.get("name") in theirs]
    rest = [item for item in items(pod, "containers") if item.get("name") not in theirs]
    return with_spec(pod, containers=rest, initContainers=[*items(pod, "initContainers"), *moved])
