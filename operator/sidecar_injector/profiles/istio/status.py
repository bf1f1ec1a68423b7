"""The annotation `sidecar.istio.io/status`: what Istio writes into it, and in a member of its own what we need to know.

Source: https://istio.io/latest/docs/reference/config/annotations/#SidecarStatus
"""

from collections.abc import Mapping

from sidecar_injector.injection.status import Injected, Record
from sidecar_injector.names import GROUP
from sidecar_injector.profiles.istio.vocabulary import DEFAULT_REVISION, STATUS

_LISTS = ("initContainers", "containers", "volumes", "imagePullSecrets")


def _as_istio(injected: Injected) -> Mapping[str, object]:
    listed = {field: injected.contributed.get(field) or None for field in _LISTS}
    return {**listed, "revision": injected.revision or DEFAULT_REVISION}


RECORD = Record(STATUS, GROUP, _as_istio)
