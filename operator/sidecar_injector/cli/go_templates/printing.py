"""How a value is printed: as Go would have it after its text was read as YAML, in every place where it stands."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.cli.go_templates.findings import Refused
from sidecar_injector.cli.go_templates.places import Place, Style
from sidecar_injector.cli.go_templates.values import (
    ANY,
    TEXT,
    Base,
    Expr,
    Form,
    Level,
    filtered,
    method,
    settled,
    wrapped,
)
from sidecar_injector.errors import InputFileError
from sidecar_injector.templating import load_all_yaml

_SCALARS = (Base.TEXT, Base.NUMBER, Base.FLAG, Base.ANY)
_STRUCTURES = (Base.LIST, Base.MAP, Base.STRUCT)
_UNPRINTABLE = (Base.OPAQUE, Base.DURATION, Base.CONDITION)
_FLOW_SIGNS = frozenset(",[]{}#:")
_LONGEST_PLAIN = 1_000_000
"""Go writes larger numbers of the values with an exponent: 1e+06."""


@dataclass(frozen=True)
class Print:
    """What stands in our template for a printed value: an expression, and the text before and behind it.

    Attributes:
        source: the expression; empty for a value in a comment, which is left out.
        before: text before it, such as a quotation mark.
        behind: text behind it.
        joins: it may move to the line of its key.
        note: what differs from what Go prints.
    """

    source: str
    before: str = ""
    behind: str = ""
    joins: bool = False
    note: str = ""


DEEPER = "  "
"""Before formatted YAML, which may be a list that stands at the column of its key; a value has to stand deeper."""


def lead(expr: Expr) -> str:
    """Return what is printed before a value on account of how it is formatted."""
    line = f"\n{' ' * (expr.indent or 0)}" if expr.newline else ""
    return line + (DEEPER if expr.form is Form.YAML else "")


def printed(expr: Expr, places: Sequence[Place]) -> Print:
    """Return how a value is printed that stands in these places in the ways through its template. Raises Refused."""
    if not places or expr.kind.base is Base.POISON:
        return Print("")
    found = {_in_place(expr, place) for place in places}
    if len(found) > 1:
        raise Refused(
            f"`{expr.source}` is the whole value in one way through the template, and a part of it in another",
            "write the whole value in each of the ways",
        )
    return found.pop()


def _in_place(expr: Expr, place: Place) -> Print:
    if place.key:
        return _as_key(expr)
    if place.style is Style.PLAIN and place.whole:
        return _as_whole(expr, place)
    return _as_part(expr, place)


def _as_key(expr: Expr) -> Print:
    if expr.form not in (Form.PLAIN, Form.QUOTED) or expr.kind.base not in _SCALARS:
        raise Refused(f"`{expr.source}` is printed as a key, and is no text", "print text")
    quote = '"' if expr.form is Form.QUOTED else ""
    return Print(settled(expr).source, quote, quote)


# --- a value of its own


def _as_whole(expr: Expr, place: Place) -> Print:
    before = lead(expr)
    if expr.form is Form.QUOTED:
        return Print(_quoted_source(expr), f'{before}"', '"')
    if expr.form in (Form.YAML, Form.JSON):
        _check_indent(expr, place)
        return Print(settled(expr).source, before, joins=True)
    if expr.kind.base in _STRUCTURES or expr.kind.base in _UNPRINTABLE:
        raise _inner_form(expr)
    source, note = _scalar_source(expr, place)
    return Print(source, before, note=note)


def _quoted_source(expr: Expr) -> str:
    """Return what stands in quotation marks; Go leaves them out for what is not set, and so gives no value."""
    if expr.missing and (expr.kind.base is Base.ANY or expr.kind.pointer):
        return filtered(expr, "default(omit)", TEXT).source
    return settled(expr).source


def _check_indent(expr: Expr, place: Place) -> None:
    """Refuse formatted YAML whose lines would not all belong to its key."""
    if expr.form is not Form.YAML or place.column is None:
        return
    column = place.column - len(DEEPER)
    indent = column if expr.indent is None else expr.indent
    least = -1 if place.key_column is None else place.key_column
    if indent < column or column < least or (column == least and expr.kind.base is not Base.LIST):
        raise Refused(
            f"`toYaml` at column {column}, indented by {indent}: its lines do not all belong to the same key",
            "print the value alone: `key: {{ value }}`",
        )


def _inner_form(expr: Expr) -> Refused:
    what = expr.source or "an object of the template's data"
    return Refused(f"`{what}` is {expr.kind.base.value}, which Go prints in its own inner form", "format it: `toYaml`")


def _scalar_source(expr: Expr, place: Place) -> tuple[str, str]:
    """Return the expression for a scalar, which Go prints as text and reads back as YAML."""
    if expr.indent is not None and expr.kind.base is not Base.TEXT:
        raise Refused(f"`{expr.source}` is indented, and is no text", "print it as it is")
    if place.flow:
        _check_flow(expr)
    base = expr.kind.base
    if base in (Base.NUMBER, Base.FLAG):
        return _as_it_is(expr), ""
    if base is Base.ANY:
        mixed = expr.level is not Level.ATOM and not (expr.missing or expr.kind.filled or place.item)
        expr = _not_null(expr)
        return f'none if {wrapped(expr, Level.ADD)} == "" else {wrapped(expr, Level.OR)}' if mixed else expr.source, ""
    if _is_read_as_yaml(expr, place):
        return filtered(settled(expr), "from_yaml", expr.kind).source, ""
    if expr.kind.filled or expr.kind.zero or place.item:
        return settled(expr).source, ""
    return _nullable(expr), ""


def _nullable(expr: Expr) -> str:
    """Return text with null for an empty one: nothing, behind a key, is null in YAML."""
    if expr.missing:
        return filtered(expr, "default(none, true)", expr.kind).source
    return f"{wrapped(expr, Level.OR)} or none"


def _is_read_as_yaml(expr: Expr, place: Place) -> bool:
    """Tell whether the text may stand for something else than itself: a number where a name can stand, a list."""
    if place.expected in ("map", "list", "int-or-string"):
        return not (expr.constant and _reads_as_itself(expr.kind.known))
    found = any(_is_yaml(text, place) for text in expr.texts)
    if found and place.item and not expr.kind.filled:
        raise _signs(expr)
    return found


def _is_yaml(text: str, place: Place) -> bool:
    """Tell whether a text is something else when it is read as YAML, where that makes a difference."""
    scalar = isinstance(_yaml(text), bool | int | float) and place.expected not in ("", "any")
    return bool(text) and not scalar and (not _reads_as_itself(text) or _is_read_otherwise(text, Style.PLAIN))


def _reads_as_itself(text: object) -> bool:
    return isinstance(text, str) and _yaml(text) == text


def _yaml(text: str) -> object:
    try:
        documents = load_all_yaml(text, "")
    except InputFileError:
        return text
    return documents[0].value if documents else None


def _check_flow(expr: Expr) -> None:
    known = expr.kind.known
    if expr.kind.base is not Base.TEXT or (isinstance(known, str) and not _FLOW_SIGNS & set(known)):
        return
    if expr.source.startswith(("workload.", "namespace.name", "revision", "proxy.")):
        return
    raise Refused(
        f"`{expr.source}` stands in brackets without quotes: a comma in it would make two items",
        "write a list with one item a line, or print the list itself: `args: {{ list }}`",
    )


# --- a part of a text


def _as_part(expr: Expr, place: Place) -> Print:
    if expr.newline:
        raise Refused("`nindent` stands in the middle of a text", "print the value in a line of its own")
    if expr.form is Form.YAML:
        raise Refused("`toYaml` stands in the middle of a text", "print `… | to_yaml`, which formats in its own way")
    if expr.form is Form.JSON:
        return _json_part(expr, place)
    if expr.kind.base in _STRUCTURES or expr.kind.base in _UNPRINTABLE:
        raise _inner_form(expr)
    if expr.indent is not None:
        return _indented_part(expr, place)
    if expr.form is Form.QUOTED:
        return _quoted_part(expr, place)
    if place.style is Style.PLAIN:
        _check_plain_part(expr, place)
    _refuse_signs(expr, place)
    return Print(_as_it_is(expr), note=_number_note(expr))


def _as_it_is(expr: Expr) -> str:
    """Return a scalar; what is not set, which Go prints as `<nil>` or `<no value>`, stays an error."""
    if expr.kind.base is Base.ANY:
        return _not_null(expr).source
    return expr.source if expr.kind.pointer else settled(expr).source


def _not_null(expr: Expr) -> Expr:
    """Return a value; one that the values say is null, which Go prints as `<no value>`, refuses the Pod."""
    if expr.kind.known is not None or expr.constant:
        return expr
    return filtered(expr, f"required({json.dumps(expr.source + ' is null')})", ANY)


def _indented_part(expr: Expr, place: Place) -> Print:
    """Return text of several lines in a block, which is indented there by itself, and whose line end is the block's."""
    known = expr.kind.known
    if place.style is not Style.BLOCK or place.column != expr.indent:
        raise Refused(f"`indent {expr.indent}` of a text in the middle of another", "leave `indent` out")
    if isinstance(known, str) and not known.endswith("\n"):
        return Print(settled(expr).source)
    if not place.last:
        raise Refused("text that may end in a line end is printed before other text", "strip it: `x.strip()`")
    return Print(method(settled(expr), 'rstrip("\\n")', expr.kind).source)


