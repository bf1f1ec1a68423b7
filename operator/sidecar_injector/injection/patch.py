"""What differs between two Pods, found in one walk and told twice: how to get there, and how to get back.

The way there is a JSON Patch (RFC 6902). It is built from knowledge, not by a positional diff: items of a list are told
apart by their merge key, so a container that moves to the front is one operation and never a rewrite of those behind
it. The way back is an undo, the tree that `status` describes. Parts that both Pods share are skipped.
"""

from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, filterfalse, repeat
from operator import is_not
from typing import Any, NamedTuple, TypeVar

from sidecar_injector.injection.schema import MAP, NOTHING, POD, SCALARS, UNKNOWN, Field, Shape, Type
from sidecar_injector.injection.view import Pod, part

Operation = dict[str, object]
Identity = Hashable
Tree = dict[str, object]
_ABSENT: Any = object()
REMOVE = "-"
"""The leaf of an undo for what is to be removed."""
MISSING = ""
"""The key, in a list's node of an undo, of the items that are missing from it."""

_Item = TypeVar("_Item", bound=Hashable)


class Part(NamedTuple):
    """A part of a Pod then and now, and the operations that make one of the other."""

    before: Mapping[str, object]
    after: Mapping[str, object]
    operations: Sequence[Operation]


class Changes(NamedTuple):
    """What was done to a Pod.

    undo  -- what it takes to get back its metadata and its spec
    parts -- these two
    """

    undo: Tree
    parts: Mapping[str, Part]

    def operations(self, key: str, before: object, after: object) -> Sequence[Operation] | None:
        """Return the operations on a part of the Pod, if they are those of this very part, or follow from them."""
        known = self.parts.get(key)
        if known is None or before is not known.before:
            return None
        if after is known.after:
            return known.operations
        return _with_annotation(known, after) if key == "metadata" and isinstance(after, dict) else None


def changes(before: Pod, after: Pod) -> Changes:
    """Return what was done to `before`, in its metadata and its spec, where it became `after`."""
    undo: Tree = {}
    parts: dict[str, Part] = {}
    for key, field in POD.fields.items():
        was, now = part(before, key), part(after, key)
        operations: list[Operation] = []
        node = _map(f"/{key}", was, now, field.type or NOTHING, operations)
        if node:
            undo[key] = node
        parts[key] = Part(was, now, operations)
    return Changes(undo, parts)


def build_patch(
    before: Mapping[str, object], after: Mapping[str, object], known: Changes | None = None
) -> list[Operation]:
    """Return the operations, in order, that make `after` of `before`; none if they are the same.

    known -- changes that may have been found already; they are of use where the Pods have the very same parts
    """
    out: list[Operation] = [{"op": "remove", "path": _under("", key)} for key in _removed(before, after)]
    for key, now in after.items():
        was = before.get(key, _ABSENT)
        if was is now:
            continue
        if was is _ABSENT:
            out.append({"op": "add", "path": _under("", key), "value": now})
        elif known and (operations := known.operations(key, was, now)) is not None:
            out.extend(operations)
        else:
            _value(_under("", key), was, now, POD.field(key), out)
    return out


_ANNOTATIONS = "/metadata/annotations"


def _with_annotation(metadata: Part, now: Mapping[str, Any]) -> Sequence[Operation] | None:
    """Return the operations on metadata to which nothing was done since but that an annotation was added as the last.

    None if more was done, or if operations on something else come behind those on annotations.
    """
    if not metadata.operations or [*renewed(metadata.after, now)] != ["annotations"]:
        return None
    if now.keys() != metadata.after.keys():
        return None
    *others, last = metadata.operations
    notes: Mapping[str, object] = now["annotations"]
    if last["path"] == _ANNOTATIONS:
        return [*others, {**last, "value": notes}]
    was, known = part(metadata.before, "annotations"), part(metadata.after, "annotations")
    added = [*notes][len(known) :]
    if not str(last["path"]).startswith(f"{_ANNOTATIONS}/") or len(added) != 1 or [*renewed(known, notes)] != added:
        return None
    key = added[0]
    if key in was:
        return None
    return [*metadata.operations, {"op": "add", "path": _under(_ANNOTATIONS, key), "value": notes[key]}]


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
    if isinstance(left, MAP) and isinstance(right, MAP):
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
    fields, first, new = schema.fields, len(out), 0
    for key, value in after.items():
        was = before.get(key, _ABSENT)
        if was is value:
            continue
        field = fields.get(key)
        # The names of fields have nothing in them that a pointer escapes.
        at = _under(path, key) if field is None else f"{path}/{key}"
        if was is _ABSENT:
            new += 1
            out.append({"op": "add", "path": at, "value": value})
            node = _undo_of_new(value, field or UNKNOWN)
        else:
            node = _value(at, was, value, field or UNKNOWN, out)
        if node is not None:
            undo[key] = node
    if len(after) - new < len(before):  # something is gone, which comes first
        gone = list(_removed(before, after))
        out[first:first] = [{"op": "remove", "path": _under(path, key)} for key in gone]
        nodes = {key: _undo_of_removal(before[key], fields.get(key, UNKNOWN)) for key in gone}
        undo |= {key: node for key, node in nodes.items() if node is not None}
    return dict(sorted(undo.items())) if len(undo) > 1 else undo


