"""Filters on text."""

import base64
import binascii
import hashlib
import re
from math import isfinite

from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.operations import fragment
from sidecar_injector.templating.language.values import Fragment, YamlText, describe
from sidecar_injector.templating.language.vocabulary import FILTERS, items, text, whole

_FORMAT = re.compile(
    r"%(?:%|[#0 +-]*(?P<width>\d+)?(?:\.(?P<precision>\d+))?(?P<type>[sdifFeEgGxXo])|(?P<bad>.?))", re.S
)
_WIDEST = 1000
_MOST_STRIPPED = 100
_WHITESPACE = " \t\n\r"


@FILTERS.add()
def lower(context: RenderContext, value: object) -> str:
    """Text in lower case."""
    return _paid(context, text(value)).lower()


@FILTERS.add()
def upper(context: RenderContext, value: object) -> str:
    """Text in upper case."""
    return _paid(context, text(value)).upper()


@FILTERS.add()
def capitalize(context: RenderContext, value: object) -> str:
    """Text with its first letter in upper case and the others in lower case."""
    return _paid(context, text(value)).capitalize()


@FILTERS.add()
def title(context: RenderContext, value: object) -> str:
    """Text with each word capitalized."""
    return _paid(context, text(value)).title()


@FILTERS.add(fragments=True)
def trim(context: RenderContext, value: object, chars: str = _WHITESPACE) -> str | Fragment:
    """Text without white space, or the given characters, at both ends; a macro's text stays template text."""
    if isinstance(value, Fragment):
        return fragment(context, value.text.strip(_WHITESPACE))
    stripped = _paid(context, text(value)).strip(few(text(chars)))
    return YamlText(stripped) if isinstance(value, YamlText) else stripped


@FILTERS.add(fragments=True)
def indent(
    context: RenderContext, value: object, width: int = 4, first: bool = False, blank: bool = False
) -> str | Fragment:
    """Text with every line but the first indented by `width` spaces; a macro's text stays template text."""
    source = value.text if isinstance(value, Fragment) else text(value)
    if not 0 <= whole(width) <= _WIDEST:
        raise LimitReached(f"filter `indent`: the width {width} is not between 0 and {_WIDEST}", "indent by less")
    margin = " " * width
    lines = source.count("\n") + 1
    context.pay(len(source) + lines * width)
    context.charge(lines)
    indented = [
        margin + line if (blank or line.strip()) and (first or number) else line
        for number, line in enumerate(source.split("\n"))
    ]
    result = "\n".join(indented)
    if isinstance(value, Fragment):
        return fragment(context, result)
    return YamlText(result) if isinstance(value, YamlText) else result


@FILTERS.add()
def replace(context: RenderContext, value: object, old: str, new: str, count: int = -1) -> str:
    """Text with `old` replaced by `new`, at most `count` times."""
    return replaced(context, text(value), text(old), text(new), -1 if count is None else whole(count))


def replaced(context: RenderContext, source: str, old: str, new: str, count: int) -> str:
    """Replace within the limits."""
    context.search(source, old)
    found = source.count(old) if count < 0 else min(count, source.count(old))
    context.search(source, old)
    context.pay(len(source) + found * (len(new) - len(old)))
    return source.replace(old, new, count)


@FILTERS.add()
def split(context: RenderContext, value: object, separator: str | None = None, count: int = -1) -> list[str]:
    """List of the parts of a text between separators (default: white space)."""
    source = _paid(context, text(value))
    if separator == "":
        raise Failure("the separator is empty", "leave it out to split at white space")
    context.search(source, "" if separator is None else text(separator))
    parts = source.split(None if separator is None else text(separator), whole(count))
    context.charge(len(parts))
    return parts


@FILTERS.add()
def join(context: RenderContext, value: object, separator: str = "", attribute: str | None = None) -> str:
    """Items of a list as one text, with a separator; with `attribute`, that field of each item."""
    members = items(context, value)
    if attribute is not None:
        members = [context.field(item, attribute) for item in members]
    return joined(context, members, text(separator))


