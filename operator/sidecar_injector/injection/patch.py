"""What differs between two Pods, found in one walk and told twice: how to get there, and how to get back.

The way there is a JSON Patch (RFC 6902). It is built from knowledge, not by a positional diff: items of a list are told
apart by their merge key, so a container that moves to the front is one operation and never a rewrite of those behind
it. The way back is an undo, the tree that `status` describes. Parts that both Pods share are skipped.
"""

from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, filterfalse, repeat
from operator import is_not, itemgetter
from typing import Any, TypeVar

from sidecar_injector.injection.schema import NOTHING, POD, SCALARS, UNKNOWN, Field, Shape, Type
from sidecar_injector.injection.view import Pod, part

Operation = dict[str, object]
Identity = Hashable
Tree = dict[str, object]
_ABSENT: Any = object()
_MAP = (dict, Mapping)
"""To ask whether a value is a dict is cheap; to ask of one that is none whether it is a Mapping is not."""

REMOVE = "-"
"""The leaf of an undo for what is to be removed."""
MISSING = ""
"""The key, in a list's node of an undo, of the items that are missing from it."""

_Item = TypeVar("_Item", bound=Hashable)


@dataclass(frozen=True)
class Changes:
    """What was done to a Pod.

    undo          -- what it takes to get back its metadata and its spec
    before, after -- its spec then and now
    in_spec       -- the operations that make one of the other
    """

    undo: Tree
    before: Mapping[str, object]
    after: Mapping[str, object]
    in_spec: Sequence[Operation]


def changes(before: Pod, after: Pod) -> Changes:
    """Return what was done to `before`, in its metadata and its spec, where it became `after`."""
    was, now = part(before, "spec"), part(after, "spec")
    in_spec: list[Operation] = []
    nodes = {
        "metadata": _value("/metadata", part(before, "metadata"), part(after, "metadata"), POD.field("metadata"), []),
        "spec": _value("/spec", was, now, POD.field("spec"), in_spec),
    }
    return Changes({key: node for key, node in nodes.items() if node is not None}, was, now, in_spec)


def build_patch(
    before: Mapping[str, object], after: Mapping[str, object], known: Changes | None = None
) -> list[Operation]:
    """Return the operations, in order, that make `after` of `before`; none if they are the same.

    known -- changes that may have been found already; they are of use where the specs are the very same objects
    """
    out: list[Operation] = [{"op": "remove", "path": _under("", key)} for key in _removed(before, after)]
    for key in renewed(before, after):
        was, now = before.get(key, _ABSENT), after[key]
        if key == "spec" and known is not None and was is known.before and now is known.after:
            out.extend(known.in_spec)
        else:
            _value(_under("", key), was, now, POD.field(key), out)
    return out


def _under(path: str, key: str) -> str:
    """Return an RFC 6901 pointer to what stands under a key of the map at `path`."""
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"


def same(left: object, right: object) -> bool:
    """Tell whether two JSON values are equal; unlike in Python, true is not 1."""
    if left is right:
        return True
    if type(left) in SCALARS:
        return type(left) is type(right) and left == right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, _MAP) and isinstance(right, _MAP):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    return type(left) is type(right) and left == right


