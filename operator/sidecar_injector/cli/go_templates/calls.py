"""Calls of functions in Go templates: the register of those that are translated, and what their arguments may be.

Source: https://pkg.go.dev/text/template#hdr-Functions, https://masterminds.github.io/sprig/, and the functions that
Istio adds. A piped value is the last argument.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sidecar_injector.cli.go_templates.findings import Refused
from sidecar_injector.cli.go_templates.values import (
    ANY,
    FLAG,
    POISON,
    TEXT,
    Base,
    Expr,
    Form,
    Kind,
    Level,
    filtered,
    literal,
    settled,
    wrapped,
)
from sidecar_injector.profiles.istio.translated import FUNCTIONS as ISTIO_FUNCTIONS

Arguments = Sequence[Expr]
Translation = Callable[[Arguments], Expr]
ENDLESS = 64
"""As many arguments as there are."""


@dataclass(frozen=True)
class Function:
    """How many arguments a function takes, and what it becomes."""

    least: int
    most: int
    translate: Translation


FUNCTIONS: dict[str, Function] = {}
_REMEDIES = {
    "include": "write a macro: `{% macro name(x) %} … {% endmacro %}`",
    "tpl": "a value is never a template: write its text into the template",
    "lookup": "a template sees the Pod and its namespace only",
    "merge": "write `a | merge(b)`, which is not deep, and in which `b` wins",
    "regexMatch": "there are no regular expressions: compare with `startswith`, `endswith` and `in`",
    "split": 'write `text.split(",")`, and `[0]` behind it',
    "html": "leave it out: a value needs no escaping",
    "js": "leave it out: a value needs no escaping",
    "keys": "write `… | list`, which keeps the order of the keys",
    "now": "a template gives the same for the same Pod: take the value from the Pod",
    "randAlphaNum": "a template gives the same for the same Pod: take the value from the Pod",
}
"""What to write in place of Sprig's functions that have no exact translation."""
_SEE = "write it with the filters and functions of docs/reference/templates.md"


def _remedy(name: str) -> str:
    """Return what to write in place of a function; of Istio's own, what the reference page says."""
    known = next((row for row in ISTIO_FUNCTIONS if row.theirs.split()[0] == name), None)
    if known is None:
        return _REMEDIES.get(name, _SEE)
    written = f"for `{known.theirs}` write `{known.ours}`" if known.ours else ""
    return "; ".join(part for part in (written, known.note) if part)


def register(*names: str, least: int, most: int | None = None) -> Callable[[Translation], Translation]:
    """Register a translation under these names, for so many arguments (`least`, if no more is said)."""

    def add(translate: Translation) -> Translation:
        for name in names:
            FUNCTIONS[name] = Function(least, least if most is None else most, translate)
        return translate

    return add


def call(name: str, arguments: Arguments) -> Expr:
    """Return the call of a function. Raises Refused."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise Refused(f"the function `{name}` is not translated", _remedy(name))
    if not function.least <= len(arguments) <= function.most:
        raise Refused(f"`{name}` has {len(arguments)} arguments", "give it those that it takes")
    if any(argument.kind.base is Base.POISON for argument in arguments):
        return POISON
    found = function.translate(arguments)
    return replace(found, texts=frozenset().union(*(argument.texts for argument in arguments)))


# --- arguments

_NO_SCALARS = (Base.LIST, Base.MAP, Base.STRUCT, Base.DURATION, Base.OPAQUE, Base.CONDITION)


def plain(expr: Expr) -> Expr:
    """Return an operand, with its zero value. Raises Refused for what can only be printed."""
    if expr.form is Form.JSON:
        return filtered(settled(replace(expr, form=Form.PLAIN)), "to_json", Kind(Base.TEXT, filled=True))
    if expr.form is not Form.PLAIN or expr.indent is not None:
        raise Refused("`quote`, `toYaml` or `indent` stands inside an expression", "format what is printed, at its end")
    return settled(expr)


def unformatted(expr: Expr) -> Expr:
    """Return what is tested. Raises Refused for what can only be printed."""
    if expr.form is not Form.PLAIN:
        raise Refused("`quote`, `toYaml` or `toJSON` stands in a condition", "test the value itself")
    return expr


def scalar(expr: Expr) -> Expr:
    """Return a text, number, true or false. Raises Refused."""
    if expr.kind.pointer or expr.kind.base in _NO_SCALARS:
        what = "a pointer" if expr.kind.pointer else expr.kind.base.value
        raise Refused(f"`{expr.source}` is {what}, where a text or number is needed", "use a field of it")
    return plain(expr)


def text(expr: Expr) -> Expr:
    """Return a text. Raises Refused."""
    if expr.kind.base is Base.ANY and expr.missing:
        expr = replace(expr, kind=TEXT)
    expr = scalar(expr)
    if expr.kind.base in (Base.FLAG, Base.NUMBER):
        raise Refused(f"`{expr.source}` is {expr.kind.base.value}, where Go wants text", "make it text: `x | string`")
    return expr


def as_text(expr: Expr) -> Expr:
    """Return a scalar as the text that Go prints for it. Raises Refused."""
    if expr.kind.base is Base.ANY and expr.missing:
        raise Refused(f"`{expr.source}` is not set, and Go would print `<nil>`", "set it in the values")
    expr = scalar(expr)
    if expr.kind.base is Base.TEXT:
        return expr
    if expr.constant:
        return literal(json.dumps(expr.kind.known))
    return filtered(expr, "string", replace(TEXT, filled=expr.kind.base in (Base.FLAG, Base.NUMBER)))


def number(expr: Expr) -> Expr:
    """Return a number. Raises Refused."""
    expr = scalar(expr)
    if expr.kind.base not in (Base.NUMBER, Base.ANY):
        raise Refused(f"`{expr.source}` is {expr.kind.base.value}, where a number is needed", "use a number")
    return expr


def collection(expr: Expr, *bases: Base) -> Expr:
    """Return a list, a map, or what else is wanted. Raises Refused."""
    expr = plain(expr)
    if expr.kind.base not in bases:
        wanted = " or ".join(base.value for base in bases)
        raise Refused(f"`{expr.source}` is {expr.kind.base.value}, where {wanted} is needed", "use another value")
    return expr


def whole(expr: Expr, what: str) -> int:
    """Return a whole number that is written in the template. Raises Refused."""
    known = expr.kind.known
    if not expr.constant or not isinstance(known, int) or isinstance(known, bool):
        raise Refused(f"{what} is no number in the template", "write a number")
    return known


# --- results


def together(parts: Arguments) -> Kind:
    """Return the kind of what is one of these; a value that is not set has none of its own."""
    kinds = [part.kind for part in parts if part.kind.base is not Base.ANY] or [ANY]
    if any(kind.base is not kinds[0].base for kind in kinds):
        return ANY
    same = all(kind.item == kinds[0].item for kind in kinds)
    filled = all(part.kind.filled for part in parts)
    return Kind(kinds[0].base, item=kinds[0].item if same else ANY, filled=filled)


_OPPOSITES = {"==": "!=", "!=": "==", "in": "not in"}


def infix(left: Expr, sign: str, right: Expr) -> Expr:
    """Return a comparison."""
    one, other = wrapped(left, Level.ADD), wrapped(right, Level.ADD)
    opposite = f"{one} {_OPPOSITES[sign]} {other}" if sign in _OPPOSITES else ""
    return Expr(f"{one} {sign} {other}", Level.COMPARE, FLAG, negation=opposite)
