"""What is wrong with the labels and annotations of a Pod.

A value that Istio refuses is refused, with all others of the Pod that are wrong; what Istio passes over in silence or
with a line in its log becomes a warning to the Pod's author.
"""

import difflib
from collections.abc import Iterator, Mapping
from itertools import islice

from sidecar_injector.config.quantities import amount
from sidecar_injector.errors import PodRejected
from sidecar_injector.injection.json_text import json_of
from sidecar_injector.injection.respond import WARNINGS_IN_ALL
from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.view import Pod, annotations, labels, part
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio import proxy_config, user_volumes
from sidecar_injector.profiles.istio.formats import NOT_GIVEN, REFUSED, shown
from sidecar_injector.profiles.istio.key import Key, Place
from sidecar_injector.profiles.istio.keys import BY_NAME, KEYS, PREFIXES
from sidecar_injector.profiles.istio.reading import map_at
from sidecar_injector.profiles.istio.vocabulary import (
    DATAPLANE_MODE,
    INJECT,
    INJECTION,
    OVERRIDES,
    PROXY_CONFIG,
    PROXY_CPU,
    PROXY_CPU_LIMIT,
    PROXY_MEMORY,
    PROXY_MEMORY_LIMIT,
    USER_VOLUME,
    USER_VOLUME_MOUNT,
)
from sidecar_injector.profiles.selection import inject_value

_FIELDS_SHOWN = 5


def check(pod: Pod) -> None:
    """Raise PodRejected if the Pod has annotations that are not allowed, naming all of them."""
    if found := faults(pod):
        raise PodRejected(Reason.INVALID_ANNOTATION, "; ".join(found))


def faults(pod: Pod) -> list[str]:
    """Return a line for each of the Pod's annotations that is not allowed: its key, its value, what is allowed."""
    notes = annotations(pod)
    if _CHECKED.isdisjoint(notes):
        return []
    found = [
        f"metadata.annotations[{key.name}]: is {shown(value)} ({problem}); allowed: {key.allowed}"
        for key, value, problem in _wrong(notes, _REFUSED)
    ]
    return found or [*_requests_above_limits(notes), *user_volumes.faults(pod), *_bad_overrides(notes)]


_OF_PODS = tuple(key for key in KEYS if Place.POD_ANNOTATION in key.on)
_REFUSED = {key.name: key for key in _OF_PODS if key.format.check is not None and key.format.otherwise == REFUSED}
_PASSED_OVER = {key.name: key for key in _OF_PODS if key.format.check is not None and key.format.otherwise != REFUSED}
_DEPRECATED = {key.name: key for key in _OF_PODS if key.deprecated}
_CHECKED = frozenset((*_REFUSED, USER_VOLUME, USER_VOLUME_MOUNT))
"""The annotations for which a Pod may be refused."""


def _requests_above_limits(notes: Mapping[str, str]) -> Iterator[str]:
    for request, limit in ((PROXY_CPU, PROXY_CPU_LIMIT), (PROXY_MEMORY, PROXY_MEMORY_LIMIT)):
        if request not in notes or limit not in notes:
            continue
        asked, most = amount(notes[request]), amount(notes[limit])
        if asked is not None and most is not None and asked > most:
            yield (
                f"metadata.annotations[{request}]: is {shown(notes[request])}; "
                f"allowed: at most {shown(notes[limit])}, which {limit} says"
            )


def _bad_overrides(notes: Mapping[str, str]) -> Iterator[str]:
    text = notes.get(OVERRIDES)
    if text is not None:
        recorded = {key: value for key, value in map_at(json_of(text)).items() if key in CONTAINER_LISTS and value}
        for problem in user_volumes.schema_problems({"spec": recorded}, whole=False):
            yield f"metadata.annotations[{OVERRIDES}]: {problem}; Istio and this injector write it, so take it off"


def warnings(pod: Pod) -> list[str]:
    """Return what the Pod's author should know, what matters most first."""
    if _are_fine(annotations(pod), _FINE_ANNOTATIONS) and _are_fine(labels(pod), _FINE_LABELS):
        return [*_on_the_pod(pod)]
    return [*on_the_keys(pod), *_on_the_pod(pod)]


def on_the_keys(pod: Pod) -> list[str]:
    """Return what there is to say of the labels and annotations that are Istio's."""
    notes = annotations(pod)
    return [
        *_on_opting(pod),
        *_without_effect(notes),
        *_strange_keys("label", Place.POD_LABEL, labels(pod)),
        *_strange_keys("annotation", Place.POD_ANNOTATION, notes),
        *_unknown_fields(notes),
        *_deprecated(notes),
    ]


def _are_fine(values: Mapping[str, str], fine: frozenset[str]) -> bool:
    """Tell whether there is nothing to say of labels or annotations, whatever their values are: mostly so."""
    if fine.issuperset(values):
        return True
    strange = {*values} - fine
    return BY_NAME.keys().isdisjoint(strange) and _IN_ALL not in " ".join(strange)


