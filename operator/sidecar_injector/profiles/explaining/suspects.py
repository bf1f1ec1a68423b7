"""What a user may have meant: keys in the wrong place, misspelt keys, values that mean nothing.

Each suspect comes with the change that puts it right, so that it can be tried: it is the cause only if that helps. The
keys and values that mean something are those of the configs' own selectors.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar_injector.config.selectors import LabelSelector, Operator
from sidecar_injector.injection.view import annotations, labels
from sidecar_injector.names import NAMESPACE_NAME
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.explaining.changes import Change, on_namespace, on_pods
from sidecar_injector.profiles.explaining.model import Finding, Labels, Situation
from sidecar_injector.profiles.explaining.remedies import editable, place
from sidecar_injector.profiles.istio.vocabulary import REVISION

_YES = frozenset({"true", "yes", "on", "1", "y", "t", "enable", "enabled", "inject", "injected", "injection"})
_NO = frozenset({"false", "no", "off", "0", "n", "f", "disable", "disabled", "ignore", "none", "never"})
_CLOSE = 0.75
_CLOSE_PREFIX = 0.6


@dataclass(frozen=True)
class Suspect:
    """Something that has no effect as it stands; `cause` says what, and why not."""

    reason: Finding
    cause: str
    change: Change


@dataclass
class _Words:
    """The keys that configs look at, on Pods and on Namespaces, with the values that mean something there."""

    pods: dict[str, list[str]] = field(default_factory=dict)
    namespaces: dict[str, list[str]] = field(default_factory=dict)


def suspects(situation: Situation) -> Iterator[Suspect]:
    """Yield everything that may have been meant otherwise, the likeliest first."""
    words = _words(situation)
    yield from _on_the_workload(situation, words)
    yield from _on_the_pod(situation, words)
    yield from _on_the_namespace(situation, words)


def _words(situation: Situation) -> _Words:
    words = _Words()
    for known in situation.configs:
        config = known.serving or known.selection
        if config is None:
            continue
        profile = profile_for(config)
        _add(words.pods, [(profile.words.inject, ("true", "false"))])
        for entry in profile.entries(config):
            _add(words.pods, _wanted(entry.pods))
            _add(words.namespaces, _wanted(entry.namespaces))
    words.namespaces.pop(NAMESPACE_NAME, None)
    return words


def _add(known: dict[str, list[str]], wanted: Iterable[tuple[str, Sequence[str]]]) -> None:
    for key, values in wanted:
        found = known.setdefault(key, [])
        found += [value for value in values if value not in found]


def _wanted(selector: LabelSelector) -> Iterator[tuple[str, Sequence[str]]]:
    yield from ((key, (value,)) for key, value in selector.match_labels)
    yield from ((each.key, each.values) for each in selector.match_expressions if each.operator is Operator.IN)


# --- where to look


def _on_the_workload(situation: Situation, words: _Words) -> Iterator[Suspect]:
    """Look through the workload's own metadata, which no Pod inherits."""
    target, mine = situation.target, labels(situation.pod)
    workload = " ".join(editable(target)[:2])
    for kind, given in (("label", target.labels), ("annotation", target.annotations)):
        for key, value in given.items():
            if (meant := _key(key, words.pods)) and meant not in mine and (wanted := _value(value, words.pods[meant])):
                cause = (
                    f'the {kind} {key}: "{value}" is in metadata.{kind}s of {workload}, and only labels of its Pod '
                    f"template count ({place(target, 'metadata', 'labels')})"
                )
                yield Suspect(Finding.MISPLACED, cause, on_pods({meant: wanted}))
            yield from _namespaces_own(situation, words, f"of {workload}", kind, key, value)


def _on_the_pod(situation: Situation, words: _Words) -> Iterator[Suspect]:
    mine = labels(situation.pod)
    for key, value in mine.items():
        if key in words.pods:
            what = f'the Pod has the label {key}: "{value}"'
            yield from _wrong_value(what, key, value, words.pods[key], _labelling(on_pods, key))
        elif (meant := _key(key, words.pods)) and (wanted := _value(value, words.pods[meant])):
            cause = f'the Pod has the label {key}: "{value}", which means nothing: {meant} is how it is spelt'
            yield Suspect(Finding.MISSPELT, cause, on_pods({key: None, meant: wanted}))
        yield from _namespaces_own(situation, words, "of the Pod", "label", key, value)
    for key, value in annotations(situation.pod).items():
        meant = _key(key, words.pods)
        if meant and meant not in mine and (wanted := _value(value, words.pods[meant])):
            cause = f'the Pod has {key}: "{value}" as an annotation, and the API server selects by labels only'
            if meant != key or value != wanted:
                what = f'the Pod has the annotation {key}: "{value}"'
                cause = f'{what}, which means nothing: the label is {meant}: "{wanted}"'
            yield Suspect(Finding.MISPLACED if meant == key else Finding.MISSPELT, cause, on_pods({meant: wanted}))
        yield from _namespaces_own(situation, words, "of the Pod", "annotation", key, value)


