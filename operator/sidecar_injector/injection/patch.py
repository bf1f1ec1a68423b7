"""The JSON Patch (RFC 6902) that turns the Pod that came in into the Pod that goes out.

Built from knowledge, not by a positional diff: items of a list are told apart by their merge key, so a container that
moves to the front is one operation and never a rewrite of those behind it. Parts that both Pods share are skipped.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import compress, filterfalse, repeat
from operator import is_not
from typing import TypeVar, cast

from sidecar_injector.injection.schema import NOTHING, POD, SCALARS, Field, Type

Operation = dict[str, object]
Identity = Hashable
_ABSENT = object()

_Item = TypeVar("_Item", bound=Hashable)


def build_patch(before: Mapping[str, object], after: Mapping[str, object]) -> list[Operation]:
    """Return the operations, in order, that make `after` of `before`; none if they are the same."""
    operations: list[Operation] = []
    _map("", before, after, POD, operations)
    return operations


def _under(path: str, key: str) -> str:
    """Return an RFC 6901 pointer to what stands under a key of the map at `path`."""
    if "~" in key or "/" in key:
        key = key.replace("~", "~0").replace("/", "~1")
    return f"{path}/{key}"


def same(left: object, right: object) -> bool:
    """Tell whether two JSON values are equal; unlike in Python, true is not 1."""
    if left is right:
        return True
    if type(left) in SCALARS:
        return type(left) is type(right) and left == right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, (dict, Mapping)) and isinstance(right, (dict, Mapping)):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    return type(left) is type(right) and left == right


def renewed(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    """Yield the keys of `after` under which stands not the very object that stands there in `before`.

    Most parts of a Pod are the same, so no bytecode is spent on them.
    """
    earlier = map(before.get, after, repeat(_ABSENT))
    return compress(after, map(is_not, earlier, after.values()))


def removed(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    """Yield the keys that only `before` has."""
    return filterfalse(after.__contains__, before)


def _map(
    path: str, before: Mapping[str, object], after: Mapping[str, object], schema: Type, out: list[Operation]
) -> None:
    out.extend([{"op": "remove", "path": _under(path, key)} for key in removed(before, after)])
    for key in renewed(before, after):
        if key in before:
            _value(_under(path, key), before[key], after[key], schema.field(key), out)
        else:
            out.append({"op": "add", "path": _under(path, key), "value": after[key]})


def _value(path: str, before: object, after: object, field: Field, out: list[Operation]) -> None:
    if type(before) in SCALARS or type(after) in SCALARS:
        if type(before) is not type(after) or before != after:
            out.append({"op": "replace", "path": path, "value": after})
    elif isinstance(before, list) and isinstance(after, list):
        if field.merge_key is None:
            _plain_list(path, before, after, out)
        else:
            _keyed_list(path, before, after, field, out)
    elif isinstance(before, (dict, Mapping)) and isinstance(after, (dict, Mapping)):
        _map(path, before, after, field.type or NOTHING, out)
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
        at = f"{path}/{head if head < len(before) else '-'}"
        operation = "replace" if old and new else "add" if new else "remove"
        out.append(
            {"op": operation, "path": at} if operation == "remove" else {"op": operation, "path": at, "value": new[0]}
        )
    else:
        out.append({"op": "replace", "path": path, "value": after})


# --- lists whose items have a key


def _keyed_list(path: str, before: list[object], after: list[object], field: Field, out: list[Operation]) -> None:
    old, new = _told_apart(before, after, field.merge_key or "")
    kept = set(new)
    gone = [index for index in reversed(range(len(old))) if old[index] not in kept]
    out.extend([{"op": "remove", "path": f"{path}/{index}"} for index in gone])
    _arrange(path, [identity for identity in old if identity in kept] if gone else old, new, after, out)
    items = dict(zip(old, before, strict=True))
    for index, identity in enumerate(new):
        was = items.get(identity, _ABSENT)
        if was is not after[index] and was is not _ABSENT:
            _value(f"{path}/{index}", was, after[index], field.item, out)


def _told_apart(before: Sequence[object], after: Sequence[object], key: str) -> tuple[list[Identity], list[Identity]]:
    """Name the items of both lists: by their keys alone where that is enough."""
    old, new = _names(before, key), _names(after, key)
    if old is None or new is None:
        return _identities(before, key), _identities(after, key)
    return old, new


def _names(items: Sequence[object], key: str) -> list[Identity] | None:
    """Return the items' keys, or None if two are the same, or are to Python: true is 1 to it."""
    values = [item.get(key) if isinstance(item, dict) else item for item in items] if key else list(items)
    plain = _NAMES.issuperset(map(type, values)) and len(set(values)) == len(values)
    return cast("list[Identity]", values) if plain else None


_NAMES = frozenset((str, int))


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
    staying = [identity for identity in new if identity in present]
    if staying != working:
        _move(path, list(working), staying, out)
    length = len(working)
    for index, identity in enumerate(new):
        if identity not in present:
            at = index if index < length else "-"
            out.append({"op": "add", "path": f"{path}/{at}", "value": after[index]})
            length += 1


def _move(path: str, working: list[Identity], wanted: list[Identity], out: list[Operation]) -> None:
    settled = longest_in_order(working, wanted)
    predecessor: Identity | None = None
    for identity in wanted:
        if identity not in settled:
            source = working.index(identity)
            del working[source]
            target = 0 if predecessor is None else working.index(predecessor) + 1
            working.insert(target, identity)
            out.append({"op": "move", "from": f"{path}/{source}", "path": f"{path}/{target}"})
        predecessor = identity


def longest_in_order(working: Sequence[_Item], new: Sequence[_Item]) -> set[_Item]:
    """Return the longest increasing subsequence of `working` by its ranks in `new` (patience sorting)."""
    settled = set(working)
    if [identity for identity in new if identity in settled] == list(working):
        return settled
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