def _value(path: str, before: object, after: object, field: Field, out: list[Operation]) -> object:
    if type(before) in SCALARS or type(after) in SCALARS:
        if type(before) is type(after) and before == after:
            return None
    elif isinstance(before, MAP) and isinstance(after, MAP):
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
    if field.shape is Shape.MAP and isinstance(after, MAP):
        return dict.fromkeys(sorted(after), REMOVE) or None  # all maps of a Pod are of scalars
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


_Identified = Mapping[Identity, object]
"""The items of a list by what tells them apart, in the list's order."""


def _keyed_list(
    path: str, before: list[object], after: list[object], key: str, item: Field, out: list[Operation]
) -> object:
    old, new = _by_key(before, key), _by_key(after, key)
    if old is not None and new is not None and _are_of_one_type(chain(old, new)):
        return _items(path, old, new, item, out) or None
    _items(path, _by_identity(before, key), _by_identity(after, key), item, out)
    was, now = _texts(before, key), _texts(after, key)
    if was is None or now is None:
        return None if same(before, after) else [before]
    old, new = dict(zip(was, before, strict=True)), dict(zip(now, after, strict=True))
    return _items(path, old, new, item, []) or None


def _by_key(items: list[Any], key: str) -> _Identified | None:
    """Return a list's items by their keys, None if those do not tell them apart."""
    try:
        found = {item[key]: item for item in items}
    except (KeyError, TypeError):  # an item without the key, or that is no map
        return None
    return found if len(found) == len(items) else None


def _are_of_one_type(keys: Iterable[Identity]) -> bool:
    """Tell whether keys are told apart both in a patch, in which 1 and "1" are two, and in an undo, which has texts."""
    types = set(map(type, keys))
    return types <= _TEXTS or types <= _NUMBERS


_TEXTS = frozenset((str,))
_NUMBERS = frozenset((int,))


def _by_identity(items: Sequence[object], key: str) -> _Identified:
    """Return a list's items by their keys, and by how many of the same key stand before each."""
    seen: dict[object, int] = {}
    found: dict[Identity, object] = {}
    for item in items:
        value = item.get(key) if key and isinstance(item, Mapping) else item
        name = (type(value).__name__, value if isinstance(value, str | int) else repr(value))
        seen[name] = seen.get(name, 0) + 1
        found[name, seen[name]] = item
    return found


def _texts(items: list[Any], key: str) -> list[str] | None:
    """Return the items' keys as text, or None if that does not tell them apart."""
    try:
        texts = [str(item[key]) for item in items]
    except (KeyError, TypeError):
        return None
    return texts if key and len(set(texts)) == len(texts) else None


def _items(path: str, earlier: _Identified, later: _Identified, item: Field, out: list[Operation]) -> Tree:
    """Remove what is gone, move what stands out of order, add what is missing; then edit the items that stay."""
    kept = list(filter(earlier.__contains__, later))
    settled: Collection[Identity] = earlier
    undo: Tree = {}
    if kept != list(earlier):
        settled = _settle(path, _without_gone(path, earlier, later, out), kept, out)
        undo = {str(identity): REMOVE for identity in kept if identity not in settled}
        if len(settled) < len(earlier):
            undo[MISSING] = _missing(earlier, settled)
    if len(kept) < len(later):
        undo.update(_add(path, earlier, later, kept, out))
    order, at = list(later), 0
    for identity in kept:
        was, now = earlier[identity], later[identity]
        if was is now:
            continue
        at = order.index(identity, at)  # `kept` is in this order, too
        node = _value(f"{path}/{at}", was, now, item, out)
        if node is not None and identity in settled:
            undo[str(identity)] = node
    return dict(sorted(undo.items())) if len(undo) > 1 else undo


def _add(path: str, earlier: _Identified, later: _Identified, kept: Sequence[Identity], out: list[Operation]) -> Tree:
    """Add the items that are new, each where it stands in `later`; return their nodes."""
    undo: Tree = {}
    last = list(later).index(kept[-1]) if kept else -1
    for at, (identity, value) in enumerate(later.items()):
        if identity not in earlier:
            out.append({"op": "add", "path": f"{path}/{at if at < last else '-'}", "value": value})
            undo[str(identity)] = REMOVE
    return undo


def _without_gone(path: str, earlier: _Identified, later: _Identified, out: list[Operation]) -> list[Identity]:
    """Remove what is gone, from the end on; return what stays, in its order."""
    old = list(earlier)
    gone = [index for index in reversed(range(len(old))) if old[index] not in later]
    out.extend([{"op": "remove", "path": f"{path}/{index}"} for index in gone])
    return list(filter(later.__contains__, old))


def _missing(earlier: _Identified, settled: Collection[Identity]) -> list[object]:
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