def renewed(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    """Return the keys of `after` under which stands not the very object that stands there in `before`.

    Most parts of a Pod are the same, so no bytecode is spent on them.
    """
    return compress(after, map(is_not, map(before.get, after, repeat(_ABSENT)), after.values()))


def _removed(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    """Return the keys that only `before` has."""
    return filterfalse(after.__contains__, before)


# --- the walk: each step writes its operations to `out`, and returns its node of the undo, or None if it needs none


def _map(
    path: str, before: Mapping[str, object], after: Mapping[str, object], schema: Type, out: list[Operation]
) -> Tree:
    undo: Tree = {}
    fields = schema.fields
    for key in _removed(before, after):
        out.append({"op": "remove", "path": _under(path, key)})
        node = _undo_of_removal(before[key], fields.get(key, UNKNOWN))
        if node is not None:
            undo[key] = node
    for key in renewed(before, after):
        at = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"  # as `_under`; most pointers are made here
        node = _value(at, before.get(key, _ABSENT), after[key], fields.get(key, UNKNOWN), out)
        if node is not None:
            undo[key] = node
    return dict(sorted(undo.items())) if len(undo) > 1 else undo


def _value(path: str, before: object, after: object, field: Field, out: list[Operation]) -> object:
    if before is _ABSENT:
        out.append({"op": "add", "path": path, "value": after})
        return _undo_of_new(after, field)
    if type(before) in SCALARS or type(after) in SCALARS:
        if type(before) is type(after) and before == after:
            return None
    elif isinstance(before, _MAP) and isinstance(after, _MAP):
        return _map(path, before, after, field.type or NOTHING, out) or None
    elif isinstance(before, list) and isinstance(after, list):
        if field.merge_key is None:
            return _plain_list(path, before, after, out)
        return _keyed_list(path, before, after, field.merge_key, field.item, out)
    elif same(before, after):
        return None
    out.append({"op": "replace", "path": path, "value": after})
    return _undo_of_new(after, field) if before is None else [before]


def _undo_of_new(after: object, field: Field) -> object:
    """Return the node of a value that was not there, or was null; what others add to a map or a list will stay."""
    if type(after) in SCALARS:
        return REMOVE
    if field.merge_key and isinstance(after, list):
        texts = _texts(after, field.merge_key)
        return [[]] if texts is None else dict.fromkeys(sorted(texts), REMOVE) or None
    if field.shape is Shape.MAP and isinstance(after, _MAP):
        return _map("", {}, after, field.type or NOTHING, []) or None
    return REMOVE


def _undo_of_removal(before: object, field: Field) -> object:
    """Return the node of a value that is there no more; the items of a list come back beside what others add to it."""
    if field.merge_key and isinstance(before, list) and _texts(before, field.merge_key) is not None:
        return {MISSING: [[None, item] for item in before]} if before else None
    return [before]


def _plain_list(path: str, before: list[object], after: list[object], out: list[Operation]) -> object:
    """Edit between the common ends where that is one operation, else replace the list."""
    shorter = min(len(before), len(after))
    head = next((i for i in range(shorter) if not same(before[i], after[i])), shorter)
    tail = next((i for i in range(shorter - head) if not same(before[-1 - i], after[-1 - i])), shorter - head)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if not old and not new:
        return None
    if before and after and len(old) <= 1 and len(new) <= 1:
        at = f"{path}/{head if head < len(before) else '-'}"
        operation = "replace" if old and new else "add" if new else "remove"
        out.append(
            {"op": operation, "path": at} if operation == "remove" else {"op": operation, "path": at, "value": new[0]}
        )
    else:
        out.append({"op": "replace", "path": path, "value": after})
    return [before]


# --- lists whose items have a key


def _keyed_list(
    path: str, before: list[object], after: list[object], key: str, item: Field, out: list[Operation]
) -> object:
    told_apart = _names(before, after, key)
    if told_apart is not None:
        return _items(path, before, after, told_apart, item, out) or None
    _items(path, before, after, (_identities(before, key), _identities(after, key)), item, out)
    old, new = _texts(before, key), _texts(after, key)
    if old is None or new is None:
        return None if same(before, after) else [before]
    return _items(path, before, after, (old, new), item, []) or None


_Identities = tuple[Sequence[Identity], Sequence[Identity]]


def _names(before: list[Any], after: list[Any], key: str) -> _Identities | None:
    """Return the keys of both lists' items, or None if they do not tell them apart both in a patch and in an undo.

    In a patch, 1 and "1" are two keys; in an undo, which has keys as text, they are one.
    """
    name = itemgetter(key)
    try:
        old, new = list(map(name, before)), list(map(name, after))
    except (KeyError, TypeError):  # an item without the key, or that is no map
        return None
    types = set(map(type, chain(old, new)))
    plain = types <= _TEXTS or types <= _NUMBERS
    return (old, new) if plain and len(set(old)) == len(old) and len(set(new)) == len(new) else None


_TEXTS = frozenset((str,))
_NUMBERS = frozenset((int,))


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


def _texts(items: list[Any], key: str) -> list[str] | None:
    """Return the items' keys as text, or None if that does not tell them apart."""
    try:
        texts = [str(item[key]) for item in items]
    except (KeyError, TypeError):
        return None
    return texts if key and len(set(texts)) == len(texts) else None


def _items(
    path: str, before: list[object], after: list[object], told_apart: _Identities, item: Field, out: list[Operation]
) -> Tree:
    """Remove what is gone, move what stands out of order, add what is missing; then edit the items that stay."""
    old, new = told_apart
    earlier = dict(zip(old, before, strict=True))
    kept = earlier.keys() & new
    staying: Sequence[Identity] = old
    if len(kept) < len(old):
        gone = [index for index in reversed(range(len(old))) if old[index] not in kept]
        out.extend([{"op": "remove", "path": f"{path}/{index}"} for index in gone])
        staying = [identity for identity in old if identity in kept]
    settled = _settle(path, staying, [identity for identity in new if identity in kept], out)
    undo: Tree = {MISSING: _missing(earlier, settled)} if len(settled) < len(old) else {}
    for identity in kept - settled:
        undo[str(identity)] = REMOVE
    length = len(staying)
    for index, identity in enumerate(new):
        if identity not in kept:
            out.append({"op": "add", "path": f"{path}/{index if index < length else '-'}", "value": after[index]})
            length += 1
            undo[str(identity)] = REMOVE
    for index, identity in enumerate(new if kept else ()):
        if identity in kept and earlier[identity] is not after[index]:
            node = _value(f"{path}/{index}", earlier[identity], after[index], item, out)
            if node is not None and identity in settled:
                undo[str(identity)] = node
    return dict(sorted(undo.items())) if len(undo) > 1 else undo


def _missing(earlier: Mapping[Identity, object], settled: Collection[Identity]) -> list[object]:
    """Return the items that have not stayed, each with the key of the nearest one in front that has."""
    missing: list[object] = []
    in_front: str | None = None
    for identity, item in earlier.items():
        if identity in settled:
            in_front = str(identity)
        else:
            missing.append([in_front, item])
    return missing


def _settle(path: str, working: Sequence[Identity], wanted: Sequence[Identity], out: list[Operation]) -> set[Identity]:
    """Move what stands out of order, each once and behind its predecessor; return what need not be moved."""
    settled = _longest_in_order(working, wanted)
    if len(settled) == len(wanted):
        return settled
    order = list(working)
    predecessor: Identity | None = None
    for identity in wanted:
        if identity not in settled:
            source = order.index(identity)
            del order[source]
            target = 0 if predecessor is None else order.index(predecessor) + 1
            order.insert(target, identity)
            out.append({"op": "move", "from": f"{path}/{source}", "path": f"{path}/{target}"})
        predecessor = identity
    return settled


def _longest_in_order(working: Sequence[_Item], wanted: Sequence[_Item]) -> set[_Item]:
    """Return the longest subsequence of `working` that is in the order of `wanted`, which has the same items.

    The algorithm is patience sorting.
    """
    if working == wanted:
        return set(working)
    rank = {identity: index for index, identity in enumerate(wanted)}
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
