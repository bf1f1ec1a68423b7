"""Kubernetes' strategic merge patch for Pods: maps merge, keyed lists merge by key, everything else is replaced.

Nothing that goes in is changed; what comes out shares every part that the patch did not touch. The rules, the order of
merged lists included, are apimachinery's (`pkg/util/strategicpatch`, the merge that a server and `kubectl patch` do,
documented in https://github.com/kubernetes/community sig-api-machinery/strategic-merge-patch.md), and are checked
against `kubectl patch --local` in the tests.
"""

from collections.abc import Iterable, Mapping, Sequence

from sidecar_injector.errors import MergeError
from sidecar_injector.injection.schema import NOTHING, POD, Field, Type
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap

Tree = Mapping[str, object]

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
ELEMENT_ORDER = "$setElementOrder/"
DELETE_FROM_LIST = "$deleteFromPrimitiveList/"


def strategic_merge(live: Tree, patch: Tree, schema: Type = POD, path: str = "") -> dict[str, object]:
    """Return `live` with `patch` merged over it.

    `schema` is the type of both (a Pod unless told otherwise); `path` is where they stand, for messages. Raises
    MergeError for a patch that Kubernetes would refuse: an unknown directive, or an item without its merge key.
    """
    directive = patch.get(DIRECTIVE)
    if directive is not None:
        return _whole_map(directive, patch, path)
    result = dict(live)
    _retain(result, patch, path)
    ordered = _merge_ordered_lists(result, patch, schema, path)
    for key in _deletions_first(patch):
        if key == RETAIN_KEYS or key in ordered:
            continue
        if key.startswith(DELETE_FROM_LIST):
            _delete_scalars(result, key.removeprefix(DELETE_FROM_LIST), patch[key], _join(path, key))
        elif patch[key] is None:
            result.pop(key, None)
        elif key in result or not _directed(patch[key]):
            result[key] = _merge_value(result.get(key), patch[key], schema.field(key), _join(path, key))
    return result


def _whole_map(directive: object, patch: Tree, path: str) -> dict[str, object]:
    if directive == "replace":
        return _cleaned({key: value for key, value in patch.items() if key != DIRECTIVE})
    if directive == "delete":
        return {}
    raise MergeError(_join(path, DIRECTIVE), f"unknown directive {directive!r}; allowed on a map: replace, delete")


def _cleaned(patch: Tree) -> dict[str, object]:
    return {key: without_directives(value, drop_directed=False) for key, value in patch.items() if value is not None}


def _retain(result: dict[str, object], patch: Tree, path: str) -> None:
    keep = patch.get(RETAIN_KEYS)
    if keep is None:
        return
    if not isinstance(keep, Sequence) or isinstance(keep, str):
        raise MergeError(_join(path, RETAIN_KEYS), "must be a list of field names")
    strangers = [key for key in patch if key != RETAIN_KEYS and key not in keep]
    if strangers:
        raise MergeError(_join(path, RETAIN_KEYS), f"does not list {strangers[0]!r}, which the patch sets")
    for key in [key for key in result if key not in keep]:
        del result[key]


def _deletions_first(patch: Tree) -> Iterable[str]:
    return sorted(patch, key=lambda key: not key.startswith(DELETE_FROM_LIST))


def _merge_value(live: object, patch: object, field: Field, path: str) -> object:
    if isinstance(patch, Mapping):
        if isinstance(live, Mapping):
            return strategic_merge(live, patch, field.type or NOTHING, path)
        return without_directives(patch)
    if isinstance(patch, list):
        if isinstance(live, list) and field.merge_key is not None:
            return _merge_list(live, patch, field, path)
        return without_directives(patch, drop_directed=not isinstance(live, list))
    return patch


def without_directives(value: object, *, drop_directed: bool = True) -> object:
    """Return a patch's value as it stands where nothing was before: without directives, and without nulls in maps.

    As in Kubernetes, a map that carries a `$patch` has nothing to act on there and is dropped whole; `drop_directed`
    is off for a new item of a merged list, where only the directive goes.
    """
    if type(value) in _SCALARS:
        return value
    if not isinstance(value, SharedMap | SharedList):
        return _without_directives(value, drop_directed)
    if value.plain:
        return value
    found = _without_directives(value, drop_directed)
    value.plain = found is value
    return found


_SCALARS = frozenset((str, int, bool, float, type(None)))


def _without_directives(value: object, drop_directed: bool) -> object:
    if isinstance(value, Mapping):
        kept = {
            key: item if type(item) in _SCALARS else without_directives(item, drop_directed=drop_directed)
            for key, item in value.items()
            if item is not None and not _is_directive(key) and not (drop_directed and _directed(item))
        }
        unchanged = len(kept) == len(value) and all(kept[key] is item for key, item in value.items())
        return value if unchanged and isinstance(value, dict) else kept  # a view of labels is no JSON
    if isinstance(value, list):
        items = [
            item if type(item) in _SCALARS else without_directives(item, drop_directed=drop_directed)
            for item in value
            if not (drop_directed and _directed(item))
        ]
        unchanged = len(items) == len(value) and all(new is old for new, old in zip(items, value, strict=True))
        return value if unchanged else items
    return value


def _is_directive(key: str) -> bool:
    return key.startswith("$") and (
        key in (DIRECTIVE, RETAIN_KEYS) or key.startswith((ELEMENT_ORDER, DELETE_FROM_LIST))
    )


