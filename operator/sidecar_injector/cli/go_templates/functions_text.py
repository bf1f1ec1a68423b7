"""Functions on text, and those that say how a value is written as YAML."""

import re
from collections.abc import Sequence
from dataclasses import replace

from sidecar_injector.cli.go_templates.calls import (
    ENDLESS,
    Arguments,
    Translation,
    as_text,
    collection,
    infix,
    plain,
    register,
    scalar,
    text,
    unformatted,
    whole,
)
from sidecar_injector.cli.go_templates.findings import Refused
from sidecar_injector.cli.go_templates.values import (
    FLAG,
    TEXT,
    UNKNOWN,
    Base,
    Expr,
    Form,
    Kind,
    Level,
    filtered,
    joined,
    literal,
    method,
    settled,
    wrapped,
)

# --- text


@register("printf", least=1, most=ENDLESS)
def _printf(arguments: Arguments) -> Expr:
    shape, values = arguments[0], list(arguments[1:])
    if not shape.constant or not isinstance(shape.kind.known, str):
        raise Refused("the format of `printf` is no constant text", "join the parts: `a ~ b`")
    pieces = re.split(r"(%.)", shape.kind.known, flags=re.S)
    parts: list[Expr] = []
    for piece in pieces:
        if piece == "%%" or not piece.startswith("%"):
            parts += [literal(piece.replace("%%", "%"))] if piece else []
        elif piece in _VERBS and values:
            parts.append(_formatted(piece, values.pop(0)))
        else:
            raise Refused(f"`{piece}` in `printf`", "there are %s, %d, %v and %%, one for each value")
    if values:
        raise Refused("`printf` has more values than places", "give one for each place")
    return _concatenated(parts)


_VERBS = {"%s": (Base.TEXT, Base.ANY), "%d": (Base.NUMBER,), "%v": tuple(Base)}


def _formatted(verb: str, value: Expr) -> Expr:
    found = scalar(value)
    of_values = found.kind.known is not UNKNOWN and not found.constant  # whose numbers all have fractions, to Go
    if found.kind.base not in _VERBS[verb] or (verb == "%d" and of_values):
        raise Refused(f"`{verb}` in `printf` for {found.kind.base.value}, which Go prints as an error", "use %v")
    return value if value.kind.base is Base.ANY else found


def _concatenated(parts: Sequence[Expr]) -> Expr:
    if not parts:
        return literal("")
    filled = any(part.kind.filled or part.kind.base in (Base.NUMBER, Base.FLAG) for part in parts)
    if len(parts) == 1:
        return as_text(parts[0])
    return joined(list(parts), "~", Level.JOIN, Kind(Base.TEXT, filled=filled))


def _with_filter(name: str, *, fills: bool = False) -> Translation:
    def translate(arguments: Arguments) -> Expr:
        value = text(arguments[0])
        return filtered(value, name, replace(TEXT, filled=fills or value.kind.filled))

    return translate


register("lower", "toLower", least=1)(_with_filter("lower"))
register("upper", least=1)(_with_filter("upper"))
register("b64enc", least=1)(_with_filter("b64encode"))
register("b64dec", least=1)(_with_filter("b64decode"))
register("sha256sum", least=1)(_with_filter("sha256", fills=True))


@register("toString", least=1)
def _to_string(arguments: Arguments) -> Expr:
    return as_text(arguments[0])


@register("trim", least=1)
def _trim(arguments: Arguments) -> Expr:
    value = arguments[0]
    return value if value.form in (Form.YAML, Form.JSON) else method(text(value), "strip()", TEXT)


@register("trunc", least=2)
def _trunc(arguments: Arguments) -> Expr:
    width, value = whole(arguments[0], "the length for `trunc`"), text(arguments[1])
    cut = f":{width}" if width >= 0 else f"{width}:"
    filled = value.kind.filled and width != 0
    return Expr(f"{wrapped(value, Level.ATOM)}[{cut}]", Level.ATOM, replace(TEXT, filled=filled))


def _by_method(name: str, *order: int, kind: Kind = TEXT) -> Translation:
    """Return a translation to a method of the last argument; `order` says which arguments it takes."""

    def translate(arguments: Arguments) -> Expr:
        given = ", ".join(text(arguments[position]).source for position in order)
        return method(text(arguments[-1]), f"{name}({given})", kind)

    return translate


register("trimAll", least=2)(_by_method("strip", 0))
register("trimPrefix", least=2)(_by_method("removeprefix", 0))
register("trimSuffix", least=2)(_by_method("removesuffix", 0))
register("replace", least=3)(_by_method("replace", 0, 1))
register("splitList", least=2)(_by_method("split", 0, kind=Kind(Base.LIST, item=TEXT)))
register("hasPrefix", least=2)(_by_method("startswith", 0, kind=FLAG))
register("hasSuffix", least=2)(_by_method("endswith", 0, kind=FLAG))


@register("contains", least=2)
def _contains(arguments: Arguments) -> Expr:
    return infix(text(arguments[0]), "in", text(arguments[1]))


@register("join", least=2)
def _join(arguments: Arguments) -> Expr:
    return filtered(collection(arguments[1], Base.LIST), f"join({text(arguments[0]).source})", TEXT)


# --- formatting, of what is printed


@register("quote", "squote", least=1)
def _quote(arguments: Arguments) -> Expr:
    value = arguments[0]
    if value.form is Form.JSON:
        return replace(plain(value), form=Form.QUOTED)
    return replace(value if value.kind.base is Base.ANY else scalar(value), form=Form.QUOTED)


@register("toYaml", least=1)
def _to_yaml(arguments: Arguments) -> Expr:
    return replace(_nothing_is_null(_formattable(arguments[0])), form=Form.YAML)


@register("toJson", "toRawJson", least=1)
def _to_json(arguments: Arguments) -> Expr:
    return replace(_nothing_is_null(_formattable(arguments[0])), form=Form.JSON)


@register("toJSON", least=1)
def _map_to_json(arguments: Arguments) -> Expr:
    return replace(settled(_formattable(arguments[0])), form=Form.JSON)


def _formattable(value: Expr) -> Expr:
    value = unformatted(value)
    if value.kind.base in (Base.OPAQUE, Base.DURATION, Base.CONDITION):
        problem = f"`{value.source}` is {value.kind.base.value}, which Go formats in its own way"
        raise Refused(problem, "print it as it is")
    if not value.source:
        raise Refused("a whole object of the template's data is formatted", "format a field of it")
    return value


def _nothing_is_null(value: Expr) -> Expr:
    return replace(filtered(value, "default(none)", value.kind), missing=False) if value.missing else value


@register("indent", least=2)
def _indent(arguments: Arguments) -> Expr:
    return replace(_indentable(arguments[1]), indent=whole(arguments[0], "the width of `indent`"))


@register("nindent", least=2)
def _nindent(arguments: Arguments) -> Expr:
    return replace(_indentable(arguments[1]), indent=whole(arguments[0], "the width of `indent`"), newline=True)


def _indentable(value: Expr) -> Expr:
    if value.indent is not None:
        raise Refused("a text is indented twice", "indent it once")
    return value if value.form is not Form.PLAIN else text(value)
