"""Kubernetes' strategic merge patch for Pods: maps merge, keyed lists merge by key, everything else is replaced.

Nothing that goes in is changed; what comes out shares every part that the patch did not touch. The rules, the order of
merged lists included, are apimachinery's (`pkg/util/strategicpatch`, the merge that a server and `kubectl patch` do,
documented in https://github.com/kubernetes/community sig-api-machinery/strategic-merge-patch.md), and are checked
against `kubectl patch --local` in the tests.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from operator import is_, itemgetter, methodcaller
from typing import Any

from sidecar_injector.errors import MergeError
from sidecar_injector.injection.schema import MAP, NOTHING, POD, SCALARS, UNKNOWN, Field, Type
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap

Tree = Mapping[str, object]

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
ELEMENT_ORDER = "$setElementOrder/"
DELETE_FROM_LIST = "$deleteFromPrimitiveList/"


def strategic_merge(
    live: Tree, patch: Tree, schema: Type = POD, path: str = "", *, plain: bool = False
) -> dict[str, object]:
    """Return `live` with `patch` merged over it.

    `schema` is the type of both (a Pod unless told otherwise); `path` is where they stand, for messages. A patch that
    is known to be `plain`, with neither directives nor nulls in it, is not searched for them. Raises MergeError for a
    patch that Kubernetes would refuse: an unknown directive, or an item without its merge key.
    """
    if plain:
        return _merge_plain(live, patch, schema, path)
    directive = patch.get(DIRECTIVE)
    if directive is not None:
        return _whole_map(directive, patch, path)
    result = dict(live)
    directed = any(map(_STARTS_A_DIRECTIVE, patch))
    for key in _after_directives(result, patch, schema, path) if directed else patch:
        value = patch[key]
        if value is None:
            result.pop(key, None)
        elif type(value) in SCALARS:
            result[key] = value
        elif key in result or not _directed(value):
            result[key] = _merge_value(result.get(key), value, schema.field(key), _join(path, key))
    return result


def _merge_plain(live: Tree, patch: Tree, schema: Type, path: str) -> dict[str, object]:
    """Do the same for a plain patch: what `live` does not have is taken as it is."""
    result = {**live, **patch}
    for key in filter(live.__contains__, patch):
        was, value = live[key], patch[key]
        if type(value) in SCALARS or type(was) in SCALARS:
            continue
        field = schema.fields.get(key, UNKNOWN)
        if isinstance(value, list):
            if isinstance(was, list) and field.merge_key is not None:
                result[key] = _merge_list(was, value, field, _join(path, key), plain=True)
        elif isinstance(value, MAP) and isinstance(was, MAP):
            result[key] = _merge_plain(was, value, field.type or NOTHING, _join(path, key))
    return result


_STARTS_A_DIRECTIVE = methodcaller("startswith", "$")


def _after_directives(result: dict[str, object], patch: Tree, schema: Type, path: str) -> Iterable[str]:
    """Do to `result` what the directives beside its fields say; return the keys of the patch that are left to do."""
    _retain(result, patch, path)
    done = _merge_ordered_lists(result, patch, schema, path)
    for key in patch:
        if key.startswith(DELETE_FROM_LIST) and key not in done:
            _delete_scalars(result, key.removeprefix(DELETE_FROM_LIST), patch[key], _join(path, key))
            done.add(key)
    return [key for key in patch if key != RETAIN_KEYS and key not in done]


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


def _merge_value(live: object, patch: object, field: Field, path: str) -> object:
    if isinstance(patch, list):
        if isinstance(live, list) and field.merge_key is not None:
            return _merge_list(live, patch, field, path, plain=False)
        return without_directives(patch, drop_directed=not isinstance(live, list))
    if isinstance(patch, MAP):
        if isinstance(live, MAP):
            return strategic_merge(live, patch, field.type or NOTHING, path)
        return without_directives(patch)
    return patch


def without_directives(value: object, *, drop_directed: bool = True) -> object:
    """Return a patch's value as it stands where nothing was before: without directives, and without nulls in maps.

    As in Kubernetes, a map that carries a `$patch` has nothing to act on there and is dropped whole; `drop_directed`
    is off for a new item of a merged list, where only the directive goes.
    """
    kind = type(value)
    if kind in SCALARS or ((kind is SharedMap or kind is SharedList) and value.plain):  # type: ignore[attr-defined]
        return value
    if isinstance(value, list):
        found: object = _list_without_directives(value, drop_directed)
    elif isinstance(value, MAP):
        found = _map_without_directives(value, drop_directed)
    else:
        return value
    if isinstance(value, SharedMap | SharedList):
        value.plain = found is value
    return found


def _map_without_directives(value: Tree, drop_directed: bool) -> Tree:
    changed: dict[str, object] = {}
    for key, item in value.items():
        if item is None or (key.startswith("$") and _is_directive(key)):
            changed[key] = _ABSENT
        elif type(item) not in SCALARS:
            dropped = drop_directed and _directed(item)
            kept = _ABSENT if dropped else without_directives(item, drop_directed=drop_directed)
            if kept is not item:
                changed[key] = kept
    if not changed and isinstance(value, dict):  # a view of labels is no JSON
        return value
    return {key: kept for key, item in value.items() if (kept := changed.get(key, item)) is not _ABSENT}


def _list_without_directives(value: list[object], drop_directed: bool) -> list[object]:
    if SCALARS.issuperset(map(type, value)):
        return value
    items = [
        without_directives(item, drop_directed=drop_directed)
        for item in value
        if not (drop_directed and _directed(item))
    ]
    return value if len(items) == len(value) and all(map(is_, items, value)) else items


def _is_directive(key: str) -> bool:
    return key in (DIRECTIVE, RETAIN_KEYS) or key.startswith((ELEMENT_ORDER, DELETE_FROM_LIST))


def _directed(value: object) -> bool:
    return type(value) not in SCALARS and isinstance(value, MAP) and DIRECTIVE in value


# --- lists


def _merge_list(live: list[object], patch: list[object], field: Field, path: str, plain: bool) -> list[object]:
    if not live and not patch:
        return live
    if not field.merge_key:
        merged = [*{_hashable(item): item for item in [*live, *patch]}.values()]
        return _ordered(merged, live, patch, "")
    if not plain:
        live, patch = _apply_item_directives(live, patch, field.merge_key, path)
    old, new_ones = _keys(live, field.merge_key), _keys(patch, field.merge_key)
    each_once = len({*old, *new_ones}) == len(old) + len(new_ones)
    if each_once and _ABSENT not in new_ones:
        new = patch if plain else [without_directives(item, drop_directed=False) for item in patch]
        return [*new, *live]  # as `_ordered` has them
    merged = _merge_items(live, patch, field, path, plain)
    return _ordered(merged, live, patch, field.merge_key)


def _apply_item_directives(
    live: list[object], patch: list[object], key: str, path: str
) -> tuple[list[object], list[object]]:
    plain: list[object] = []
    replace = False
    for index, item in enumerate(patch):
        directive = item.get(DIRECTIVE) if isinstance(item, MAP) else None
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


def _merge_items(live: list[object], patch: list[object], field: Field, path: str, plain: bool) -> list[object]:
    key = field.merge_key or ""
    result = list(live)
    positions = _ranks(live, key)
    for index, item in enumerate(patch):
        value = _item_key(item, key, f"{path}[{index}]")
        at = positions.get(_hashable(value))
        if at is None:
            positions[_hashable(value)] = len(result)
            result.append(item if plain else without_directives(item, drop_directed=False))
        else:
            where = f"{path}[{value}]"
            result[at] = strategic_merge(_map(result[at]), _map(item), field.type or NOTHING, where, plain=plain)
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
    return item.get(key, _ABSENT) if isinstance(item, MAP) else _ABSENT


def _hashable(value: object) -> Hashable:
    return repr(value) if isinstance(value, (dict, list, Mapping)) else value


def _map(value: object) -> Tree:
    return value if isinstance(value, Mapping) else {}


def _ordered(merged: list[object], live: list[object], order: list[object], key: str) -> list[object]:
    """Order a merged list: items that `order` names as it says, the others as they stood in `live`.

    The two runs are zipped: an item of the second goes first only where the item of the first that is next also stood
    in `live`, and behind it.
    """
    rank, stood = _ranks(order, key), _ranks(live, key)
    keyed = list(zip(_keys(merged, key), merged, strict=True))
    named = sorted([(rank[name], stood.get(name), item) for name, item in keyed if name in rank], key=itemgetter(0))
    others = deque(
        sorted([(stood.get(name, len(live)), item) for name, item in keyed if name not in rank], key=itemgetter(0))
    )
    result: list[object] = []
    for _, position, item in named:
        while position is not None and others and others[0][0] < position:
            result.append(others.popleft()[1])
        result.append(item)
    return result + [item for _, item in others]


def _ranks(items: list[object], key: str) -> dict[Hashable, int]:
    """Return where in a list each key stands for the first time."""
    names = _keys(items, key)
    return dict(zip(reversed(names), reversed(range(len(names))), strict=True))


def _keys(items: list[Any], key: str) -> list[Hashable]:
    if not key:
        names: list[Any] = items
    elif _MAPS.issuperset(map(type, items)):
        try:
            names = list(map(itemgetter(key), items))
        except KeyError:
            names = [item.get(key, _ABSENT) for item in items]
    else:
        names = [_key_of(item, key) for item in items]
    return names if SCALARS.issuperset(map(type, names)) else [_hashable(name) for name in names]


_MAPS = frozenset((dict, SharedMap))


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
