"""Functions that compare and choose."""

from collections.abc import Callable
from dataclasses import replace

from sidecar_injector.cli.go_templates.calls import (
    ENDLESS,
    FUNCTIONS,
    Arguments,
    Function,
    infix,
    plain,
    register,
    scalar,
    text,
    together,
    unformatted,
)
from sidecar_injector.cli.go_templates.findings import Refused
from sidecar_injector.cli.go_templates.values import (
    ANY,
    FLAG,
    TEXT,
    Base,
    Expr,
    Kind,
    Level,
    filtered,
    joined,
    negated,
    settled,
    truth,
    wrapped,
)

# --- comparing


@register("eq", least=2, most=ENDLESS)
def _eq(arguments: Arguments) -> Expr:
    first = arguments[0]
    return joined([_compared(first, "==", other) for other in arguments[1:]], "or", Level.OR, FLAG)


@register("ne", least=2)
def _ne(arguments: Arguments) -> Expr:
    return _compared(arguments[0], "!=", arguments[1])


def _compared(left: Expr, sign: str, right: Expr) -> Expr:
    for one, other in ((left, right), (right, left)):
        if one.constant and one.kind.known is None:
            tested = wrapped(settled(replace(other, missing=True, kind=ANY)), Level.FILTER)
            return Expr(f"{tested} is {'none' if sign == '==' else 'not none'}", Level.FILTER, FLAG)
    left, right = _comparable(left, right)
    return infix(left, sign, right)


def _comparable(left: Expr, right: Expr) -> tuple[Expr, Expr]:
    left, right = scalar(left), scalar(right)
    kinds = {left.kind.base, right.kind.base} - {Base.ANY}
    if len(kinds) > 1:
        found = " with ".join(sorted(base.value for base in kinds))
        raise Refused(
            f"`{left.source}` and `{right.source}`: Go does not compare {found}", "compare values of one type"
        )
    return left, right


def _ordering(sign: str) -> Callable[[Arguments], Expr]:
    def translate(arguments: Arguments) -> Expr:
        left, right = _comparable(arguments[0], arguments[1])
        return infix(left, sign, right)

    return translate


for _name, _sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">=")):
    FUNCTIONS[_name] = Function(2, 2, _ordering(_sign))


@register("not", least=1)
def _not(arguments: Arguments) -> Expr:
    return negated(unformatted(arguments[0]))


@register("empty", least=1)
def _empty(arguments: Arguments) -> Expr:
    return negated(scalar(arguments[0]) if arguments[0].kind.pointer else plain(arguments[0]))


@register("and", least=1, most=ENDLESS)
def _and(arguments: Arguments) -> Expr:
    return _either(arguments, "and", Level.AND)


@register("or", "coalesce", least=1, most=ENDLESS)
def _or(arguments: Arguments) -> Expr:
    found = _either(arguments, "or", Level.OR)
    return replace(found, kind=replace(found.kind, filled=arguments[-1].kind.filled))


def _either(arguments: Arguments, sign: str, level: Level) -> Expr:
    tested = [truth(unformatted(part)) for part in arguments]
    if any(part.kind.pointer or part.kind.base is Base.CONDITION for part in arguments):
        return joined(tested, sign, level, Kind(Base.CONDITION))
    return joined([plain(part) for part in arguments], sign, level, replace(together(arguments), filled=False))


# --- choosing


@register("default", least=1, most=2)
def _default(arguments: Arguments) -> Expr:
    fallback = plain(arguments[0])
    if len(arguments) == 1:
        return fallback
    value = unformatted(arguments[1])
    truth(value)
    if value.kind.pointer or value.kind.base is Base.CONDITION:
        raise Refused(f"`default` of `{value.source}`, a pointer, which Go takes for given", "test it with `if`")
    filled = fallback.kind.filled or fallback.kind.base in (Base.NUMBER, Base.FLAG)
    return filtered(value, f"default({fallback.source}, true)", replace(together([value, fallback]), filled=filled))


@register("valueOrDefault", least=2)
def _value_or_default(arguments: Arguments) -> Expr:
    value, fallback = scalar(arguments[0]), plain(arguments[1])
    if value.kind.named:
        raise Refused(f"`valueOrDefault` of `{value.source}`, which Go never takes for empty", "use `default`")
    kind = replace(together([value, fallback]), filled=fallback.kind.filled)
    if value.kind.base is Base.TEXT:
        return joined([value, fallback], "or", Level.OR, kind)
    test = f'{wrapped(value, Level.ADD)} in ["", none]'
    return Expr(f"{wrapped(fallback, Level.OR)} if {test} else {wrapped(value, Level.OR)}", Level.CHOICE, kind)


@register("ternary", least=3)
def _ternary(arguments: Arguments) -> Expr:
    yes, no, condition = plain(arguments[0]), plain(arguments[1]), truth(unformatted(arguments[2]))
    source = f"{wrapped(yes, Level.OR)} if {wrapped(condition, Level.OR)} else {wrapped(no, Level.CHOICE)}"
    return Expr(source, Level.CHOICE, together([yes, no]))


@register("fail", least=1)
def _fail(arguments: Arguments) -> Expr:
    return Expr(f"fail({text(arguments[0]).source})", Level.ATOM, replace(TEXT, filled=True))
