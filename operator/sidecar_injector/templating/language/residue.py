"""What is left of a template to run when some of its variables are known: the rest is done once, here.

Known expressions that are printed become text of the template: the markers of slots that are filled beforehand. A
statement `set` of what is known becomes a variable, of an `if` whose tests are known only the branch remains that is
taken, and nothing of a loop over nothing. Bodies that may run more than once, or not where they stand (of loops, macros
and blocks), stay as they are.

An expression whose evaluation fails stays, too: it may never be run, and where it is, it fails as it always did.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jinja2 import nodes

from sidecar_injector.templating.failures import LimitReached
from sidecar_injector.templating.language.context import RenderContext, print_value
from sidecar_injector.templating.language.evaluation import Dynamic, Evaluation
from sidecar_injector.templating.language.trees import children
from sidecar_injector.templating.steady import Steady

_Done = TypeVar("_Done")
_Pair = tuple[nodes.Node, nodes.Node]


@dataclass(frozen=True)
class Residue:
    """The rest of a template.

    tree      -- to be run, where all that was needed is as it was
    needed    -- the variables that were needed to get so far
    variables -- what the template has set
    start     -- the state of a rendering at its beginning: slots of what was printed, paid for like all that was done
    """

    tree: nodes.Template
    needed: Steady
    variables: Mapping[str, object]
    start: RenderContext


def residue(tree: nodes.Template, steady: Steady, known: Mapping[str, object], start: RenderContext) -> Residue:
    """Return what is left of a tree.

    Args:
        tree: as `rewrite` returns it; it stays as it is, and parts of it are shared.
        steady: the variables that are known.
        known: what is known in every template.
        start: a state in which nothing was done yet.

    Raises LimitReached if what is known takes more than a whole rendering may.
    """
    stored, early = _stored(tree)
    whole = {name: value for name, value in steady.whole.items() if name not in stored}
    parts = {name: members for name, members in steady.parts.items() if name not in stored}
    evaluation = Evaluation(start, {**{name: known[name] for name in known if name not in stored}, **whole}, parts)
    once = {name for name, times in stored.items() if times == 1} - early
    left = _Residual(evaluation, once)
    body = left.body(tree.body, always=True)
    return Residue(nodes.Template(body, **_place(tree)), evaluation.needed(Steady(whole, parts)), left.variables, start)


def _stored(tree: nodes.Template) -> tuple[Counter[str], set[str]]:
    """Count how often each name is given a value, and tell which names are looked up before they are."""
    stored: Counter[str] = Counter()
    early: set[str] = set()
    for name, stores in _names(tree):
        if stores:
            stored[name] += 1
        elif name not in stored:
            early.add(name)
    return stored, early


def _names(node: nodes.Node) -> Iterator[tuple[str, bool]]:
    """Give all names in the order of the text, and whether they are given a value; those of a `set` after its value."""
    if isinstance(node, nodes.Name):
        yield node.name, node.ctx != "load"
    elif isinstance(node, nodes.Macro):
        yield node.name, True
    for child in [node.node, node.target] if isinstance(node, nodes.Assign) else children(node):
        yield from _names(child)


class _Residual:
    """One walk through the statements of a template, in their order.

    variables -- what was set so far
    """

    def __init__(self, evaluation: Evaluation, once: set[str]) -> None:
        self._evaluation = evaluation
        self._start = evaluation.context
        self._once = once
        self.variables: dict[str, object] = {}

    def body(self, body: list[nodes.Node], *, always: bool) -> list[nodes.Node]:
        """Return what is left of some statements; `always` tells that they are run whenever the template is."""
        return _joined([left for node in body for left in self._statement(node, always=always)])

    def _statement(self, node: nodes.Node, *, always: bool) -> list[nodes.Node]:
        if isinstance(node, nodes.Output):
            return [nodes.Output([self._printed(child) for child in node.nodes], **_place(node))]
        if isinstance(node, nodes.If):
            return self._branches(node, always=always)
        if isinstance(node, nodes.Assign) and always:
            return self._set(node)
        if isinstance(node, nodes.For) and not node.else_ and self._is_empty(node.iter):
            return []
        return [node]

    def _printed(self, node: nodes.Expr) -> nodes.Expr:
        """Return the marker of a known value, else the expression."""
        if isinstance(node, nodes.TemplateData):
            return node
        try:
            text = self._done(lambda: print_value(self._start, self._evaluation.value(node)))
        except Dynamic:
            return node
        return nodes.TemplateData(text, **_place(node))

    def _branches(self, node: nodes.If, *, always: bool) -> list[nodes.Node]:
        """Return the branch of an `if` that is taken, or the `if` without the branches that never are."""
        folds = not any(node.find_all((nodes.Assign, nodes.AssignBlock, nodes.Macro)))  # these tell by where they stand
        kept: list[nodes.If] = []
        otherwise = node.else_
        for branch in [node, *node.elif_]:
            verdict = self._verdict(branch.test) if folds else None
            if verdict:
                otherwise = branch.body
                break
            if verdict is None:
                kept.append(branch)
        if not kept:
            return self.body(otherwise, always=always)
        first, *rest = [
            nodes.If(branch.test, self.body(branch.body, always=False), [], [], **_place(branch)) for branch in kept
        ]
        first.elif_, first.else_ = rest, self.body(otherwise, always=False)
        return [first]

    def _verdict(self, test: nodes.Node) -> bool | None:
        """Tell whether a test is true; None if it is not known."""
        try:
            return self._done(lambda: bool(self._evaluation.value(test)))
        except Dynamic:
            return None

    def _set(self, node: nodes.Assign) -> list[nodes.Node]:
        """Note what is set to known values, and return the rest of the statement."""
        pairs = _pairs(node)
        unknown = [pair for pair in pairs if not self._noted(*pair)]
        if len(unknown) == len(pairs):
            return [node]
        return [nodes.Assign(target, value, **_place(node)) for target, value in _together(unknown, node)]

    def _noted(self, target: nodes.Node, value: nodes.Node) -> bool:
        """Note the value of a name that never has another one, and tell whether that could be done."""
        if not isinstance(target, nodes.Name) or target.name not in self._once:
            return False
        try:
            known = self._done(lambda: self._evaluation.value(value))
        except Dynamic:
            return False
        self._evaluation.known[target.name] = self.variables[target.name] = known
        return True

    def _is_empty(self, sequence: nodes.Node) -> bool:
        try:
            return self._done(lambda: len(self._evaluation.value(sequence)) == 0)
        except Dynamic:
            return False

    def _done(self, work: Callable[[], _Done]) -> _Done:
        """Do what a rendering does, at its price. Raises Dynamic if it cannot be done, LimitReached."""
        try:
            return work()
        except LimitReached:
            raise
        except Exception as failure:
            raise Dynamic from failure


def _pairs(node: nodes.Assign) -> Sequence[_Pair]:
    """Return the targets of a `set` with their values, which are as many; else the statement's own two sides."""
    target, value = node.target, node.node
    if isinstance(target, nodes.Tuple) and isinstance(value, nodes.List) and len(target.items) == len(value.items):
        return list(zip(target.items, value.items, strict=True))
    return [(target, value)]


def _together(pairs: Sequence[_Pair], node: nodes.Assign) -> Sequence[_Pair]:
    """Return several targets and values as one of each."""
    if len(pairs) < 2:
        return pairs
    targets, values = [target for target, _ in pairs], [value for _, value in pairs]
    return [(nodes.Tuple(targets, "store", **_place(node)), nodes.List(values, **_place(node)))]


def _joined(body: list[nodes.Node]) -> list[nodes.Node]:
    """Make one of the outputs that follow upon each other, and so one text of their texts."""
    joined: list[nodes.Node] = []
    for node in body:
        last = joined[-1] if joined else None
        if isinstance(node, nodes.Output) and isinstance(last, nodes.Output):
            last.nodes += node.nodes
        else:
            joined.append(node)
    return joined


def _place(node: nodes.Node) -> dict[str, Any]:
    return {"lineno": node.lineno, "environment": node.environment}
