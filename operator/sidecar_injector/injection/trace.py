"""From a field of an injected Pod back to the template that put it there.

Keys name a field independently of where in its list an item stands: `("spec", "initContainers", "proxy", "ports",
"8080", "hostPort")`, which messages write as `spec.initContainers[proxy].ports[8080].hostPort`.
"""

import re
from collections.abc import Mapping, Sequence

from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import CONTAINER_LISTS, NOTHING, OVERLAY, SIDECARS, UNKNOWN, Field, Type
from sidecar_injector.injection.view import Pod

Keys = tuple[str, ...]
Path = tuple[str | int, ...]

_TOKEN = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_SAYS_NOTHING = 2
"""Keys that are no trace yet: `spec`, `spec.containers`, `metadata.labels`."""


def keys_of(path: Path, pod: Pod) -> Keys:
    """Return the keys of a path into a Pod: list indices become merge keys, where their list has some."""
    keys: list[str] = []
    value: object = pod
    field, schema = UNKNOWN, OVERLAY
    for key in path:
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and key < len(value) else None
            name = _member(value, field.merge_key) if field.merge_key else None
            keys.append(str(key if name is None else name))
        else:
            value = _member(value, key)
            keys.append(key)
            field, schema = _next(schema, key)
    return tuple(keys)


def parse(text: str) -> Keys:
    """Return the keys that a message writes as text."""
    return tuple(bracketed or plain for bracketed, plain in _TOKEN.findall(text))


def dotted(path: Path, pod: Pod) -> str:
    """Return a path into a Pod as messages write it."""
    written = zip(path, keys_of(path, pod), strict=True)
    return "".join(f"[{key}]" if isinstance(step, int) else f".{key}" for step, key in written).removeprefix(".")


def trace(keys: Keys, overlays: Sequence[Overlay]) -> tuple[Overlay, Path] | None:
    """Return the overlay that has most of this field, and where it has it; None if none has any of it.

    Of those that have as much it is the last, for it was merged last.
    """
    best: tuple[Overlay, Path] | None = None
    for overlay in overlays:
        for variant in _variants(keys):
            found = _follow(variant, overlay.tree)
            if len(found) > min(_SAYS_NOTHING, len(keys) - 1) and (best is None or len(found) >= len(best[1])):
                best = overlay, found
    return best


def _variants(keys: Keys) -> list[Keys]:
    """Return the keys as a template may have them: a container may stand in another list there."""
    if len(keys) > 1 and keys[0] == "spec" and keys[1] in CONTAINER_LISTS:
        return [("spec", field, *keys[2:]) for field in (*CONTAINER_LISTS, SIDECARS)]
    return [keys]


def _follow(keys: Keys, tree: Mapping[str, object]) -> Path:
    found: Path = ()
    value: object = tree
    field, schema = UNKNOWN, OVERLAY
    for key in keys:
        step: str | int | None = key
        if isinstance(value, list):
            step = _index(value, key, field.merge_key or "")
            value = None if step is None else value[step]
        else:
            step, value = (key, value[key]) if isinstance(value, Mapping) and key in value else (None, None)
            field, schema = _next(schema, key)
        if step is None:
            break
        found = (*found, step)
    return found


def _index(items: list[object], key: str, merge_key: str) -> int | None:
    for index, item in enumerate(items):
        if merge_key and str(_member(item, merge_key)) == key:
            return index
    return int(key) if key.isdecimal() and int(key) < len(items) else None


def _next(schema: Type, key: str) -> tuple[Field, Type]:
    field = schema.field(key)
    return field, field.type or NOTHING


def _member(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, Mapping) else None
