"""The status annotation: what an injection did to a Pod, and how that is taken out again.

The annotation is a JSON object with one entry a config, so that several configs can inject one Pod:

    {"<config>": {"revision": "<digest>", "templates": [...], "containers": [...], "initContainers": [...],
                  "volumes": [...], "undo": [...]}}

`undo` holds what it takes to get back the Pod as it was: steps `[path, "remove"]` and `[path, "restore", value]`. A
path names items of keyed lists by their merge key, so a step finds its target whatever another webhook did in between.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sidecar_injector.errors import InjectionError, ReviewError
from sidecar_injector.injection.patch import same
from sidecar_injector.injection.review import check_pod
from sidecar_injector.injection.schema import NOTHING, POD, Field, Shape, Type
from sidecar_injector.injection.view import Pod, annotations, names, part, with_annotation
from sidecar_injector.names import STATUS

Path = tuple[str, ...]
Step = Sequence[object]

UNDO_LIMIT = 64 * 1024
"""Characters of JSON; an undo beyond this is left out, as all annotations of a Pod together may have 256 KiB."""


@dataclass(frozen=True)
class Injection:
    """One config's entry: the revision that injected, by which templates, the items it added, and the undo steps."""

    revision: str
    templates: tuple[str, ...] = ()
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    undo: tuple[Step, ...] | None = ()


LISTS = ("containers", "initContainers", "volumes")


