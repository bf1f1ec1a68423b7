"""What is wrong with values that the stock templates read: another kind than Istio's own, or what makes no valid Pod.

Text is not taken for true or false: in a template, "false" is true.
"""

from collections.abc import Callable, Iterator, Mapping

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.fields import describe
from sidecar_injector.errors import Problem
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.key import Direction
from sidecar_injector.profiles.istio.keys import BY_NAME
from sidecar_injector.profiles.istio.reading import at
from sidecar_injector.profiles.istio.settings import VALUES

_PORTS = range(65536)
_PROXY = ("global", "proxy")
_AS_IN_ANNOTATIONS = {
    (*_PROXY, "includeIPRanges"): v.INCLUDE_OUTBOUND_RANGES,
    (*_PROXY, "excludeIPRanges"): v.EXCLUDE_OUTBOUND_RANGES,
    (*_PROXY, "includeInboundPorts"): v.INCLUDE_INBOUND_PORTS,
    (*_PROXY, "excludeInboundPorts"): v.EXCLUDE_INBOUND_PORTS,
    (*_PROXY, "includeOutboundPorts"): v.INCLUDE_OUTBOUND_PORTS,
    (*_PROXY, "excludeOutboundPorts"): v.EXCLUDE_OUTBOUND_PORTS,
}
"""Values that are the default of an annotation: what is allowed there is allowed here."""


def problems(config: CompiledConfig) -> list[Problem]:
    """Return the problems of `spec.values`, by the paths of their fields."""
    values = config.spec.values
    kinds = list(_of_other_kinds("spec.values", VALUES, values))
    return kinds or [*_that_do_not_fit(values), *_lists_and_maps(values)]


def _of_other_kinds(path: str, defaults: Mapping[str, object], given: Mapping[str, object]) -> Iterator[Problem]:
    for key, default in defaults.items():
        value = given.get(key)
        if value is None:
            continue
        if isinstance(default, Mapping) and default and isinstance(value, Mapping):
            yield from _of_other_kinds(f"{path}.{key}", default, value)
        elif not _KINDS[type(default)][1](value):
            yield Problem(f"{path}.{key}", f"is {describe(value)}; {_KINDS[type(default)][0]} is expected")


def _is_whole(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, str) and value.isdecimal())


def _is_text(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


_KINDS: Mapping[type, tuple[str, Callable[[object], bool]]] = {
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a whole number", _is_whole),
    str: ("text", _is_text),
    list: ("a list", lambda value: isinstance(value, list)),
    dict: ("an object", lambda value: isinstance(value, Mapping)),
}


def _that_do_not_fit(values: Mapping[str, object]) -> Iterator[Problem]:
    for path, annotation in _AS_IN_ANNOTATIONS.items():
        value, key = at(values, *path), BY_NAME[annotation]
        problem = None if value is None else key.check(str(value))
        if problem:
            yield Problem(_dotted(path), f"is {value!r} ({problem}); allowed: {key.allowed}")
    port = at(values, *_PROXY, "statusPort")
    if port is not None and int(str(port)) not in _PORTS:
        yield Problem(_dotted((*_PROXY, "statusPort")), f"is {port}; a port from 0 to 65535 is expected")


def _lists_and_maps(values: Mapping[str, object]) -> Iterator[Problem]:
    secrets = at(values, "global", "imagePullSecrets")
    for index, name in enumerate(secrets if isinstance(secrets, list) else []):
        if not isinstance(name, str):
            yield Problem(f"spec.values.global.imagePullSecrets[{index}]", f"is {describe(name)}; a name is expected")
    injected = at(values, "sidecarInjectorWebhook", "injectedAnnotations")
    for key, value in (injected if isinstance(injected, Mapping) else {}).items():
        path, known = f"spec.values.sidecarInjectorWebhook.injectedAnnotations[{key}]", BY_NAME.get(key)
        if isinstance(value, Mapping | list):
            yield Problem(path, f"is {describe(value)}; text is expected")
        elif known is not None and known.direction in (Direction.READ, Direction.BOTH):
            yield Problem(path, "is one that the injector itself reads, and it comes too late; set the value instead")
    older = at(values, "istio_cni", "enabled")
    if older is not None and not isinstance(older, bool):
        yield Problem("spec.values.istio_cni.enabled", f"is {describe(older)}; true or false is expected")


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(("spec.values", *path))
