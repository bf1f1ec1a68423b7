"""Expressions of our language, with what Go knows of their values: it decides what they are when they are not there.

In Go a field of a Pod that is not set is its type's zero value; in our data it is absent. So every expression carries
the type that its value has in Go, and whether it may be absent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto

from sidecar_injector.cli.go_templates.findings import Refused


class Base(Enum):
    """The kind of a value in Go.

    ANY is a value of the values document that is not set, or one of several kinds; CONDITION can only be tested; POISON
    is what was refused.
    """

    TEXT = "text"
    FLAG = "true or false"
    NUMBER = "a number"
    DURATION = "a duration"
    LIST = "a list"
    MAP = "a map"
    STRUCT = "an object"
    ANY = "a value"
    CONDITION = "a condition on a pointer"
    OPAQUE = "a quantity, or a number or name"
    POISON = "unknown"


class _Unknown(Enum):
    UNKNOWN = auto()


UNKNOWN = _Unknown.UNKNOWN


@dataclass(frozen=True)
class Kind:
    """The type of a value.

    Attributes:
        base: what it is.
        item: type of the items of a list, or the values of a map.
        struct: how fields of an object are found; also of a pointer to a scalar, which has `Value`.
        pointer: it may be nil, and is true if it is not: a false that is set counts as true.
        filled: it is never an empty text.
        known: the value in the document that is imported, if it stands there.
        zero: of text, what stands for a value that is not set.
        named: text of a type of its own in Go, which no constant text equals in a comparison of any two values.
    """

    base: Base
    item: Kind | None = None
    struct: Struct | None = None
    pointer: bool = False
    filled: bool = False
    known: object = UNKNOWN
    zero: str = ""
    named: bool = False


class Level(IntEnum):
    """How tightly an expression binds, as in Jinja: what binds less is put in brackets inside what binds more."""

    CHOICE = auto()
    OR = auto()
    AND = auto()
    NOT = auto()
    COMPARE = auto()
    ADD = auto()
    JOIN = auto()
    MULTIPLY = auto()
    FILTER = auto()
    ATOM = auto()


class Form(Enum):
    """How Go writes a value as YAML, where that is the template's wish and not the value's."""

    PLAIN = auto()
    QUOTED = auto()
    YAML = auto()
    JSON = auto()


@dataclass(frozen=True)
class Expr:
    """An expression of our language.

    Attributes:
        source: as it is written.
        level: how tightly it binds.
        kind: of its value.
        missing: whether it may be undefined, or null.
        form: how it is to be written; other than PLAIN it can only be printed.
        indent: what `indent` or `nindent` was told.
        newline: whether it starts in a new line, as `nindent` does.
        constant: whether `kind.known` is written in the template itself.
        hint: a name for a variable that holds the value.
        texts: those of the template and of the values that go into it, as far as they are known.
        negation: of a comparison, its opposite.
    """

    source: str
    level: Level
    kind: Kind
    missing: bool = False
    form: Form = Form.PLAIN
    indent: int | None = None
    newline: bool = False
    constant: bool = False
    hint: str = ""
    texts: frozenset[str] = frozenset()
    negation: str = ""


@dataclass(frozen=True)
class Struct:
    """An object with fields: its name for messages, and what finds a field (it raises Refused)."""

    name: str
    find: Callable[[Expr, str], Expr]


TEXT, FLAG, NUMBER, ANY = Kind(Base.TEXT), Kind(Base.FLAG), Kind(Base.NUMBER), Kind(Base.ANY)
FILLED = Kind(Base.TEXT, filled=True)
POISON = Expr("none", Level.ATOM, Kind(Base.POISON))
TEXTS = Kind(Base.MAP, item=TEXT)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ZEROS = {Base.TEXT: '""', Base.FLAG: "false", Base.NUMBER: "0", Base.LIST: "[]", Base.MAP: "{}"}


def literal(value: object) -> Expr:
    """Return a constant: text, a number, true, false or nil."""
    kind = kind_of(value)
    if value is None:
        return Expr("none", Level.ATOM, replace(ANY, known=None), constant=True)
    negative = isinstance(value, int | float) and not isinstance(value, bool) and value < 0
    source = json.dumps(value, ensure_ascii=False)
    return Expr(source, Level.FILTER if negative else Level.ATOM, kind, constant=True, texts=_texts_in(value))


def kind_of(value: object) -> Kind:
    """Return the type that a JSON value has in Go."""
    if isinstance(value, bool):
        return replace(FLAG, known=value)
    if isinstance(value, int | float):
        return replace(NUMBER, known=value)
    if isinstance(value, str):
        return Kind(Base.TEXT, filled=bool(value), known=value)
    if isinstance(value, list):
        items = [kind_of(item) for item in value]
        same = bool(items) and all(item.base is items[0].base for item in items)
        return Kind(Base.LIST, item=_common(items) if same else ANY, known=value)
    if isinstance(value, Mapping):
        return Kind(Base.MAP, item=ANY, known=value)
    return ANY


def _texts_in(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset((value,))
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return frozenset().union(*map(_texts_in, inner))


def _common(kinds: list[Kind]) -> Kind:
    return replace(kinds[0], known=UNKNOWN, filled=all(kind.filled for kind in kinds))


def wrapped(expr: Expr, level: Level) -> str:
    """Return the source of an expression as it stands where at least this level is needed."""
    return expr.source if expr.level >= level else f"({expr.source})"


def filtered(expr: Expr, call: str, kind: Kind) -> Expr:
    """Return an expression with a filter applied: `x | call`."""
    source = f"{wrapped(expr, Level.FILTER)} | {call}"
    return Expr(source, Level.FILTER, kind, hint=expr.hint, texts=expr.texts)


def method(expr: Expr, call: str, kind: Kind) -> Expr:
    """Return the call of a method: `x.call`."""
    return Expr(f"{wrapped(expr, Level.ATOM)}.{call}", Level.ATOM, kind, hint=expr.hint)


def joined(parts: list[Expr], sign: str, level: Level, kind: Kind) -> Expr:
    """Return operands with an operator between them; one operand stays as it is."""
    if len(parts) == 1:
        return replace(parts[0], kind=kind)
    inner = Level(level + 1) if level in (Level.COMPARE, Level.ADD, Level.MULTIPLY) else level
    return Expr(f" {sign} ".join(wrapped(part, inner) for part in parts), level, kind)


def looked_up(owner: Expr, key: str, kind: Kind, *, missing: bool) -> Expr:
    """Return `owner.key`, or `owner["key"]` where the key is no name."""
    at = f".{key}" if _NAME.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
    return Expr(f"{wrapped(owner, Level.ATOM)}{at}", Level.ATOM, kind, missing=missing or owner.missing, hint=key)


def settled(expr: Expr) -> Expr:
    """Return the expression with Go's zero value where it may be missing."""
    if not expr.missing:
        return expr
    if expr.kind.pointer or expr.kind.base not in _ZEROS:
        return replace(filtered(expr, "default(none)", expr.kind), missing=False)
    zero = json.dumps(expr.kind.zero) if expr.kind.zero else _ZEROS[expr.kind.base]
    return replace(
        filtered(expr, f"default({zero}, true)", replace(expr.kind, filled=bool(expr.kind.zero))), missing=False
    )


