"""From Jinja's syntax tree to one that is safe to run: operations of ours in place of Python's.

After this, a loop or macro pays for each run of its body, comparisons and `~` are checked, `value.name(…)` calls one of
our methods, literal lists and maps hold what JSON can hold, and a block's text is a fragment.
"""

from collections.abc import Iterator
from typing import TypeVar

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from sidecar_injector.templating.language import calls
from sidecar_injector.templating.language import operations as op
from sidecar_injector.templating.language.checks import assigned
from sidecar_injector.templating.language.trees import children
from sidecar_injector.templating.language.vocabulary import FUNCTIONS
from sidecar_injector.templating.markers import line_mark


def rewrite(tree: nodes.Template, *, traced: bool = False) -> nodes.Template:
    """Return the tree that is run; `traced` puts the mark of its line before every piece of text and every value."""
    rewritten = _Rewriter(traced, frozenset(FUNCTIONS.names) - assigned(tree)).visit(tree)
    assert isinstance(rewritten, nodes.Template)
    environment = tree.environment
    stack: list[nodes.Node] = [rewritten]
    while stack:
        node = stack.pop()
        node.environment = environment
        stack += children(node)
    return rewritten


_Calling = TypeVar("_Calling", nodes.Call, nodes.Filter, nodes.Test)
_Body = TypeVar("_Body", nodes.Macro, nodes.CallBlock)


