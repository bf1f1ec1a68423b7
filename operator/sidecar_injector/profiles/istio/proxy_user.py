"""The user that the proxy runs as, where its user has chosen another one.

The proxy's own traffic must not be captured, and the rules know it by its user: what writes them, or checks them, has
to be told. With TPROXY the proxy needs root, whatever was asked for, and only its group can tell it from others.
"""

from collections.abc import Mapping, Sequence

from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.view import Container, Pod, items, part, with_spec
from sidecar_injector.profiles.istio.overrides import Overrides
from sidecar_injector.profiles.istio.sidecar import sidecar_of, with_sidecar
from sidecar_injector.profiles.istio.vocabulary import INIT, PROXY, TPROXY, VALIDATION

_USER = ("runAsUser", "runAsGroup")


def with_proxy_user(pod: Pod, overrides: Overrides, interception_mode: str) -> Pod:
    """Return the Pod with the user of the proxy where it has to be the same, if the user has set it."""
    chosen = _chosen(overrides)
    if not chosen:
        return pod
    if interception_mode == TPROXY and "runAsUser" in chosen:
        pod = _with_root_proxy(pod)
    init = [
        _adjusted(item, chosen, interception_mode) if item.get("name") in (INIT, VALIDATION) else item
        for item in items(pod, "initContainers")
    ]
    return with_spec(pod, initContainers=init) if init else pod


def _chosen(overrides: Overrides) -> Mapping[str, object]:
    for field in CONTAINER_LISTS:
        for container in overrides.get(field, ()):
            if container.get("name") == PROXY:
                context = part(container, "securityContext")
                return {key: context[key] for key in _USER if context.get(key) is not None}
    return {}


def _with_root_proxy(pod: Pod) -> Pod:
    proxy = sidecar_of(pod)
    if proxy is None:
        return pod
    return with_sidecar(pod, {**proxy, "securityContext": {**part(proxy, "securityContext"), "runAsUser": 0}})


def _adjusted(container: Container, chosen: Mapping[str, object], interception_mode: str) -> Container:
    result = dict(container)
    if container.get("name") == VALIDATION and interception_mode != TPROXY:
        result["securityContext"] = {**part(container, "securityContext"), **chosen}
    arguments, user = container.get("args"), chosen.get("runAsUser")
    told = interception_mode != TPROXY or "runAsGroup" in chosen
    if isinstance(arguments, list) and user and told:  # 0 is no user by which the proxy could be told from others
        result["args"] = _with_user(arguments, user)
    return result


def _with_user(arguments: Sequence[object], user: object) -> list[object]:
    return [
        str(user) if index and arguments[index - 1] == "-u" else argument for index, argument in enumerate(arguments)
    ]
