"""Native sidecars: as the Pod's annotation says, else the config, else every node.

Istio's own threshold is a later version than the one in which kubelets began to run native sidecars by default.
"""

from collections.abc import Sequence

from sidecar_injector.config.model import SidecarMode
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import SIDECARS
from sidecar_injector.injection.view import Pod, annotations, items, part, with_spec
from sidecar_injector.profiles.istio.reading import go_bool
from sidecar_injector.profiles.istio.vocabulary import NATIVE_SIDECAR, PROXY

SINCE = (1, 33)


def wants_native(subject: Subject) -> bool:
    """Tell whether the sidecars of a Pod become init containers that stay."""
    asked = go_bool(annotations(subject.pod).get(NATIVE_SIDECAR))
    if asked is not None:
        return asked
    mode = subject.config.spec.sidecar_mode
    if mode is not SidecarMode.AUTO:
        return mode is SidecarMode.NATIVE
    return subject.facts.runs_native_sidecars(SINCE, str(part(subject.pod, "spec").get("nodeName") or ""))


def with_proxy_moved(pod: Pod, overlays: Sequence[Overlay], *, native: bool) -> Pod:
    """Return the Pod with the user's own proxy among the init containers, if that is where the templates' will be."""
    proxies = [item for item in items(pod, "containers") if item.get("name") == PROXY]
    if not (proxies and native and any(_defines_sidecar(overlay) for overlay in overlays)):
        return pod
    rest = [item for item in items(pod, "containers") if item.get("name") != PROXY]
    return with_spec(pod, containers=rest, initContainers=[*items(pod, "initContainers"), *proxies])


def _defines_sidecar(overlay: Overlay) -> bool:
    return any(
        item.get("name") == PROXY for field in (SIDECARS, "initContainers") for item in items(overlay.tree, field)
    )
