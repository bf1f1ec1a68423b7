"""The status annotation: what an injection did to a Pod, and how that is taken out again.

It is a JSON object with one entry a config, so that several configs can inject one Pod:

    {"<config>": {"revision": "<digest>", "templates": [...], "containers": [...], "initContainers": [...],
                  "volumes": [...], "undo": {...}}}

A profile says which annotation that is, and may put the entries into a member of a document that other programs read.

`undo` holds what it takes to get back the Pod as it was, as a tree of the Pod's own keys, in which items of keyed lists
stand under their merge key, so that each finds its target whatever another webhook did in between. A leaf is "-", where
something is to be removed, or [value], where that is to be restored. Under the empty key of a list's node are the items
that are missing from it: [[key of the item in front, or null; item], ...].
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import filterfalse
from typing import NamedTuple

from sidecar_injector.errors import InjectionError, ReviewError
from sidecar_injector.injection.json_text import json_of, json_text
from sidecar_injector.injection.patch import MISSING, Tree, changes
from sidecar_injector.injection.review import check_pod
from sidecar_injector.injection.schema import NOTHING, POD, Field, Type
from sidecar_injector.injection.view import Container, Pod, annotations, items, names, names_of, part, with_annotation
from sidecar_injector.names import STATUS

Missing = Sequence[object]
"""The key of the item in front (None: there is none), and the item."""

UNDO_LIMIT = 64 * 1024
"""Characters of JSON; an undo beyond this is left out, as all annotations of a Pod together may have 256 KiB."""

DEPTH_LIMIT = 100
"""Keys: no field of a Pod lies as deep, and a forged tree must not exhaust the stack."""


@dataclass(frozen=True)
class Undo:
    """What is to be done with a value: removed, or restored; or with what is in it, and what is missing from it."""

    remove: bool = False
    restore: Sequence[object] = ()
    missing: Sequence[Missing] = ()
    inner: Mapping[str, "Undo"] = field(default_factory=dict)


@dataclass(frozen=True)
class Injection:
    """One config's entry: the revision that injected, by which templates, the items it added, and the undo."""

    revision: str
    templates: tuple[str, ...] = ()
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    undo: Undo | None = None


LISTS = ("containers", "initContainers", "volumes")


class Injected(NamedTuple):
    """An injection that is to be noted in the Pod.

    digest, revision -- of the config: which version it was, and what `spec.revision` says
    contributed      -- names of what templates gave or changed, by list
    """

    config: str
    digest: str
    revision: str
    templates: Sequence[str]
    contributed: Mapping[str, Sequence[str]]


def _nothing(_: Injected) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True)
class Record:
    """Where a profile notes injections: in which annotation, in which member of it, and what else stands there."""

    annotation: str = STATUS
    member: str = ""
    beside: Callable[[Injected], Mapping[str, object]] = _nothing

    def entries(self, text: str) -> dict[str, object]:
        """Return the entries of all configs in the annotation's text; one that is not ours to read has none."""
        document = self._document(text)
        entries = document.get(self.member) if self.member else document
        return dict(entries) if isinstance(entries, dict) else {}

    def text(self, entries: Mapping[str, object], injected: Injected | None, earlier: str) -> str:
        """Return the annotation with these entries; `earlier` is what it said, `injected` is None if an entry went."""
        if not self.member:
            return json_text(_in_order(entries))
        beside = self.beside(injected) if injected else self._document(earlier)
        return json_text({**beside, self.member: _in_order(entries)})

    def _document(self, text: str) -> dict[str, object]:
        document = json_of(text) if text else None
        return document if isinstance(document, dict) else {}


def read_status(pod: Pod, record: Record) -> dict[str, Injection]:
    """Return the injections that a Pod's annotation tells of; an annotation that is not ours to read tells of none."""
    note = _note(pod, record)
    if not note:
        return {}
    return {config: entry for config, value in record.entries(note).items() if (entry := _entry(value)) is not None}


def _entry(value: object) -> Injection | None:
    if not isinstance(value, dict) or not isinstance(value.get("revision"), str):
        return None
    lists = {name: _strings(value.get(name, [])) for name in LISTS}
    templates = _strings(value.get("templates", []))
    undo = value.get("undo", {})
    try:
        steps = None if undo is None else _undo(undo, DEPTH_LIMIT)
    except ValueError:
        return None
    if templates is None or None in lists.values():
        return None
    return Injection(value["revision"], templates, {name: found for name, found in lists.items() if found}, steps)


def _strings(value: object) -> tuple[str, ...] | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _undo(node: object, depth: int) -> Undo:
    """Read a node of the tree. Raises ValueError for what is none."""
    match node:
        case "-":
            return Undo(remove=True)
        case [was]:
            return Undo(restore=(was,))
        case dict() if depth:
            missing = node.get(MISSING, [])
            if not isinstance(missing, list) or not all(map(_is_missing, missing)):
                raise ValueError("missing items")
            return Undo(missing=missing, inner={k: _undo(v, depth - 1) for k, v in node.items() if k != MISSING})
    raise ValueError("a node")


def _is_missing(value: object) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | None) and isinstance(value[1], dict)
    )


def is_intact(pod: Pod, injection: Injection) -> bool:
    """Tell whether everything that an injection added is still in the Pod."""
    return all(set(added) <= set(names(pod, name)) for name, added in injection.added.items())


# --- writing