def joined(context: RenderContext, members: list[object], separator: str) -> str:
    """Join within the limits; lists and maps among the members are written as JSON."""
    parts = [member if type(member) is str else context.text(member) for member in members]
    context.pay(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


@FILTERS.add(price=6)
def string(context: RenderContext, value: object) -> str:
    """Value as text: `true`, `null`, numbers as they are, lists and maps as JSON."""
    return context.text(value)


@FILTERS.add("format")
def format_(context: RenderContext, value: object, *values: object) -> str:
    """Text with `%s`, `%d`, `%05d`, `%.2f`, `%x` … replaced by the given values, in order."""
    template = text(value)
    size, arguments = len(template), []
    context.charge((len(template) >> 3) + 2 * len(values))
    expected = [found for found in _FORMAT.finditer(template) if found[0] != "%%"]
    if len(expected) != len(values):
        raise Failure(
            f"the text has {len(expected)} places, but {len(values)} values are given", "give one for each `%`"
        )
    for found, argument in zip(expected, values, strict=True):
        if found["type"] is None:
            raise Failure(f"`{found[0]}` is no format", "use `%s`, `%d`, `%f`, `%x`, or `%%` for a percent sign")
        widest = max(int(found[group][:6]) if found[group] else 0 for group in ("width", "precision"))
        if widest > _WIDEST:
            raise LimitReached(f"filter `format`: `{found[0][:12]}…` is wider than {_WIDEST}", "use a smaller width")
        arguments.append(_formatted(context, argument, found["type"]))
        size += widest + (len(arguments[-1]) if isinstance(arguments[-1], str) else 340)
    context.pay(size)
    return template % tuple(arguments)


def _formatted(context: RenderContext, argument: object, type_: str) -> object:
    if type_ == "s":
        return context.text(argument)
    if isinstance(argument, bool) or not isinstance(argument, int | float) or not isfinite(argument):
        raise Failure(f"`%{type_}` takes a number, found {describe(argument)}", "use `%s`")
    return argument if type_ in "fFeEgG" else int(argument)


@FILTERS.add()
def b64encode(context: RenderContext, value: object) -> str:
    """Base64 of the text in UTF-8."""
    return base64.b64encode(_utf8(context, value)).decode()


@FILTERS.add()
def b64decode(context: RenderContext, value: object) -> str:
    """Text that is encoded as Base64 of UTF-8."""
    try:
        return base64.b64decode(_utf8(context, value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Failure("the text is not Base64 of UTF-8 text", "check where the value comes from") from error


@FILTERS.add()
def sha256(context: RenderContext, value: object, length: int = 64) -> str:
    """First `length` hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(_utf8(context, value)).hexdigest()[: whole(length)]


@FILTERS.add()
def dirname(context: RenderContext, value: object) -> str:
    """Directory part of a path, without the slash at its end: `/etc/proxy` of `/etc/proxy/config`."""
    head, slash, _ = _paid(context, text(value)).rpartition("/")
    return head.rstrip("/") or slash


@FILTERS.add()
def basename(context: RenderContext, value: object) -> str:
    """Last part of a path: `config` of `/etc/proxy/config`."""
    return _paid(context, text(value)).rpartition("/")[2]


def _utf8(context: RenderContext, value: object) -> bytes:
    try:
        return _paid(context, text(value)).encode()
    except UnicodeEncodeError as error:
        raise Failure(
            "the text holds a lone surrogate, which has no UTF-8", "check where the value comes from"
        ) from error


def few(characters: str) -> str:
    """Check what is to be stripped off a text: for each of its characters, all of these are looked at."""
    if len(characters) > _MOST_STRIPPED:
        problem = f"{len(characters)} different characters are stripped off; {_MOST_STRIPPED} are allowed"
        raise LimitReached(problem, "strip fewer")
    return characters


def _paid(context: RenderContext, source: str) -> str:
    context.pay(len(source))
    return source
