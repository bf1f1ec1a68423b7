"""From the tree of a Go template to pieces of ours: expressions, variables, conditions, loops.

What is refused is noted, and translation goes on, so that a user learns of everything at once.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sidecar_injector.cli.go_templates import functions
from sidecar_injector.cli.go_templates.data import root
from sidecar_injector.cli.go_templates.findings import Finding, Refused
from sidecar_injector.cli.go_templates.functions import plain
from sidecar_injector.cli.go_templates.pieces import Draft, Flow, Mark, Output, Part, Printed, Remark, Said, Turn, Words
from sidecar_injector.cli.go_templates.tree import (
    Action,
    Apply,
    Arm,
    Block,
    Call,
    Comment,
    Dot,
    Expression,
    Field,
    Literal,
    Other,
    Pipeline,
    Statement,
    Text,
    Variable,
)
from sidecar_injector.cli.go_templates.values import (
    ANY,
    FILLED,
    NUMBER,
    POISON,
    Base,
    Expr,
    Form,
    Kind,
    Level,
    filtered,
    literal,
    member,
    settled,
    truth,
    wrapped,
)

_OTHERS = {
    "define": "write a macro: `{% macro name(x) %} … {% endmacro %}`",
    "block": "write the text in its place",
    "template": "write a macro, and call it: `{{ name(x) }}`",
    "break": "filter the list before the loop: `{% for x in list if … %}`",
    "continue": "filter the list before the loop: `{% for x in list if … %}`",
}
_TAKEN = frozenset(
    (
        "caller", "cluster", "config", "dict", "fail", "kwargs", "loop", "meshConfig", "namespace", "nativeSidecars",
        "omit", "overrides", "pod", "proxy", "proxyConfig", "range", "required", "revision", "self", "super", "values",
        "varargs", "workload", "and", "else", "elif", "endfor", "endif", "false", "for", "if", "in", "is", "none",
        "not", "or", "set", "true", "False", "None", "True",
    )
)  # fmt: skip
"""Names that mean something in our language already."""


@dataclass(frozen=True)
class Scope:
    """What names mean at one place of the Go template."""

    dot: Expr
    variables: Mapping[str, Expr]

    def at(self, dot: Expr) -> "Scope":
        """Return the scope with another dot."""
        return replace(self, dot=dot)

    def having(self, variables: Mapping[str, Expr]) -> "Scope":
        """Return the scope with more variables."""
        return replace(self, variables={**self.variables, **variables})


def draft(statements: Sequence[Statement], values: Mapping[str, object]) -> tuple[Draft, list[Finding]]:
    """Translate a template for a config with these values: the draft, and what is refused."""
    assigned: dict[str, frozenset[str]] = dict.fromkeys(_assigned(statements), frozenset())
    top = root(values)
    for _ in range(2 if assigned else 1):  # what a variable is given later is known the second time
        translator = _Translator(assigned)
        translator.body(statements, Scope(top, {"": top}), ())
    return translator.draft, translator.findings


def _assigned(statements: Sequence[Statement]) -> set[str]:
    """Return the names of all variables that are assigned to anywhere after their declaration."""
    return {name for pipeline in _pipelines(statements) if pipeline.assigns for name in pipeline.variables}


def _pipelines(statements: Sequence[Statement]) -> Iterator[Pipeline]:
    for statement in statements:
        if isinstance(statement, Action):
            yield statement.pipeline
        elif isinstance(statement, Block):
            for arm in statement.arms:
                if arm.pipeline is not None:
                    yield arm.pipeline
                yield from _pipelines(arm.body)


Within = tuple[tuple[int, int], ...]


class _Translator:
    """One translation. `assigned` has the names of variables that change, and is filled with the texts they get."""

    def __init__(self, assigned: dict[str, frozenset[str]]) -> None:
        self.draft = Draft()
        self.findings: list[Finding] = []
        self._assigned = assigned
        self._names: set[str] = set()

    def body(self, statements: Sequence[Statement], scope: Scope, within: Within) -> None:
        """Translate statements in order; a variable is known from its declaration to the end of the body."""
        for statement in statements:
            if isinstance(statement, Text):
                self.draft.pieces.append(Words(statement.text, statement.line))
            elif isinstance(statement, Comment):
                self.draft.pieces.append(Mark(statement.tag, (Remark(statement.text),)))
            elif isinstance(statement, Action):
                scope = self._action(statement, scope)
            elif isinstance(statement, Block):
                self._block(statement, scope, within)
            else:
                self._other(statement)

    def _refuse(self, refusal: Refused, line: int) -> None:
        self.findings.append(refusal.at(line))

    def _other(self, statement: Other) -> None:
        self._refuse(
            Refused(f"`{statement.keyword}` is not translated", _OTHERS[statement.keyword]), statement.tag.line
        )
        self.draft.pieces.append(Mark(statement.tag, ()))

    # --- expressions

    def _evaluated(self, expression: Expression, scope: Scope, line: int) -> Expr:
        try:
            return evaluate(expression, scope)
        except Refused as refusal:
            self._refuse(refusal, line)
            return POISON

    def _action(self, action: Action, scope: Scope) -> Scope:
        value = self._evaluated(action.pipeline.value, scope, action.tag.line)
        if not action.pipeline.variables:
            self._print(action, value)
            return scope
        try:
            parts, scope = self._stored(action.pipeline, value, scope)
        except Refused as refusal:
            self._refuse(refusal, action.tag.line)
            parts, scope = (), scope.having(dict.fromkeys(action.pipeline.variables, POISON))
        self.draft.pieces.append(Mark(action.tag, parts))
        return scope

    def _print(self, action: Action, value: Expr) -> None:
        number = len(self.draft.outputs)
        self.draft.outputs[number] = Output(value, action.tag.line, silent=value.source.startswith("fail("))
        self.draft.pieces.append(Mark(action.tag, (Printed(number),)))

    # --- variables

    def _stored(self, pipeline: Pipeline, value: Expr, scope: Scope) -> tuple[tuple[Part, ...], Scope]:
        """Return the statement that gives a value to a variable, and the scope behind it."""
        name, *more = pipeline.variables
        if more:
            raise Refused("an action declares two variables", "declare them one after the other")
        if pipeline.assigns:
            return self._assignment(name, value, scope), scope
        if value.kind.base is Base.POISON or not value.source:
            return (), scope.having({name: value})
        value = plain(value)
        variable = self._name(name)
        if name not in self._assigned:
            known = replace(value, source=variable, level=Level.ATOM, missing=False, constant=False)
            return (Said(f"set {variable} = {value.source}"),), scope.having({name: known})
        kind = replace(value.kind, filled=False, known=ANY.known, item=value.kind.item and ANY)
        changing = Expr(f"{variable}.value", Level.ATOM, kind, texts=value.texts | self._assigned[name])
        return (Said(f"set {variable} = namespace(value={value.source})"),), scope.having({name: changing})

    def _assignment(self, name: str, value: Expr, scope: Scope) -> tuple[Part, ...]:
        variable = scope.variables.get(name)
        if variable is None or not name:
            raise Refused(f"`${name}` is not declared", "declare it with `:=`")
        if POISON in (variable, value):
            return ()
        value = plain(value)
        if value.kind.base is not variable.kind.base:
            changed = f"{variable.kind.base.value} and then {value.kind.base.value}"
            raise Refused(f"`${name}` is {changed}", "use two variables")
        self._assigned[name] |= value.texts
        return (Said(f"set {variable.source} = {value.source}"),)

    def _name(self, wanted: str) -> str:
        """Return a name for a variable of ours that no other has."""
        base = re.sub(r"\W", "", wanted) or "item"
        base = base if base.isascii() and not base[0].isdigit() and not base.startswith("_") else "item"
        name, count = base, 1
        while name in self._names or name in _TAKEN:
            count += 1
            name = f"{base}{count}"
        self._names.add(name)
        return name

    # --- conditions and loops

    def _block(self, block: Block, scope: Scope, within: Within) -> None:
        number = len(self.draft.flows)
        self.draft.flows[number] = Flow("", 0, within)
        names = frozenset(self._names)
        subjects: list[str] = []
        for index, arm in enumerate(block.arms):
            turn = Turn.ARM if index else Turn.OPEN
            parts, subject, inner = self._arm(block, arm, scope, first=index == 0)
            subjects.append(subject)
            if block.keyword != "range" and arm.pipeline is not None:
                # What an arm declares is known in the arms behind it, too.
                scope = scope.having({name: inner.variables[name] for name in arm.pipeline.variables})
            head = (*parts[:-1], replace(parts[-1], turn=turn, block=number, arm=index))
            behind = self._loop_index(arm, inner) if block.keyword == "range" and not index else ()
            self.draft.pieces.append(Mark(arm.tag, (*head, *behind)))
            self.body(arm.body, inner, (*within, (number, index)))
        closing = Said("endfor" if block.keyword == "range" else "endif", Turn.CLOSE, number)
        self.draft.pieces.append(Mark(block.end, (closing,)))
        if block.keyword == "range":  # ours, too, forgets what was set inside it
            self._names = set(names)
        arms = len(block.arms) + (block.arms[-1].pipeline is not None)
        self.draft.flows[number] = Flow(" | ".join(subjects), arms, within)

    def _arm(self, block: Block, arm: Arm, scope: Scope, *, first: bool) -> tuple[tuple[Said, ...], str, Scope]:
        """Return the statements that open an arm (the last one branches), what it depends on, and its scope."""
        if arm.pipeline is None:
            return (Said("else"),), "", scope
        value = self._evaluated(arm.pipeline.value, scope, arm.tag.line)
        try:
            if block.keyword == "range":
                return self._loop(arm.pipeline, value, scope)
            return self._condition(block.keyword, arm.pipeline, value, scope, first=first)
        except Refused as refusal:
            self._refuse(refusal, arm.tag.line)
            poisoned = dict.fromkeys(arm.pipeline.variables, POISON)
            inner = scope if block.keyword == "if" else scope.at(POISON)
            return (Said("if none"),), "", inner.having(poisoned)

    def _condition(
        self, keyword: str, pipeline: Pipeline, value: Expr, scope: Scope, *, first: bool
    ) -> tuple[tuple[Said, ...], str, Scope]:
        if value.form is not Form.PLAIN:
            raise Refused("`quote`, `toYaml` or `toJSON` stands in a condition", "test the value itself")
        before: tuple[Said, ...] = ()
        inner = scope
        condition = truth(value)
        if pipeline.variables:
            if not first or pipeline.assigns:
                raise Refused("a variable is declared in `else if`", "declare it before the `if`")
            stored, inner = self._stored(pipeline, value, scope)
            before = tuple(part for part in stored if isinstance(part, Said))
            value = inner.variables[pipeline.variables[0]]
            condition = truth(value)
        if keyword == "with":
            if value.level is not Level.ATOM or value.source.endswith(".value"):
                name = self._name(value.hint or "found")
                before = (Said(f"set {name} = {settled(value).source}"),)
                value = replace(value, source=name, level=Level.ATOM)
                condition = truth(replace(value, missing=False))
            kind = replace(value.kind, filled=value.kind.base is Base.TEXT)
            kind = replace(kind, pointer=False) if kind.base is Base.STRUCT else kind
            value = replace(value, missing=False, kind=kind)
            inner = inner.at(value)
            inner = inner.having(dict.fromkeys(pipeline.variables, value))
        tested = wrapped(condition, Level.OR)
        return (*before, Said(f"{'if' if first else 'elif'} {tested}")), tested, inner

    def _loop(self, pipeline: Pipeline, value: Expr, scope: Scope) -> tuple[tuple[Said, ...], str, Scope]:
        if value.kind.base is Base.POISON:
            return (Said("if none"),), "", scope.at(POISON).having(dict.fromkeys(pipeline.variables, POISON))
        if pipeline.assigns:
            raise Refused("`range` assigns to variables that are declared before it", "declare new ones with `:=`")
        if value.form is not Form.PLAIN:
            raise Refused("`range` runs over formatted text", "loop over the value itself")
        item = value.kind.item or ANY
        key, name = (*("",) * (2 - len(pipeline.variables)), *pipeline.variables)
        if value.kind.base is Base.MAP:
            return self._loop_over_map(value, item, key, name, scope)
        if value.kind.base is not Base.LIST:
            raise _no_list(value)
        element = replace(_named(self._name(name or _singular(value.hint)), item), texts=value.texts)
        source = wrapped(settled(value), Level.OR)
        inner = scope.at(element).having({name: element} if name else {})
        if key:
            inner = inner.having({key: _named(self._name(key), NUMBER)})
        return (Said(f"for {element.source} in {source}"),), f"for {source}", inner

    def _loop_over_map(
        self, value: Expr, item: Kind, key: str, name: str, scope: Scope
    ) -> tuple[tuple[Said, ...], str, Scope]:
        source = filtered(settled(value), "dictsort", ANY).source
        at = _named(self._name(key or "key"), FILLED)
        element = replace(_named(self._name(name or "value"), item), texts=value.texts)
        inner = scope.at(element).having({name: element} if name else {})
        inner = inner.having({key: at}) if key else inner
        return (Said(f"for {at.source}, {element.source} in {source}"),), f"for {source}", inner

    def _loop_index(self, arm: Arm, inner: Scope) -> tuple[Said, ...]:
        """Return the statement that sets the index, if the body has a use for it."""
        assert arm.pipeline is not None
        if len(arm.pipeline.variables) < 2:
            return ()
        index = inner.variables.get(arm.pipeline.variables[0])
        if index is None or index.kind is not NUMBER or not _mentions(arm.body, arm.pipeline.variables[0]):
            return ()
        return (Said(f"set {index.source} = loop.index0"),)


def _named(name: str, kind: Kind) -> Expr:
    return Expr(name, Level.ATOM, kind, hint=name)


def _singular(plural: str) -> str:
    return plural[:-1] if plural.endswith("s") and len(plural) > 2 else "item"


def _no_list(value: Expr) -> Refused:
    if value.kind.base is Base.ANY:
        problem = f"`range` runs over `{value.source}`, which is not set: a list and a map are looped over differently"
        return Refused(problem, "set it in the values, if to `[]` or `{}` only")
    return Refused(f"`range` runs over `{value.source}`, which is {value.kind.base.value}", "loop over a list or a map")


def _mentions(statements: Sequence[Statement], name: str) -> bool:
    return any(_uses(pipeline.value, name) for pipeline in _pipelines(statements))


def _uses(expression: Expression, name: str) -> bool:
    if isinstance(expression, Variable):
        return expression.name == name
    if isinstance(expression, Field):
        return _uses(expression.owner, name)
    if isinstance(expression, Call):
        return any(_uses(argument, name) for argument in expression.arguments)
    if isinstance(expression, Apply):
        return any(_uses(part, name) for part in (expression.head, *expression.arguments))
    return False


def evaluate(expression: Expression, scope: Scope) -> Expr:
    """Translate an expression. Raises Refused."""
    if isinstance(expression, Literal):
        return literal(expression.value)
    if isinstance(expression, Dot):
        return scope.dot
    if isinstance(expression, Variable):
        found = scope.variables.get(expression.name)
        if found is None:
            raise Refused(f"`${expression.name}` is not declared here", "declare it with `:=`")
        return found
    if isinstance(expression, Field):
        return member(_operand(evaluate(expression.owner, scope)), expression.name)
    if isinstance(expression, Call):
        return functions.call(expression.function, [evaluate(argument, scope) for argument in expression.arguments])
    head = evaluate(expression.head, scope)
    raise Refused(f"`{head.source}` has arguments, but is no function", "write `index` for the item of a map")


def _operand(value: Expr) -> Expr:
    if value.form is not Form.PLAIN:
        raise Refused("a field is taken of formatted text", "take the field of the value itself")
    return value
