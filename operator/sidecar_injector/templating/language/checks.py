"""Checks of a template's syntax tree before it is run."""

from collections.abc import Sequence
from math import isfinite

from jinja2 import nodes

from sidecar_injector.templating.failures import Failure, LimitReached, did_you_mean
from sidecar_injector.templating.language.trees import children
from sidecar_injector.templating.language.values import HIGHEST
from sidecar_injector.templating.language.vocabulary import FILTERS, FUNCTIONS, TESTS, Register
from sidecar_injector.templating.limits import Limits
from sidecar_injector.templating.markers import holds_marker

_DEEPEST_LOOPS = 15
"""Python itself allows 20 loops inside each other."""


def check(tree: nodes.Template, limits: Limits) -> None:
    """Refuse what cannot be run; raises Failure or LimitReached with the line set."""
    stack: list[tuple[nodes.Node, int, int, int]] = [(tree, 1, 0, 0)]
    calling: list[nodes.Call | nodes.CallBlock] = []
    while stack:
        node, line, chain, loops = stack.pop()
        line = node.lineno or line
        chain = chain + 1 if isinstance(node, nodes.Expr) else 0
        if isinstance(node, nodes.For):
            loops += 1
        elif isinstance(node, nodes.Macro):
            loops = 0
        elif isinstance(node, nodes.Call | nodes.CallBlock):
            calling.append(node)
        if chain + _operators(node) > limits.chain:
            raise LimitReached(
                f"the expression has more than {limits.chain} operators in a row", "compute parts of it first", line
            )
        if loops > _DEEPEST_LOOPS:
            raise LimitReached(f"more than {_DEEPEST_LOOPS} loops are nested", "use a macro", line)
        _check_node(node)
        stack += [(child, line, chain, loops) for child in children(node)]
    _check_functions(calling, assigned(tree))


def _operators(node: nodes.Node) -> int:
    """Count the operators that stand in one node, in a row."""
    if isinstance(node, nodes.Concat):
        return len(node.nodes)
    return len(node.ops) if isinstance(node, nodes.Compare) else 0


def _check_node(node: nodes.Node) -> None:
    if isinstance(node, nodes.Filter):
        _check_call(FILTERS, "filter", node)
    elif isinstance(node, nodes.Test):
        _check_call(TESTS, "test", node)
    elif isinstance(node, nodes.Const) and isinstance(node.value, int | float) and not _fits(node.value):
        raise LimitReached("the number does not fit 64 bits", "write it as text, in quotes", node.lineno)
    elif isinstance(node, nodes.Name) and node.name == "self":
        raise Failure("`self` is not supported: there is no template inheritance", "use another name", node.lineno)
    elif isinstance(node, nodes.TemplateData) and holds_marker(node.data):
        raise Failure("the template holds a word that is reserved for rendering", "change the text", node.lineno)


def _fits(value: int | float) -> bool:
    return isfinite(value) if isinstance(value, float) else value <= HIGHEST


def _check_call(register: Register, kind: str, node: nodes.Filter | nodes.Test) -> None:
    entry = register.get(node.name)
    if entry is None:
        raise Failure(
            f"there is no {kind} `{node.name}`{did_you_mean(node.name, register.names)}",
            f"{kind}s are listed in docs/reference/templates.md",
            node.lineno,
        )
    if node.dyn_args is None and node.dyn_kwargs is None:
        keywords: Sequence[nodes.Keyword] = node.kwargs  # type: ignore[assignment]
        problem = entry.mismatch(1 + len(node.args), [keyword.key for keyword in keywords])
        if problem:
            raise Failure(f"{entry}: {problem}", f"write `{entry.usage}`", node.lineno)


def assigned(tree: nodes.Template) -> set[str]:
    """Return the names of the macros, variables and parameters that the template makes itself."""
    names: set[str] = set()
    stack: list[nodes.Node] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Macro) or (isinstance(node, nodes.Name) and node.ctx != "load"):
            names.add(node.name)
        stack += children(node)
    return names


def _check_functions(calling: Sequence[nodes.Call | nodes.CallBlock], made: set[str]) -> None:
    known = {*FUNCTIONS.names, *made, "caller", "loop"}
    for node in sorted(calling, key=lambda node: (isinstance(node, nodes.Call), node.lineno)):
        if isinstance(node, nodes.CallBlock):
            if not isinstance(node.call.node, nodes.Name) or node.call.node.name not in made:
                raise Failure(
                    "a call block calls something that is no macro", "name a macro: `call my_macro()`", node.lineno
                )
        elif isinstance(node.node, nodes.Name) and node.node.name not in known:
            name = node.node.name
            raise Failure(
                f"there is no function `{name}`{did_you_mean(name, known)}",
                f"functions are {', '.join(f'`{function}`' for function in FUNCTIONS.names)}; or write a macro",
                node.lineno,
            )