def _namespaces_own(
    situation: Situation, words: _Words, whose: str, kind: str, key: str, value: str
) -> Iterator[Suspect]:
    """Look at a key that works on Namespaces only, but stands elsewhere."""
    known = situation.namespace_labels
    if known is None or key in words.pods or key not in words.namespaces or key in known:
        return
    if wanted := _value(value, words.namespaces[key]):
        cause = f'the {kind} {key}: "{value}" {whose} has no effect: it is a label of namespaces'
        yield Suspect(Finding.MISPLACED, cause, on_namespace({key: wanted}))


def _on_the_namespace(situation: Situation, words: _Words) -> Iterator[Suspect]:
    known, name = situation.namespace_labels, situation.target.namespace
    if known is None:
        return
    for key, value in known.items():
        if key in words.namespaces:
            what = f"namespace {name} has the label {key}={value}"
            yield from _wrong_value(what, key, value, words.namespaces[key], _labelling(on_namespace, key))
        elif (meant := _key(key, words.namespaces)) and (wanted := _value(value, words.namespaces[meant])):
            cause = f"namespace {name} has the label {key}={value}, which means nothing: {meant} is how it is spelt"
            yield Suspect(Finding.MISSPELT, cause, on_namespace({key: None, meant: wanted}))
        elif key in words.pods and (found := _first(words.namespaces, value)):
            cause = f"namespace {name} has the label {key}={value}, which works on Pods only"
            yield Suspect(Finding.MISPLACED, cause, on_namespace(found))
    for key, value in (situation.namespace.annotations if situation.namespace else {}).items():
        meant = _key(key, words.namespaces)
        if meant and meant not in known and (wanted := _value(value, words.namespaces[meant])):
            cause = f'namespace {name} has {key}: "{value}" as an annotation, and it has to be a label'
            yield Suspect(Finding.MISPLACED, cause, on_namespace({meant: wanted}))


def _labelling(on: Callable[[Labels], Change], key: str) -> Callable[[str], Change]:
    return lambda value: on({key: value})


def _wrong_value(
    what: str, key: str, value: str, allowed: Sequence[str], change: Callable[[str], Change]
) -> Iterator[Suspect]:
    """Look at a value of a key that is right: yes and no in other words, or a revision that there is not."""
    if value in allowed:
        return
    if value.strip().lower() in _YES | _NO:
        if wanted := _value(value, allowed):
            cause = f"{what}, which means nothing; allowed: {_listed(allowed)}"
            yield Suspect(Finding.UNKNOWN_VALUE, cause, change(wanted))
    elif key == REVISION:
        close = difflib.get_close_matches(value, allowed, n=1)
        for wanted in [*close, *(each for each in allowed if each not in close)]:
            cause = f"{what}, and no config has that revision; there {_are(allowed)}"
            yield Suspect(Finding.UNKNOWN_VALUE, cause, change(wanted))


# --- what was meant


def _key(given: str, known: Mapping[str, Sequence[str]]) -> str:
    """Return the known key that was meant by one: itself, or one that is spelt much the same. Empty: none."""
    if given in known:
        return given
    prefix, slash, name = given.rpartition("/")
    for key in known:
        its_prefix, its_slash, its_name = key.rpartition("/")
        if slash == its_slash and _alike(prefix, its_prefix, _CLOSE_PREFIX) and _alike(name, its_name, _CLOSE):
            return key
    return ""


def _alike(left: str, right: str, least: float) -> bool:
    return left == right or difflib.SequenceMatcher(None, left.lower(), right.lower()).ratio() >= least


def _value(given: str, allowed: Sequence[str]) -> str:
    """Return the allowed value that was meant by one; empty: none."""
    plain = given.strip().lower()
    if given in allowed or plain in allowed:
        return given if given in allowed else plain
    for words in (_YES, _NO):
        if plain in words:
            return next((value for value in allowed if value in words), "")
    return next(iter(difflib.get_close_matches(given, allowed, n=1)), "")


def _first(words: Mapping[str, Sequence[str]], value: str) -> Labels:
    """Return the first label of Namespaces that can say what a value says."""
    return next(({key: wanted} for key, allowed in words.items() if (wanted := _value(value, allowed))), {})


def _listed(allowed: Sequence[str]) -> str:
    return ", ".join(f'"{value}"' for value in allowed)


def _are(allowed: Sequence[str]) -> str:
    return f"{'is' if len(allowed) == 1 else 'are'} {', '.join(allowed)}"
