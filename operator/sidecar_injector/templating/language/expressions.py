"""Expressions as the user wrote them; used after an error only."""

import json

from jinja2 import nodes


def path_in(tree: nodes.Template, line: int, name: object) -> str:
    """Find the expression in a template line that looks up a name, such as `pod.spec.nodeName` for `nodeName`.

    Args:
        tree: the syntax tree as parsed.
        line: the line, from 1.
        name: the name of a field, or the number of a list's item.

    Returns:
        The expression, or the name alone if there is none or more than one.
    """
    found = {
        path for node in tree.find_all((nodes.Getattr, nodes.Getitem)) if (path := _path(node)) and _last(node) == name
    }
    near = {
        path
        for node in tree.find_all((nodes.Getattr, nodes.Getitem))
        if node.lineno == line and (path := _path(node)) and _last(node) == name
    }
    candidates = near or found
    return candidates.pop() if len(candidates) == 1 else str(name)


def _last(node: nodes.Node) -> object:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) else None


def _path(node: nodes.Node) -> str:
    """Write an expression of names, dots and literal keys; empty if it has anything else in it."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        owner = _path(node.node)
        return f"{owner}.{node.attr}" if owner else ""
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        owner = _path(node.node)
        return f"{owner}[{json.dumps(node.arg.value)}]" if owner else ""
    return ""
