"""Volumes and mounts of the proxy that users add by annotation: read as data, and refused where they make no valid Pod.

Text that is no JSON is passed over with a warning, as Istio does; what can be read has to fit.
"""

from collections.abc import Iterator, Mapping, Sequence

from sidecar_injector.config.model import Position
from sidecar_injector.errors import Place, TemplateRenderError
from sidecar_injector.injection.conform import conform
from sidecar_injector.injection.json_text import json_of
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.validity import faults as pod_faults
from sidecar_injector.injection.view import Pod, annotations, names, part
from sidecar_injector.profiles.istio.texts import remembering
from sidecar_injector.profiles.istio.vocabulary import PROXY, STATUS, USER_VOLUME, USER_VOLUME_MOUNT

Items = list[dict[str, object]]

OURS = {
    "credential-socket": "/var/run/secrets/credential-uds",
    "custom-bootstrap-volume": "/etc/istio/custom-bootstrap",
    "grpc-io-proxyless-bootstrap": "",
    "gke-workload-certificate": "/var/run/secrets/workload-spiffe-credentials",
    "istio-ca-crl": "/var/run/secrets/istio/crl",
    "istio-certs": "/etc/certs/",
    "istio-data": "/var/lib/istio/data",
    "istio-envoy": "/etc/istio/proxy",
    "istio-podinfo": "/etc/istio/pod",
    "istio-token": "/var/run/secrets/tokens",
    "istio-xds": "/etc/istio/proxy",
    "istiod-ca-cert": "/var/run/secrets/istio",
    "lightstep-certs": "",
    "workload-certs": "/var/run/secrets/workload-spiffe-credentials",
    "workload-socket": "/var/run/secrets/workload-spiffe-uds",
}
"""Volumes that the stock templates have, and where the proxy mounts them (empty: not at one place)."""
_PATHS = frozenset(path.rstrip("/") for path in OURS.values()) - {""}


def user_items(pod: Pod, key: str) -> Items:
    """Return the volumes or mounts in an annotation: a JSON object by their names, or a list of them."""
    text = annotations(pod).get(key)
    return _items(text) if text else []


def _items(text: str) -> Items:
    document = json_of(text)
    if isinstance(document, list):
        return [item for item in document if isinstance(item, dict) and isinstance(item.get("name"), str)]
    if not isinstance(document, dict):
        return []
    return [{"name": name, **item} for name, item in sorted(document.items()) if isinstance(item, dict)]


def faults(pod: Pod) -> list[str]:
    """Return what is wrong with the user's volumes and mounts, by their annotations."""
    notes = annotations(pod)
    if USER_VOLUME not in notes and USER_VOLUME_MOUNT not in notes:
        return []
    volumes, mounts = user_items(pod, USER_VOLUME), user_items(pod, USER_VOLUME_MOUNT)
    others = () if STATUS in notes else names(pod, "volumes")  # where Istio has injected, some are these
    known = {*OURS, *names(pod, "volumes"), *(str(volume["name"]) for volume in volumes)}
    found = {
        USER_VOLUME: [*_volume_problems(volumes, others), *_problems(USER_VOLUME, notes)],
        USER_VOLUME_MOUNT: [*_mount_problems(mounts, known), *_problems(USER_VOLUME_MOUNT, notes)],
    }
    return [f"metadata.annotations[{key}]: {problem}" for key, problems in found.items() for problem in problems]


def _volume_problems(volumes: Items, present: Sequence[str]) -> Iterator[str]:
    taken = next((volume["name"] for volume in volumes if volume["name"] in OURS or volume["name"] in present), None)
    if taken is not None:
        whose = "one that is injected" if taken in OURS else "one of the Pod's"
        yield f"the volume {str(taken)[:80]!r} is {whose}; allowed: other names"


def _mount_problems(mounts: Items, known: set[str]) -> Iterator[str]:
    for mount in mounts:
        if mount["name"] not in known:
            yield f"there is no volume {str(mount['name'])[:80]!r} in the Pod or in {USER_VOLUME}"
        if str(mount.get("mountPath")).rstrip("/") in _PATHS:
            yield f"the path {mount['mountPath']!r} is one of the proxy's own; allowed: other paths"


def _problems(key: str, notes: Mapping[str, str]) -> tuple[str, ...]:
    """Return what keeps the volumes or mounts in an annotation from being those of a Pod."""
    return _judged(key, notes.get(key, ""))


@remembering
def _judged(key: str, text: str) -> tuple[str, ...]:
    items = _items(text)
    proxy = {"name": PROXY, "image": PROXY, "volumeMounts": items}
    return tuple(schema_problems({"spec": {"volumes": items} if key == USER_VOLUME else {"containers": [proxy]}}))


def schema_problems(tree: Mapping[str, object], *, whole: bool = True) -> Iterator[str]:
    """Yield the first thing that keeps a part of a Pod, which a user gave as JSON, from being one.

    whole -- its items are complete; else they may leave out what is required
    """
    if _has_directive(tree):
        yield "a key begins with '$'; allowed: fields of a Pod"
        return
    overlay = Overlay("annotation", Position(), tree, _nowhere)
    try:
        conforming = conform(overlay, strict=True).tree
    except TemplateRenderError as error:
        yield error.problem
        return
    if not whole:
        return
    pod: Pod = {"spec": {"containers": [{"name": PROXY, "image": PROXY}], **part(conforming, "spec")}}
    for path, message in pod_faults(pod):
        yield f"{'.'.join(map(str, path[1:]))} {message}"
        return


def _nowhere(_: Sequence[str | int]) -> Place:
    return Place("annotation", 1)


def _has_directive(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(str(key).startswith("$") or _has_directive(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_directive, value))