def _fine(place: Place) -> frozenset[str]:
    """Return the keys of which there is nothing to say: any value will do, or `check` refuses what will not.

    Of a ProxyConfig that is not refused, fields may be unknown.
    """
    found = [key for key in KEYS if place in key.on and not key.deprecated and key.name != PROXY_CONFIG]
    return frozenset(key.name for key in found if key.format.check is None or key.format.otherwise == REFUSED)


_FINE_LABELS, _FINE_ANNOTATIONS = _fine(Place.POD_LABEL), _fine(Place.POD_ANNOTATION)
_IN_ALL = "istio"
"""What every key of Istio's has in it, known to us or not."""


def _wrong(notes: Mapping[str, str], keys: Mapping[str, Key]) -> Iterator[tuple[Key, str, str]]:
    """Yield those of these annotations that are not allowed, with their values and what is wrong with them."""
    for name in filter(keys.__contains__, notes):
        problem = keys[name].check(notes[name])
        if problem is not None:
            yield keys[name], notes[name], problem


def _on_opting(pod: Pod) -> Iterator[str]:
    """Warn of a value of the switch that is none, and of an annotation where a label is better, or hides it."""
    asked, where = inject_value(pod, INJECT)
    if where and asked not in ("true", "false"):
        yield f"{where} {INJECT}: {shown(asked)} is neither true nor false: {NOT_GIVEN}"
    if where == "annotation":
        yield f"annotation {INJECT} is deprecated: a label also decides whether the injector is asked at all"
    elif (hidden := annotations(pod).get(INJECT, asked)) != asked:
        yield f"annotation {INJECT}: {shown(hidden)} has no effect: the label of that name wins"


def _without_effect(notes: Mapping[str, str]) -> Iterator[str]:
    for key, value, problem in _wrong(notes, _PASSED_OVER):
        if key.name != INJECT:
            where = f"metadata.annotations[{key.name}]"
            yield f"{where}: is {shown(value)} ({problem}): {key.format.otherwise}; allowed: {key.allowed}"


def _strange_keys(kind: str, place: Place, values: Mapping[str, str]) -> Iterator[str]:
    """Warn of keys of Istio's that do not exist, or not in this place."""
    strange = (name for name in values if _is_istios(name) and (name not in BY_NAME or place not in BY_NAME[name].on))
    for name in islice(strange, WARNINGS_IN_ALL):
        if known := BY_NAME.get(name):
            yield f"{kind} {name} has no effect on a Pod; it works as {' and '.join(known.on)}"
        else:
            yield f"unknown {kind} {shown(name)} has no effect{_hint(name)}"


def _is_istios(name: str) -> bool:
    return name == INJECTION or name.partition("/")[0] in PREFIXES


_LONGEST_NAME = 63
"""Characters after the prefix, as Kubernetes allows them. It will refuse longer keys; nothing is compared with them."""

_MEANT: Mapping[str, Key] = {
    key.name.rpartition("/")[2].lower(): key for key in reversed(KEYS) if _is_istios(key.name) and not key.deprecated
}


def _hint(name: str) -> str:
    """Return what may have been meant by a key: its prefixes are many and alike, so names are compared alone."""
    last = name.rpartition("/")[2].lower()
    close = difflib.get_close_matches(last, _MEANT, n=1, cutoff=0.75) if len(last) <= _LONGEST_NAME else []
    return f"; did you mean {_MEANT[close[0]].name}?" if close else ""


def _unknown_fields(notes: Mapping[str, str]) -> Iterator[str]:
    text = notes.get(PROXY_CONFIG)
    unknown = list(proxy_config.unknown_fields(text)) if text is not None else []
    if unknown:
        fields = ", ".join(shown(field) for field in unknown[:_FIELDS_SHOWN])
        more = f" and {len(unknown) - _FIELDS_SHOWN} more" if len(unknown) > _FIELDS_SHOWN else ""
        yield f"metadata.annotations[{PROXY_CONFIG}]: no ProxyConfig is known to have {fields}{more}; is it misspelt?"


def _deprecated(notes: Mapping[str, str]) -> Iterator[str]:
    for name in filter(_DEPRECATED.__contains__, notes):
        yield f"annotation {name} is deprecated: {_DEPRECATED[name].deprecated}"


def _on_the_pod(pod: Pod) -> Iterator[str]:
    """Warn of what does not go together with a sidecar, unless it is plain that there will be none."""
    spec, ambient = part(pod, "spec"), labels(pod).get(DATAPLANE_MODE) == "ambient"
    policy = spec.get("dnsPolicy")
    fits = policy in (None, "", "ClusterFirst")
    if fits and not ambient:
        return
    if spec.get("hostNetwork") or inject_value(pod, INJECT)[0] == "false":
        return
    if not fits:
        yield f"spec.dnsPolicy is {shown(str(policy))}: the proxy may not find its control plane; it needs ClusterFirst"
    if ambient:
        yield f"label {DATAPLANE_MODE}: ambient has no effect on a Pod with a sidecar"
