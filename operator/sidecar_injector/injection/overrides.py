"""The overrides of a config as they are turned for one Pod: by its annotations, or by those of its Namespace."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from sidecar_injector.config.model import Source
from sidecar_injector.config.overrides import Override
from sidecar_injector.errors import PodRejected
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.respond import WARNINGS_IN_ALL
from sidecar_injector.injection.view import annotations
from sidecar_injector.names import OVERRIDE_PREFIX, Reason

_NOTHING: Mapping[str, object] = MappingProxyType({})
_LONGEST_SHOWN = 80
_LONGEST_KEY = len(OVERRIDE_PREFIX) + 63


def override_values(subject: Subject) -> Mapping[str, object]:
    """Return what templates see as `overrides`: the Pod's word, else its Namespace's, else the default.

    An override that nobody turns and that has no default is not there. Raises PodRejected for values that are not
    allowed, naming all of them, and for an override that is not for Pods to turn.
    """
    if not subject.config.overrides:
        return _NOTHING
    given = {
        Source.POD: annotations(subject.pod),
        Source.NAMESPACE: subject.facts.namespace(subject.namespace).annotations,
    }
    values: dict[str, object] = {}
    faults: dict[Source, list[str]] = {Source.POD: [], Source.NAMESPACE: []}
    for override in subject.config.overrides.values():
        key = annotation_of(override)
        source = next((each for each in given if each in override.spec.sources and key in given[each]), None)
        if Source.POD not in override.spec.sources and key in given[Source.POD]:
            faults[Source.POD].append(f"metadata.annotations[{key}]: is for the Namespace to say, not for a Pod")
        value = override.default if source is None else override.read(given[source][key])
        if source is not None and value is None:
            faults[source].append(
                f"metadata.annotations[{key}]: is {_shown(given[source][key])}; allowed: {override.allowed}"
            )
        elif value is not None:
            values[override.name] = value
    _refuse(faults, subject.namespace)
    return values


def _refuse(faults: Mapping[Source, list[str]], namespace: str) -> None:
    found = [*faults[Source.POD], *(f"namespace {namespace}: {fault}" for fault in faults[Source.NAMESPACE])]
    if found:
        raise PodRejected(Reason.INVALID_ANNOTATION, "; ".join(found), of_namespace=not faults[Source.POD])


def annotation_of(override: Override) -> str:
    """Return the annotation that turns an override."""
    return f"{OVERRIDE_PREFIX}{override.name}"


def annotations_of(subject: Subject) -> tuple[str, ...]:
    """Return the annotations by which a Pod may turn overrides."""
    return tuple(map(annotation_of, subject.config.overrides.values()))


def override_warnings(subject: Subject, known: Collection[str]) -> Iterator[str]:
    """Yield what authors of Pod and Namespace should know: annotations that look like overrides, and are none.

    Other configs may know an annotation that this one does not, so only what looks misspelt is mentioned.

    known -- annotations that mean something otherwise
    """
    if subject.config.overrides:
        yield from _misspelt(annotations(subject.pod), subject, known)
        yield from namespace_warnings(subject)


def namespace_warnings(subject: Subject) -> Iterator[str]:
    """Yield what the Namespace's author should know."""
    if not subject.config.overrides:
        return
    where, notes = f"namespace {subject.namespace}", subject.facts.namespace(subject.namespace).annotations
    yield from (f"{where}: {warning}" for warning in _misspelt(notes, subject, ()))
    for override in subject.config.overrides.values():
        key = annotation_of(override)
        if Source.NAMESPACE not in override.spec.sources and key in notes:
            yield f"{where}: annotation {key} is ignored, because it is for Pods to say"


def _misspelt(notes: Mapping[str, str], subject: Subject, known: Collection[str]) -> Iterator[str]:
    ours = annotations_of(subject)
    strange = (key for key in notes if key.startswith(OVERRIDE_PREFIX) and key not in ours and key not in known)
    for key in islice(strange, WARNINGS_IN_ALL):
        meant = difflib.get_close_matches(key, ours, n=1) if len(key) <= _LONGEST_KEY else []
        if meant:
            yield f"unknown annotation {key!r} is ignored; did you mean {meant[0]}?"


def _shown(value: str) -> str:
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")