def truth(expr: Expr) -> Expr:
    """Return what Go's `if` takes the expression for."""
    kind = expr.kind
    if kind.base is Base.OPAQUE or (kind.base is Base.STRUCT and not kind.pointer):
        raise Refused(f"`{expr.source}` is {kind.base.value}, which is always true", "test one of its fields")
    if not kind.pointer:
        return replace(settled(expr), kind=FLAG) if kind.base is not Base.POISON else POISON
    tested = settled(replace(expr, missing=True))
    source = wrapped(tested, Level.FILTER)
    return Expr(f"{source} is not none", Level.FILTER, FLAG, negation=f"{source} is none")


def negated(expr: Expr) -> Expr:
    """Return `not x`."""
    tested = truth(expr)
    if tested.negation:
        return replace(tested, source=tested.negation, negation=tested.source)
    return Expr(f"not {wrapped(tested, Level.NOT)}", Level.NOT, FLAG)


def member(owner: Expr, key: str) -> Expr:
    """Return the field of an object, or the value of a map's key. Raises Refused."""
    kind = owner.kind
    if kind.base is Base.POISON:
        return POISON
    if kind.struct is not None:
        return kind.struct.find(owner, key)
    if kind.base is Base.ANY:
        return looked_up(owner, key, ANY, missing=True)
    if kind.base is not Base.MAP:
        raise Refused(f"`.{key}` is taken of `{owner.source}`, which is {kind.base.value}", "take a field of an object")
    if isinstance(kind.known, Mapping) and kind.known.get(key) is not None:
        value = kind.known[key]
        return replace(looked_up(owner, key, kind_of(value), missing=False), texts=_texts_in(value))
    item = kind.item or ANY
    null = isinstance(kind.known, Mapping) and key in kind.known
    return looked_up(owner, key, replace(item, known=None) if null else item, missing=True)