_AS_WRITTEN = {Style.PLAIN: "x{}x", Style.DOUBLE: '"{}"', Style.SINGLE: "'{}'", Style.BLOCK: "|-\n {}"}


def _refuse_signs(expr: Expr, place: Place) -> None:
    """Refuse text of the template or the values that Go reads otherwise in this place, such as a line end in quotes."""
    if any(_is_read_otherwise(text, place.style) for text in expr.texts):
        raise _signs(expr)


def _signs(expr: Expr) -> Refused:
    return Refused(
        f"`{expr.source}` holds signs that mean something in YAML, and Go reads them where it is printed",
        "print it as `x | from_yaml`, or write its text into the template",
    )


def _is_read_otherwise(text: str, style: Style) -> bool:
    written = _AS_WRITTEN[style].format(text)
    return bool(text) and _yaml(written) not in (written, f"x{text}x" if style is Style.PLAIN else text)


def _json_part(expr: Expr, place: Place) -> Print:
    if place.style is Style.DOUBLE:
        raise Refused("`toJSON` stands in double quotes, which its own would end", "print `'{{ x | to_json }}'`")
    if expr.indent is not None and place.column != expr.indent:
        raise Refused(f"`indent {expr.indent}` in the middle of a text", "leave `indent` out")
    return Print(filtered(settled(expr), "to_json", TEXT).source)


