"""Which line of a shape a node of the rendered tree comes from; used after an error only."""

from collections.abc import Sequence

from sidecar_injector.templating.failures import Failure
from sidecar_injector.templating.language.values import OMIT
from sidecar_injector.templating.shapes.plan import plan_node, plan_scalar
from sidecar_injector.templating.yaml12.compose import MappingNode, Node, ScalarNode, SequenceNode


def locate(root: Node | None, path: Sequence[str | int], slots: Sequence[object]) -> tuple[int, int]:
    """Follow a path through the shape as far as it goes.

    Args:
        root: the shape's root, None if it is empty.
        path: keys and positions in the rendered tree.
        slots: the printed values, which decide on keys and on items that are left out.

    Returns:
        Line and column in the shape, both from 1; those of the key for an entry of a map.
    """
    if root is None:
        return 1, 0
    node, position = root, (root.line, root.column)
    for name in path:
        found = _child(node, name, slots)
        if found is None:
            break
        node, position = found
    return position


def _child(node: Node, name: str | int, slots: Sequence[object]) -> tuple[Node, tuple[int, int]] | None:
    if isinstance(node, MappingNode):
        for key, value in node.entries:
            if _text(key, slots) == name:
                return value, (key.line, key.column)
    if isinstance(node, SequenceNode) and isinstance(name, int):
        present = [item for item in node.items if plan_node(item).fill(slots) is not OMIT]
        if 0 <= name < len(present):
            return present[name], (present[name].line, present[name].column)
    return None


def _text(key: ScalarNode, slots: Sequence[object]) -> object:
    try:
        return plan_scalar(key).fill(slots)
    except Failure:
        return None