def _directed(value: object) -> bool:
    return type(value) not in _SCALARS and isinstance(value, Mapping) and DIRECTIVE in value


# --- lists


def _merge_list(live: list[object], patch: list[object], field: Field, path: str) -> list[object]:
    if not live and not patch:
        return live
    if not field.merge_key:
        merged = list(dict.fromkeys([*live, *patch]))
        return _ordered(merged, live, patch, "")
    live, patch = _apply_item_directives(live, patch, field.merge_key, path)
    merged = _merge_items(live, patch, field, path)
    return _ordered(merged, live, patch, field.merge_key)


def _apply_item_directives(
    live: list[object], patch: list[object], key: str, path: str
) -> tuple[list[object], list[object]]:
    plain: list[object] = []
    replace = False
    for index, item in enumerate(patch):
        directive = item.get(DIRECTIVE) if isinstance(item, Mapping) else None
        if directive is None:
            plain.append(item)
        elif directive == "replace":
            replace = True
        elif directive == "delete":
            value = _item_key(item, key, f"{path}[{index}]")
            live = [item for item in live if _key_of(item, key) != value]
        else:
            raise MergeError(
                f"{path}[{index}]", f"unknown directive {directive!r}; allowed on an item: replace, delete"
            )
    return (plain, []) if replace else (live, plain)


def _merge_items(live: list[object], patch: list[object], field: Field, path: str) -> list[object]:
    key = field.merge_key or ""
    result = list(live)
    positions: dict[object, int] = {}
    for index, item in enumerate(live):
        positions.setdefault(_hashable(_key_of(item, key)), index)
    for index, item in enumerate(patch):
        value = _item_key(item, key, f"{path}[{index}]")
        at = positions.get(_hashable(value))
        if at is None:
            positions[_hashable(value)] = len(result)
            result.append(without_directives(item, drop_directed=False))
        else:
            result[at] = strategic_merge(_map(result[at]), _map(item), field.type or NOTHING, f"{path}[{value}]")
    return result


def _item_key(item: object, key: str, path: str) -> object:
    value = _key_of(item, key)
    if value is _ABSENT:
        raise MergeError(path, f"an item of this list needs {key!r}: it is what tells the list's items apart")
    return value


_ABSENT = object()


def _key_of(item: object, key: str) -> object:
    if not key:
        return item
    return item.get(key, _ABSENT) if isinstance(item, Mapping) else _ABSENT


def _hashable(value: object) -> object:
    return repr(value) if isinstance(value, (Mapping, list)) else value


def _map(value: object) -> Tree:
    return value if isinstance(value, Mapping) else {}


def _ordered(merged: list[object], live: list[object], order: list[object], key: str) -> list[object]:
    """Order a merged list: items that `order` names as it says, the others as they stood in `live`.

    The two runs are zipped: an item of the second goes first only where the item of the first that is next also stood
    in `live`, and behind it.
    """
    rank = _ranks(order, key)
    stood = _ranks(live, key)
    named = [item for item in merged if _hashable(_key_of(item, key)) in rank]
    others = [item for item in merged if _hashable(_key_of(item, key)) not in rank]
    named.sort(key=lambda item: rank[_hashable(_key_of(item, key))])
    others.sort(key=lambda item: stood.get(_hashable(_key_of(item, key)), len(live)))
    result: list[object] = []
    left = 0
    for item in named:
        position = stood.get(_hashable(_key_of(item, key)))
        while position is not None and left < len(others):
            if stood.get(_hashable(_key_of(others[left], key)), len(live)) >= position:
                break
            result.append(others[left])
            left += 1
        result.append(item)
    return result + others[left:]


def _ranks(items: list[object], key: str) -> dict[object, int]:
    ranks: dict[object, int] = {}
    for index, item in enumerate(items):
        ranks.setdefault(_hashable(_key_of(item, key)), index)
    return ranks


# --- directives beside lists


def _merge_ordered_lists(result: dict[str, object], patch: Tree, schema: Type, path: str) -> set[str]:
    """Do the lists that come with a `$setElementOrder/…`; return the keys of the patch that are dealt with."""
    done: set[str] = set()
    for directive in [key for key in patch if key.startswith(ELEMENT_ORDER)]:
        name = directive.removeprefix(ELEMENT_ORDER)
        order = patch[directive]
        if not isinstance(order, list):
            raise MergeError(_join(path, directive), "must be a list")
        done |= {directive, name}
        live, items = result.get(name), patch.get(name)
        field = schema.field(name)
        _check_order(items, order, field.merge_key or "", _join(path, directive))
        if items is not None:
            merged = _merge_value(live, items, field, _join(path, name))
        elif live is not None:
            merged = live
        else:
            continue
        if isinstance(merged, list):
            before = live if isinstance(live, list) else []
            result[name] = _ordered(merged, before, order, field.merge_key or "")
    return done


def _check_order(items: object, order: list[object], key: str, path: str) -> None:
    rest = iter(order)
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping) and DIRECTIVE in item:
            continue
        value = _key_of(item, key)
        if not any(_key_of(candidate, key) == value for candidate in rest):
            raise MergeError(path, f"does not name {value!r}, or not in the order in which the patch does")


def _delete_scalars(result: dict[str, object], name: str, values: object, path: str) -> None:
    if not isinstance(values, list):
        raise MergeError(path, "must be a list")
    live = result.get(name)
    if isinstance(live, list):
        result[name] = [item for item in live if item not in values]


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
