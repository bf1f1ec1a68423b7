"""Evaluates expressions of a syntax tree before the template is run, where they depend on nothing but what is known.

Each kind of node does here what the code that Jinja generates for it does, with the same operations, filters and tests
and for the same price. What is not needed for the value is not looked at: `known or unknown` is known if the left side
is true.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.utils import Namespace

from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.steady import Steady


class Dynamic(Exception):  # noqa: N818 - no error: the expression is left to be evaluated when the template is run
    """The value depends on what is not known, or cannot be evaluated."""


class Evaluation:
    """Evaluates expressions, as far as they are known.

    context -- pays for what is done
    known   -- variables by name; more may be added
    parts   -- of variables that are not known, the members that are, by the variable's name
    used    -- what of both was needed
    """

    def __init__(self, context: RenderContext, known: Mapping[str, object], parts: Mapping[str, Mapping[str, object]]):
        self.context = context
        self.known = dict(known)
        self._parts = parts
        self._used: set[str] = set()
        self._used_parts: dict[str, dict[str, object]] = {}

    def value(self, node: Any) -> Any:
        """Return the value of an expression. Raises Dynamic, and whatever its evaluation raises."""
        evaluate = _EVALUATE.get(type(node))
        if evaluate is None:
            raise Dynamic
        return evaluate(self, node)

    def needed(self, steady: Steady) -> Steady:
        """Return what of these variables was needed so far."""
        whole = {name: value for name, value in steady.whole.items() if name in self._used}
        return Steady(whole, self._used_parts)

    def name(self, node: nodes.Name) -> Any:
        """Return a variable."""
        if node.name not in self.known:
            raise Dynamic
        self._used.add(node.name)
        return self.known[node.name]

    def member(self, node: nodes.Getattr) -> Any:
        """Return a field of a value, which need not be known as a whole."""
        owner = node.node
        members = self._parts.get(owner.name, {}) if isinstance(owner, nodes.Name) else {}
        if isinstance(owner, nodes.Name) and node.attr in members:
            self._used_parts.setdefault(owner.name, {})[node.attr] = members[node.attr]
            return members[node.attr]
        return self.context.environment.getattr(self.value(owner), node.attr)

    def item(self, node: nodes.Getitem) -> Any:
        """Return what is looked up in brackets."""
        return self.context.environment.getitem(self.value(node.node), self.value(node.arg))

    def filtered(self, node: nodes.Filter) -> Any:
        """Return what a filter makes, or a function or method: they have become filters."""
        return self._applied(self.context.environment.filters, node)

    def tested(self, node: nodes.Test) -> Any:
        """Return what a test says."""
        return self._applied(self.context.environment.tests, node)

    def _applied(self, functions: Mapping[str, Any], node: nodes.Filter | nodes.Test) -> Any:
        if node.node is None:
            raise Dynamic
        args = [self.value(arg) for arg in (node.node, *node.args)]
        named: list[Any] = node.kwargs  # keywords, whatever Jinja calls them
        keywords = {keyword.key: self.value(keyword.value) for keyword in named}
        args += self.value(node.dyn_args) if node.dyn_args is not None else ()
        more = self.value(node.dyn_kwargs) if node.dyn_kwargs is not None else {}
        found = functions[node.name](self.context, *args, **keywords, **more)
        if isinstance(found, Namespace):  # every rendering writes to one of its own
            raise Dynamic
        return found

    def compared(self, node: nodes.Compare) -> Any:
        """Return what a chain of comparisons says: up to the first that is false."""
        left, found = self.value(node.expr), True
        for operand in node.ops:
            right = self.value(operand.expr)
            found = _COMPARE[operand.op](left, right)
            if not found:
                break
            left = right
        return found

    def chosen(self, node: nodes.CondExpr) -> Any:
        """Return one side of an inline `if`."""
        return self.value(node.expr1 if self.value(node.test) else node.expr2)

    def calculated(self, node: nodes.BinExpr) -> Any:
        """Return the result of arithmetic."""
        left, right = self.value(node.left), self.value(node.right)
        return self.context.environment.call_binop(self.context, node.operator, left, right)  # type: ignore[attr-defined]

    def signed(self, node: nodes.UnaryExpr) -> Any:
        """Return a number with its sign."""
        return self.context.environment.call_unop(self.context, node.operator, self.value(node.node))  # type: ignore[attr-defined]


_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda member, container: member in container,
    "notin": lambda member, container: member not in container,
}
_EVALUATE: Mapping[type[nodes.Node], Callable[[Evaluation, Any], Any]] = {
    nodes.Const: lambda _, node: node.value,
    nodes.Name: Evaluation.name,
    nodes.Getattr: Evaluation.member,
    nodes.Getitem: Evaluation.item,
    nodes.Filter: Evaluation.filtered,
    nodes.Test: Evaluation.tested,
    nodes.Compare: Evaluation.compared,
    nodes.CondExpr: Evaluation.chosen,
    nodes.And: lambda self, node: self.value(node.left) and self.value(node.right),
    nodes.Or: lambda self, node: self.value(node.left) or self.value(node.right),
    nodes.Not: lambda self, node: not self.value(node.node),
    nodes.List: lambda self, node: [self.value(item) for item in node.items],
    nodes.Dict: lambda self, node: {self.value(pair.key): self.value(pair.value) for pair in node.items},
    **dict.fromkeys(
        (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), Evaluation.calculated
    ),
    **dict.fromkeys((nodes.Neg, nodes.Pos), Evaluation.signed),
}