def _quoted_part(expr: Expr, place: Place) -> Print:
    if place.style in (Style.PLAIN, Style.DOUBLE):
        raise Refused(
            f"`quote` of `{expr.source}` inside a text: its quotation marks become part of it",
            'leave `quote` out, and put the whole text in quotes: "a={{ x }}"',
        )
    text = settled(expr)
    text = text if text.kind.base is Base.TEXT else filtered(text, "string", TEXT)
    return Print(filtered(text, "to_json", TEXT).source)


def _check_plain_part(expr: Expr, place: Place) -> None:
    if place.flow:
        _check_flow(expr)
    if place.expected in ("map", "list", "int-or-string"):
        raise Refused(f"`{expr.source}` is a part of a value that may be a number", "print the whole value at once")
    if place.alone and expr.kind.base is Base.TEXT and not expr.kind.filled:
        raise Refused(
            f"`{expr.source}` and another value are printed side by side, and both may be empty",
            'put them in quotes: "{{ a }}{{ b }}"',
        )


def _number_note(expr: Expr) -> str:
    known = expr.kind.known
    if isinstance(known, int | float) and not isinstance(known, bool) and abs(known) >= _LONGEST_PLAIN:
        return f"`{expr.source}` is printed as {known}, not in Go's notation {known:.6g}"
    return ""


Prints = Mapping[int, Print]
