"""Checks of a template's syntax tree before it is run."""

from collections.abc import Sequence
from math import isfinite

from jinja2 import nodes

from sidecar_injector.templating.failures import Failure, LimitReached, did_you_mean
from sidecar_injector.templating.language.values import HIGHEST
from sidecar_injector.templating.language.vocabulary import FILTERS, FUNCTIONS, TESTS, Register
from sidecar_injector.templating.limits import Limits
from sidecar_injector.templating.markers import holds_marker

_DEEPEST_LOOPS = 15
"""Python itself allows 20 loops inside each other."""


def check(tree: nodes.Template, limits: Limits) -> None:
    """Refuse what cannot be run; raises Failure or LimitReached with the line set."""
    stack: list[tuple[nodes.Node, int, int, int]] = [(tree, 1, 0, 0)]
    while stack:
        node, line, chain, loops = stack.pop()
        line = node.lineno or line
        chain = chain + 1 if isinstance(node, nodes.Expr) else 0
        loops = loops + 1 if isinstance(node, nodes.For) else 0 if isinstance(node, nodes.Macro) else loops
        if chain > limits.chain:
            raise LimitReached(
                f"the expression has more than {limits.chain} operators in a row", "compute parts of it first", line
            )
        if loops > _DEEPEST_LOOPS:
            raise LimitReached(f"more than {_DEEPEST_LOOPS} loops are nested", "use a macro", line)
        _check_node(node)
        stack.extend((child, line, chain, loops) for child in node.iter_child_nodes())
    _check_functions(tree)


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
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    return names | {node.name for node in tree.find_all(nodes.Macro)}


def _check_functions(tree: nodes.Template) -> None:
    made = assigned(tree)
    known = {*FUNCTIONS.names, *made, "caller", "loop"}
    for block in tree.find_all(nodes.CallBlock):
        if not isinstance(block.call.node, nodes.Name) or block.call.node.name not in made:
            raise Failure(
                "a call block calls something that is no macro", "name a macro: `call my_macro()`", block.lineno
            )
    for node in tree.find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name not in known:
            name = node.node.name
            raise Failure(
                f"there is no function `{name}`{did_you_mean(name, known)}",
                f"functions are {', '.join(f'`{function}`' for function in FUNCTIONS.names)}; or write a macro",
                node.lineno,
            )