def read_status(pod: Pod) -> dict[str, Injection]:
    """Return the injections that a Pod's annotation tells of; an annotation that is not ours to read tells of none."""
    try:
        document = json.loads(annotations(pod).get(STATUS, "{}"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict):
        return {}
    return {config: entry for config, value in document.items() if (entry := _entry(value)) is not None}


def _entry(value: object) -> Injection | None:
    if not isinstance(value, dict) or not isinstance(value.get("revision"), str):
        return None
    lists = {name: _strings(value.get(name, [])) for name in LISTS}
    templates = _strings(value.get("templates", []))
    undo = value.get("undo", [])
    if templates is None or None in lists.values() or not (undo is None or _is_undo(undo)):
        return None
    added = {name: found for name, found in lists.items() if found}
    return Injection(value["revision"], templates, added, None if undo is None else tuple(undo))


def _strings(value: object) -> tuple[str, ...] | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _is_undo(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(step, list)
        and (step[1:] == ["remove"] or (len(step) == 3 and step[1] == "restore"))
        and bool(_strings(step[0]))
        for step in value
    )


def is_intact(pod: Pod, injection: Injection) -> bool:
    """Tell whether everything that an injection added is still in the Pod."""
    return all(set(added) <= set(names(pod, name)) for name, added in injection.added.items())


# --- writing


def with_status(before: Pod, after: Pod, config: str, revision: str, templates: Sequence[str]) -> Pod:
    """Return `after` with an entry that tells how it came of `before`."""
    undo: list[Step] = []
    _undo_map((), part_of(before), part_of(after), POD, undo)
    undo.sort(key=lambda step: cast("list[str]", step[0]))
    added = {name: [item for item in names(after, name) if item not in set(names(before, name))] for name in LISTS}
    entry: dict[str, object] = {"revision": revision, "templates": list(templates)}
    entry |= {name: items for name, items in added.items() if items}
    entry["undo"] = undo if len(json.dumps(undo)) <= UNDO_LIMIT else None
    document = _other_entries(after, config) | {config: entry}
    return with_annotation(after, STATUS, json.dumps(document, sort_keys=True, separators=(",", ":")))


def part_of(pod: Pod) -> Mapping[str, object]:
    """Return the part of a Pod that injection changes."""
    return {"metadata": part(pod, "metadata"), "spec": part(pod, "spec")}


def _other_entries(pod: Pod, config: str) -> dict[str, object]:
    try:
        document = json.loads(annotations(pod).get(STATUS, "{}"))
    except (ValueError, RecursionError):
        return {}
    return {name: entry for name, entry in document.items() if name != config} if isinstance(document, dict) else {}


def _undo_map(
    path: Path, before: Mapping[str, object], after: Mapping[str, object], schema: Type, undo: list[Step]
) -> None:
    for key, value in before.items():
        if key not in after:
            undo.append([[*path, key], "restore", value])
    for key, value in after.items():
        if value is not before.get(key):
            _undo_value((*path, key), before.get(key), value, schema.field(key), undo)


def _undo_value(path: Path, before: object, after: object, kind: Field, undo: list[Step]) -> None:
    old_map, new_map = isinstance(before, Mapping), isinstance(after, Mapping)
    if new_map and (old_map or (before is None and kind.shape is Shape.MAP)):
        _undo_map(
            path,
            cast("Mapping[str, object]", before or {}),
            cast("Mapping[str, object]", after),
            kind.type or NOTHING,
            undo,
        )
    elif isinstance(after, list) and kind.merge_key and (before is None or isinstance(before, list)):
        _undo_list(path, before or [], after, kind, undo)
    elif before is None:
        undo.append([[*path], "remove"])
    elif not same(before, after):
        undo.append([[*path], "restore", before])


def _undo_list(path: Path, before: list[object], after: list[object], kind: Field, undo: list[Step]) -> None:
    old, new = _by_key(before, kind), _by_key(after, kind)
    if old is None or new is None or [key for key in new if key in old] != list(old):
        undo.append([[*path], "restore", before])
        return
    for key, item in new.items():
        if key not in old:
            undo.append([[*path, key], "remove"])
        elif item is not old[key]:
            _undo_value((*path, key), old[key], item, Field(Shape.ONE, kind.scalar, kind.type_name), undo)


def _by_key(items: Sequence[object], kind: Field) -> dict[str, object] | None:
    """Return the items by their keys as text, or None if the keys do not tell them apart."""
    keyed: dict[str, object] = {}
    for item in items:
        if isinstance(item, Mapping) and kind.merge_key in item:
            keyed[str(item[kind.merge_key])] = item
    return keyed if len(keyed) == len(items) else None


# --- taking out


def without_injection(pod: Pod, config: str) -> Pod:
    """Return the Pod as it was before this config injected it; the Pod itself if it did not.

    Raises InjectionError if the injection was too large to be recorded.
    """
    injection = read_status(pod).get(config)
    if injection is None:
        return pod
    if injection.undo is None:
        raise InjectionError(
            f"the Pod was injected by revision {injection.revision} of {config}, and too much of it was changed to "
            f"take that out again; start from the Pod as it was, without the annotation {STATUS}"
        )
    tree = part_of(pod)
    for step in injection.undo:
        tree = _undo_step(tree, cast("Sequence[str]", step[0]), step[2:], POD)
    return _with_rest(pod, _checked(tree, config), config)


def _checked(tree: Mapping[str, object], config: str) -> Mapping[str, object]:
    """Return the tree if it is a Pod's: the annotation came in with the Pod, and anybody may have written it."""
    try:
        check_pod(tree)
    except ReviewError as error:
        raise InjectionError(
            f"metadata.annotations[{STATUS}]: what it says of {config} does not lead back to a Pod ({error}); "
            "remove the annotation, and the containers that were injected"
        ) from None
    return tree


def _with_rest(pod: Pod, tree: Mapping[str, object], config: str) -> Pod:
    stripped: Pod = {**pod, **tree}
    rest = _other_entries(pod, config)
    if rest:
        return with_annotation(stripped, STATUS, json.dumps(rest, sort_keys=True, separators=(",", ":")))
    remaining = {key: value for key, value in annotations(stripped).items() if key != STATUS}
    metadata = {key: value for key, value in part(stripped, "metadata").items() if key != "annotations"}
    return {**stripped, "metadata": {**metadata, "annotations": remaining} if remaining else metadata}


def _undo_step(tree: Mapping[str, object], keys: Sequence[str], value: Step, schema: Type) -> Mapping[str, object]:
    key, rest = keys[0], keys[1:]
    if not rest:
        return {**tree, key: value[0]} if value else {name: item for name, item in tree.items() if name != key}
    inner, kind = tree.get(key), schema.field(key)
    if isinstance(inner, list):
        changed: object = _undo_in_list(inner, rest, value, kind)
    elif isinstance(inner, Mapping):
        changed = _undo_step(inner, rest, value, kind.type or NOTHING)
    elif value:
        changed = _undo_step({}, rest, value, kind.type or NOTHING)
    else:
        return tree
    if changed or not isinstance(changed, list | Mapping):
        return {**tree, key: changed}
    return {name: item for name, item in tree.items() if name != key}


def _undo_in_list(items: list[object], keys: Sequence[str], value: Step, kind: Field) -> list[object]:
    def is_it(item: object) -> bool:
        return isinstance(item, Mapping) and str(item.get(kind.merge_key or "")) == keys[0]

    if len(keys) == 1:
        return (
            [item for item in items if not is_it(item)] if not value else [value[0] if is_it(i) else i for i in items]
        )
    schema = kind.type or NOTHING
    return [
        _undo_step(cast("Mapping[str, object]", item), keys[1:], value, schema) if is_it(item) else item
        for item in items
    ]
