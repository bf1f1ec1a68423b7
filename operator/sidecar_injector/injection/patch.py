"""The JSON Patch (RFC 6902) that turns the Pod that came in into the Pod that goes out.

Built from knowledge, not by a positional diff: items of a list are told apart by their merge key, so a container that
moves to the front is one operation and never a rewrite of those behind it. Parts that both Pods share are skipped.
"""

from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from sidecar_injector.injection.schema import NOTHING, POD, Field, Shape, Type

Operation = dict[str, object]
Identity = tuple[object, int]

_Item = TypeVar("_Item", bound=Hashable)


def build_patch(before: Mapping[str, object], after: Mapping[str, object]) -> list[Operation]:
    """Return the operations, in order, that make `after` of `before`; none if they are the same."""
    operations: list[Operation] = []
    _map("", before, after, POD, operations)
    return operations


def pointer(*keys: object) -> str:
    """Return an RFC 6901 pointer to the value under these keys and indices."""
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in keys)


def same(left: object, right: object) -> bool:
    """Tell whether two JSON values are equal; unlike in Python, true is not 1."""
    if left is right:
        return True
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def _map(
    path: str, before: Mapping[str, object], after: Mapping[str, object], schema: Type, out: list[Operation]
) -> None:
    out.extend({"op": "remove", "path": path + pointer(key)} for key in before if key not in after)
    for key, value in after.items():
        if key not in before:
            out.append({"op": "add", "path": path + pointer(key), "value": value})
        elif before[key] is not value:
            _value(path + pointer(key), before[key], value, schema.field(key), out)


def _value(path: str, before: object, after: object, field: Field, out: list[Operation]) -> None:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        _map(path, before, after, field.type or NOTHING, out)
    elif isinstance(before, list) and isinstance(after, list) and field.merge_key is not None:
        _keyed_list(path, before, after, field, out)
    elif isinstance(before, list) and isinstance(after, list):
        _plain_list(path, before, after, out)
    elif not same(before, after):
        out.append({"op": "replace", "path": path, "value": after})


def _plain_list(path: str, before: list[object], after: list[object], out: list[Operation]) -> None:
    """Edit between the common ends where that is one operation, else replace the list."""
    shorter = min(len(before), len(after))
    head = next((i for i in range(shorter) if not same(before[i], after[i])), shorter)
    tail = next((i for i in range(shorter - head) if not same(before[-1 - i], after[-1 - i])), shorter - head)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if not old and not new:
        return
    if before and after and len(old) <= 1 and len(new) <= 1:
        at = path + pointer(head if head < len(before) else "-")
        operation = "replace" if old and new else "add" if new else "remove"
        out.append(
            {"op": operation, "path": at} if operation == "remove" else {"op": operation, "path": at, "value": new[0]}
        )
    else:
        out.append({"op": "replace", "path": path, "value": after})


# --- lists whose items have a key


def _keyed_list(path: str, before: list[object], after: list[object], field: Field, out: list[Operation]) -> None:
    key = field.merge_key or ""
    old, new = _identities(before, key), _identities(after, key)
    index_in_old = {identity: index for index, identity in enumerate(old)}
    kept = set(new)
    gone = (index for index in reversed(range(len(old))) if old[index] not in kept)
    out.extend({"op": "remove", "path": path + pointer(index)} for index in gone)
    _arrange(path, [identity for identity in old if identity in kept], new, after, out)
    for index, (identity, item) in enumerate(zip(new, after, strict=True)):
        was = index_in_old.get(identity)
        if was is not None and before[was] is not item:
            _value(path + pointer(index), before[was], item, Field(Shape.ONE, field.scalar, field.type_name), out)


def _identities(items: Sequence[object], key: str) -> list[Identity]:
    """Name each item by its key, and by how many of the same key stand before it."""
    seen: dict[object, int] = {}
    identities: list[Identity] = []
    for item in items:
        value = item.get(key) if key and isinstance(item, Mapping) else item
        name = (type(value).__name__, value if isinstance(value, str | int) else repr(value))
        seen[name] = seen.get(name, 0) + 1
        identities.append((name, seen[name]))
    return identities


def _arrange(
    path: str, working: list[Identity], new: list[Identity], after: list[object], out: list[Operation]
) -> None:
    """Move what stands out of order, each once and behind its predecessor; then add what is missing."""
    present = set(working)
    settled = longest_in_order(working, new)
    predecessor: Identity | None = None
    for identity in new:
        if identity not in present:
            continue
        if identity not in settled:
            source = working.index(identity)
            del working[source]
            target = 0 if predecessor is None else working.index(predecessor) + 1
            working.insert(target, identity)
            out.append({"op": "move", "from": path + pointer(source), "path": path + pointer(target)})
        predecessor = identity
    for index, identity in enumerate(new):
        if identity not in present:
            at = index if index < len(working) else "-"
            out.append({"op": "add", "path": path + pointer(at), "value": after[index]})
            working.insert(index, identity)


def longest_in_order(working: Sequence[_Item], new: Sequence[_Item]) -> set[_Item]:
    """Return the longest increasing subsequence of `working` by its ranks in `new` (patience sorting)."""
    rank = {identity: index for index, identity in enumerate(new)}
    tops: list[int] = []
    piles: list[_Item] = []
    behind: dict[_Item, _Item | None] = {}
    for identity in working:
        at = bisect_left(tops, rank[identity])
        behind[identity] = piles[at - 1] if at else None
        tops[at : at + 1], piles[at : at + 1] = [rank[identity]], [identity]
    run: set[_Item] = set()
    last = piles[-1] if piles else None
    while last is not None:
        run.add(last)
        last = behind[last]
    return run