def with_status(before: Pod, after: Pod, injected: Injected, record: Record, undo: Tree | None = None) -> Pod:
    """Return `after` with an entry that tells how it came of `before`.

    undo -- of the changes between them, if that is known
    """
    undo = changes(before, after).undo if undo is None else undo
    entry: dict[str, object] = {"revision": injected.digest, "templates": injected.templates, "undo": undo}
    for name in LISTS:
        if added := _added(items(before, name), items(after, name)):
            entry[name] = added
    note = _note(after, record)
    entries = record.entries(note) if note else {}
    entry = entries[injected.config] = _in_order(entry)
    text = record.text(entries, injected, "")
    if len(text) > UNDO_LIMIT and len(json_text(undo)) > UNDO_LIMIT:  # it is a part of the text
        entry["undo"] = None
        text = record.text(entries, injected, "")
    return with_annotation(after, record.annotation, text)


def _added(was: Sequence[Container], now: Sequence[Container]) -> list[str]:
    if was is now:
        return []
    standing = names_of(now)
    return list(filterfalse(frozenset(names_of(was)).__contains__, standing)) if was else standing


def _in_order(entries: Mapping[str, object]) -> dict[str, object]:
    return dict(sorted(entries.items()))


def part_of(pod: Pod) -> Mapping[str, object]:
    """Return the part of a Pod that injection changes."""
    return {"metadata": part(pod, "metadata"), "spec": part(pod, "spec")}


# --- taking out


def without_injection(pod: Pod, config: str, record: Record) -> Pod:
    """Return the Pod as it was before this config injected it; the Pod itself if it did not.

    Raises InjectionError if the injection was too large to be recorded.
    """
    injection = read_status(pod, record).get(config)
    if injection is None:
        return pod
    if injection.undo is None:
        raise InjectionError(
            f"the Pod was injected by revision {injection.revision} of {config}, and too much of it was changed to "
            f"take that out again; start from the Pod as it was, without the annotation {record.annotation}"
        )
    tree = _undone_map(part_of(pod), injection.undo, POD)
    return without_entry({**pod, **_checked(tree, config, record)}, config, record, _note(pod, record))


def _checked(tree: Mapping[str, object], config: str, record: Record) -> Mapping[str, object]:
    """Return the tree if it is a Pod's: the annotation came in with the Pod, and anybody may have written it."""
    try:
        check_pod(tree)
    except ReviewError as error:
        raise InjectionError(
            f"metadata.annotations[{record.annotation}]: what it says of {config} does not lead back to a Pod "
            f"({error}); remove the annotation, and the containers that were injected"
        ) from None
    return tree


def without_entry(pod: Pod, config: str, record: Record, noted: str | None = None) -> Pod:
    """Return the Pod with an annotation that tells of the other configs alone, or with the one that stood there before.

    noted -- what the annotation said of the injections; by default, what it says
    """
    text = _note(pod, record) if noted is None else noted
    rest = {name: entry for name, entry in record.entries(text).items() if name != config}
    now = _note(pod, record)
    if rest:
        return with_annotation(pod, record.annotation, record.text(rest, None, now or "{}"))
    if now != text or not now:
        return pod
    remaining = {key: value for key, value in annotations(pod).items() if key != record.annotation}
    metadata = {key: value for key, value in part(pod, "metadata").items() if key != "annotations"}
    return {**pod, "metadata": {**metadata, "annotations": remaining} if remaining else metadata}


def _note(pod: Pod, record: Record) -> str:
    return annotations(pod).get(record.annotation, "")


_ABSENT = object()


def _undone_map(tree: Mapping[str, object], undo: Undo, schema: Type) -> dict[str, object]:
    result = dict(tree)
    for key, change in undo.inner.items():
        value = _undone(tree.get(key, _ABSENT), change, schema.field(key))
        if value is not _ABSENT:
            result[key] = value
        else:
            result.pop(key, None)
    return result


def _undone(value: object, undo: Undo, kind: Field) -> object:
    """Return the value as it was; what is empty then was not there."""
    if undo.remove:
        return _ABSENT
    if undo.restore:
        return undo.restore[0]
    if undo.missing:
        return _with_missing(value if isinstance(value, list) else [], undo, kind)
    if isinstance(value, list):
        return _undone_list(value, undo, kind) or _ABSENT
    if isinstance(value, Mapping):
        return _undone_map(value, undo, kind.type or NOTHING) or _ABSENT
    return _undone_map({}, undo, kind.type or NOTHING) or value


def _undone_list(items: list[object], undo: Undo, kind: Field) -> list[object]:
    one = kind.item
    undone = [_undone(item, change, one) if (change := undo.inner.get(_key_of(item, kind))) else item for item in items]
    return [item for item in undone if item is not _ABSENT]


def _with_missing(live: list[object], undo: Undo, kind: Field) -> list[object]:
    items = _undone_list(live, undo, kind)
    present = {_key_of(item, kind) for item in items}
    left_out = present | (undo.inner.keys() - {_key_of(item, kind) for item in live})  # moved by us, and gone since
    behind: dict[object, list[object]] = {}
    for in_front, item in undo.missing:
        if _key_of(item, kind) not in left_out:
            behind.setdefault(in_front if in_front is None or in_front in present else _ABSENT, []).append(item)
    result = behind.pop(None, [])
    for item in items:
        result += [item, *behind.pop(_key_of(item, kind), [])]
    return result + behind.pop(_ABSENT, [])


def _key_of(item: object, kind: Field) -> str:
    return str(item.get(kind.merge_key or "")) if isinstance(item, Mapping) else ""
