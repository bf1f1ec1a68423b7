"""OpenShift: each namespace has users of its own, and its admission gives one to every container that names none.

Source: OpenShift's documentation, "Managing security context constraints", on pre-allocated values.
"""

import re
from collections.abc import Mapping

from sidecar_injector.injection.view import Pod, items
from sidecar_injector.profiles.istio.reading import map_at
from sidecar_injector.profiles.istio.sidecar import sidecar_of, with_sidecar
from sidecar_injector.profiles.istio.vocabulary import OPENSHIFT_GROUPS, OPENSHIFT_UIDS, PROXY, PROXY_ID

_RANGE = re.compile(r"(?P<first>[0-9]{1,10})(?:/(?P<length>[0-9]{1,10})|-(?P<last>[0-9]{1,10}))")
_HIGHEST_ID = 2**31 - 1
_READ = frozenset((OPENSHIFT_UIDS, OPENSHIFT_GROUPS))


def proxy_ids(namespace_annotations: Mapping[str, str]) -> tuple[int, int]:
    """Return user and group of the proxy: the highest that OpenShift allows in the namespace, 1337 elsewhere.

    Apps are given the lowest, so the proxy shares its user with none, and its own traffic can be told from theirs. As
    on OpenShift, the range of users is that of groups where no range of groups is given.
    """
    if _READ.isdisjoint(namespace_annotations):
        return PROXY_ID, PROXY_ID
    users = namespace_annotations.get(OPENSHIFT_UIDS, "")
    groups = namespace_annotations.get(OPENSHIFT_GROUPS) or users
    return _highest(users), _highest(groups)


def without_scc_user(pod: Pod, namespace_annotations: Mapping[str, str]) -> Pod:
    """Return the Pod without the app's user and group on the proxy's container.

    A Pod may have a container for the proxy, to customise it. OpenShift's admission gives it the app's user, which the
    user never asked for, and which as the proxy's would let the app's traffic pass uncaptured.
    """
    if OPENSHIFT_UIDS not in namespace_annotations:
        return pod
    sidecar = sidecar_of(pod)
    if sidecar is None:
        return pod
    context = map_at(sidecar, "securityContext")
    apps = [map_at(item, "securityContext") for item in items(pod, "containers") if item.get("name") != PROXY]
    shared = {
        field
        for field in ("runAsUser", "runAsGroup")
        if context.get(field) is not None and any(app.get(field) == context[field] for app in apps)
    }
    if not shared:
        return pod
    own = {field: value for field, value in context.items() if field not in shared}
    return with_sidecar(pod, {**sidecar, "securityContext": own})


def _highest(text: str) -> int:
    """Return the end of the first range in a list such as `1000620000/10000,2000-2999`, 1337 if it is none."""
    found = _RANGE.fullmatch(text.split(",", 1)[0].strip())
    if found is None:
        return PROXY_ID
    first = int(found["first"])
    last = int(found["last"]) if found["last"] else first + int(found["length"]) - 1
    return last if first <= last <= _HIGHEST_ID else PROXY_ID
