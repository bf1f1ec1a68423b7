"""Data that is merged as it stands: no null in it, and no key that begins with `$` as a merge's directives do.

Of a shape this is found out once, by a look at the first data that comes of it; of what is printed into it, scalars
need no more than a look at their types.
"""

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import not_

from sidecar_injector.templating.language.values import OMIT
from sidecar_injector.templating.markers import MARKER
from sidecar_injector.templating.shapes.shared import SharedMap
from sidecar_injector.templating.yaml12.compose import MappingNode, Node, SequenceNode

_SCALARS = frozenset((str, int, bool, float))
_PRINTED = _SCALARS | {type(OMIT)}


def is_plain(value: object) -> bool:
    """Tell whether data has neither nulls nor keys that begin with `$`; what is no JSON is not plain either."""
    if type(value) in _SCALARS:
        return True
    if isinstance(value, list):
        return all(map(is_plain, value))
    if not isinstance(value, dict):
        return False
    for key, item in value.items():
        if key.startswith("$") or not (type(item) in _SCALARS or is_plain(item)):
            return False
    return True


def has_plain_keys(node: Node) -> bool:
    """Tell whether no key of a shape begins with `$`, or is printed and could."""
    if isinstance(node, SequenceNode):
        return all(map(has_plain_keys, node.items))
    return not isinstance(node, MappingNode) or all(
        not key.text.startswith("$") and MARKER.search(key.text) is None and has_plain_keys(value)
        for key, value in node.entries
    )


def prints_plain(slots: Sequence[object], whole: Iterable[int]) -> bool:
    """Tell whether printed values are so; `whole` are the slots whose values stand in the data as they are."""
    values = list(map(slots.__getitem__, whole))
    others = compress(values, map(not_, map(_PRINTED.__contains__, map(type, values))))
    return all(map(_is_noted_plain, others))


def _is_noted_plain(value: object) -> bool:
    """Do as `is_plain`, and note it down for what is the same for all Pods."""
    if type(value) is not SharedMap:
        return is_plain(value)
    value.plain = value.plain or is_plain(value)
    return value.plain
