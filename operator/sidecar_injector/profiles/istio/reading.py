"""Reading what users write: texts as Istio understands them, and trees that may be of any shape."""

import re
from collections.abc import Mapping

from sidecar_injector.injection.schema import MAP
from sidecar_injector.templating.shapes.shared import SharedMap

_GO_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False),
}
"""Source: https://pkg.go.dev/strconv#ParseBool"""
_DIGITS = re.compile(r"[0-9]{1,10}")
_PORTS = range(1, 65536)
_MAPS = frozenset((dict, SharedMap))


def go_bool(text: object) -> bool | None:
    """Return what a text means where Istio wants true or false, None if it means neither."""
    return _GO_BOOLEANS.get(text) if isinstance(text, str) else None


def port_number(value: object) -> int | None:
    """Return the port that a number, or the text of one, stands for; None if it is none from 1 to 65535."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    return value if isinstance(value, int) and value in _PORTS else None


def at(tree: object, *path: str) -> object:
    """Return what stands at a path of keys, None if there is nothing."""
    for key in path:
        if not isinstance(tree, MAP):
            return None
        tree = tree.get(key)
    return tree


def map_at(tree: object, *path: str) -> Mapping[str, object]:
    """Return the map at a path of keys, an empty one if there is none."""
    found = at(tree, *path)
    return found if found is not None and isinstance(found, MAP) else {}


def maps_at(tree: object, *path: str) -> list[Mapping[str, object]]:
    """Return the maps in the list at a path of keys; the list itself if there is nothing else in it."""
    return maps_in(at(tree, *path))


def maps_in(found: object) -> list[Mapping[str, object]]:
    """Return the maps in a list, an empty one if it is none; the list itself if there is nothing else in it."""
    if not isinstance(found, list):
        return []
    if _MAPS.issuperset(map(type, found)):
        return found
    return [item for item in found if isinstance(item, Mapping)]