class _Rewriter(NodeTransformer):
    def __init__(self, traced: bool, functions: frozenset[str]) -> None:
        self._traced = traced
        self._functions = functions
        self._blocks = 0

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802
        weight = _weight(node.body)
        self.generic_visit(node)
        node.iter = _apply(op.LOOP_OVER, node.iter)
        node.body.insert(0, _pay(weight, node.lineno))
        if node.test is not None:
            paid = _apply(op.CHARGE, nodes.Const(_weight([node.test]), lineno=node.lineno))
            node.test = nodes.And(paid, node.test, lineno=node.lineno)
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:  # noqa: N802
        return self._pay_first(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.CallBlock:  # noqa: N802
        return self._pay_first(node)

    def _pay_first(self, node: _Body) -> _Body:
        weight = _weight(node.body)
        self.generic_visit(node)
        node.body.insert(0, _pay(weight, node.lineno))
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.AssignBlock:  # noqa: N802
        self.generic_visit(node)
        node.filter = _innermost(node.filter, node.lineno)
        return node

    def visit_FilterBlock(self, node: nodes.FilterBlock) -> nodes.Scope:  # noqa: N802
        """Make it `{% set x %}…{% endset %}{{ x | filter }}`, so that what the filter makes is printed as a value."""
        self.generic_visit(node)
        self._blocks += 1
        name = f"_filtered_{self._blocks}"
        line = node.lineno
        captured = nodes.AssignBlock(
            nodes.Name(name, "store", lineno=line), _innermost(None, line), node.body, lineno=line
        )
        innermost = node.filter
        while isinstance(innermost.node, nodes.Filter):
            innermost = innermost.node
        innermost.node = nodes.Name(name, "load", lineno=line)
        mark: list[nodes.Expr] = [nodes.TemplateData(line_mark(line), lineno=line)] if self._traced else []
        return nodes.Scope([captured, nodes.Output([*mark, node.filter], lineno=line)], lineno=line)

    def visit_Output(self, node: nodes.Output) -> nodes.Output:  # noqa: N802
        pieces: list[nodes.Expr] = []
        for child in node.nodes:
            line = min(_lines(child))
            if isinstance(child, nodes.TemplateData):
                text = _marked(child.data, line) if self._traced else child.data
                pieces.append(nodes.TemplateData(text, lineno=line))
                continue
            if self._traced:
                pieces.append(nodes.TemplateData(line_mark(line), lineno=line))
            printed = self.visit(child)
            printed.lineno = line
            pieces.append(printed)
        node.nodes = pieces
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        roles: list[list[str]] = [[] for _ in sides]
        for position, operand in enumerate(node.ops):
            left, right = _ROLES.get(operand.op, (op.OPERAND, op.OPERAND))
            literal = isinstance(sides[position], nodes.Const) or isinstance(sides[position + 1], nodes.Const)
            for side, role in ((position, left), (position + 1, right)):
                roles[side].append(op.SETTLED if literal and role == op.OPERAND else role)
        self.generic_visit(node)
        node.expr = _prepare(node.expr, roles[0])
        for operand, needed in zip(node.ops, roles[1:], strict=True):
            operand.expr = _prepare(operand.expr, needed)
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.CondExpr:  # noqa: N802
        self.generic_visit(node)
        if node.expr2 is None:
            node.expr2 = _apply(op.NOTHING, nodes.Const(None, lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _apply(op.CONCATENATE, nodes.List(node.nodes, lineno=node.lineno))

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return nodes.List(node.items, lineno=node.lineno) if node.ctx == "load" else node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Pair:  # noqa: N802
        self.generic_visit(node)
        if not (isinstance(node.key, nodes.Const) and isinstance(node.key.value, str)):
            node.key = _apply(op.KEY, node.key)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        bounds = [
            bound if bound is not None else nodes.Const(None, lineno=node.lineno)
            for bound in (node.arg.start, node.arg.stop, node.arg.step)
        ]
        return _apply(op.SECTION, node.node, bounds)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Filter:  # noqa: N802
        return self._check_spread(node)

    def visit_Test(self, node: nodes.Test) -> nodes.Test:  # noqa: N802
        return self._check_spread(node)

    def _check_spread(self, node: _Calling) -> _Calling:
        self.generic_visit(node)
        if node.dyn_args is not None:
            node.dyn_args = _apply(op.SPREAD, node.dyn_args)
        if node.dyn_kwargs is not None:
            node.dyn_kwargs = _apply(op.SPREAD, node.dyn_kwargs)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802
        self._check_spread(node)
        if isinstance(node.node, nodes.Name) and node.node.name in self._functions:
            name = nodes.Const(node.node.name, lineno=node.lineno)
            return nodes.Filter(
                name, calls.FUNCTION, node.args, node.kwargs, node.dyn_args, node.dyn_kwargs, lineno=node.lineno
            )
        if not isinstance(node.node, nodes.Getattr):
            return node
        args = [nodes.Const(node.node.attr, lineno=node.lineno), *node.args]
        return nodes.Filter(
            node.node.node, calls.METHOD, args, node.kwargs, node.dyn_args, node.dyn_kwargs, lineno=node.lineno
        )


_ROLES = {"in": (op.MEMBER, op.CONTAINER), "notin": (op.MEMBER, op.CONTAINER)}


def _apply(operation: str, value: nodes.Node, args: list[nodes.Expr] | None = None) -> nodes.Filter:
    assert isinstance(value, nodes.Expr)
    return nodes.Filter(value, operation, args or [], [], None, None, lineno=value.lineno)


def _prepare(value: nodes.Expr, roles: list[str]) -> nodes.Expr:
    if isinstance(value, nodes.Const) and op.CONTAINER not in roles:
        return value
    for role in dict.fromkeys(roles):
        value = _apply(role, value)
    return value


def _pay(weight: int, line: int) -> nodes.ExprStmt:
    return nodes.ExprStmt(_apply(op.CHARGE, nodes.Const(weight, lineno=line)), lineno=line)


def _innermost(chain: nodes.Filter | None, line: int) -> nodes.Filter:
    """Put CAPTURE before the first filter of a chain on a block's text."""
    capture = nodes.Filter(None, op.CAPTURE, [], [], None, None, lineno=line)
    if chain is None:
        return capture
    innermost = chain
    while isinstance(innermost.node, nodes.Filter):
        innermost = innermost.node
    innermost.node = capture
    return chain


def _weight(body: list[nodes.Node]) -> int:
    """Count the nodes that one run of a body evaluates; bodies of loops, macros and call blocks pay for themselves."""
    count = 1
    stack = list(body)
    while stack:
        node = stack.pop()
        count += 1
        if isinstance(node, nodes.For):
            stack.append(node.iter)
        elif isinstance(node, nodes.CallBlock):
            stack.append(node.call)
        elif not isinstance(node, nodes.Macro):
            stack += children(node)
    return count


def _lines(node: nodes.Node) -> Iterator[int]:
    if node.lineno:
        yield node.lineno
    for child in children(node):
        yield from _lines(child)


def _marked(text: str, line: int) -> str:
    """Put the mark of its line before the first visible character of every line."""
    marked = []
    for number, part in enumerate(text.split("\n"), line):
        visible = part.lstrip()
        marked.append(part[: len(part) - len(visible)] + line_mark(number) + visible if visible else part)
    return "\n".join(marked)
