"""From JSON values to YAML that every reader understands alike: YAML 1.1, YAML 1.2 and kubectl."""

import json
import re
from collections.abc import Iterator

from sidecar_injector.templating.yaml12.scalars import is_other_type

_PLAIN = re.compile(
    r"(?:--?(?=[A-Za-z]))?[A-Za-z_/$(][A-Za-z0-9_./$()@+=,;<>^~-]*(?:[ :][A-Za-z0-9_./$()@+=,;<>^~-]+)*"
)
_QUANTITY = re.compile(r"[0-9]+(?:m|s|[KMGTPE]i?)")
_NOT_IN_BLOCK = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff-\ufeff\ufffe\uffff]")
_LONGEST_SIMPLE_KEY = 1000


def dump_yaml(value: object) -> str:
    """Write a JSON value as one YAML document in block style, ending in a newline.

    Keys keep their order. Text that some reader would take for another type (`on`, `0644`, `1e3`, `~`) is quoted, text
    of several lines is a literal block. Keys that are not text are written as their text.
    """
    return "\n".join(_lines(value)) + "\n"


def _lines(value: object) -> Iterator[str]:
    """Give the lines of a value that stands at column 0."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _entry(_key(key), member)
    elif isinstance(value, list | tuple) and value:
        for item in value:
            yield from _item(item)
    else:
        first, *rest = _leaf(value)
        yield first
        yield from rest


def _entry(key: str, member: object) -> Iterator[str]:
    if isinstance(member, dict) and member:
        yield key
        yield from _indented(_lines(member))
    elif isinstance(member, list | tuple) and member:
        yield key
        yield from _lines(member)
    else:
        first, *rest = _leaf(member)
        yield f"{key} {first}"
        yield from rest


def _item(item: object) -> Iterator[str]:
    if isinstance(item, dict | list | tuple) and item:
        first, *rest = _lines(item)
        yield f"- {first}"
        yield from _indented(iter(rest))
    else:
        first, *rest = _leaf(item)
        yield f"- {first}"
        yield from rest


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" if line else line for line in lines)


def _key(key: object) -> str:
    text = _inline(key if isinstance(key, str) else json.dumps(key))
    return f"{text}:" if len(text) <= _LONGEST_SIMPLE_KEY else f"? {text}\n:"


def _leaf(value: object) -> list[str]:
    if isinstance(value, str):
        return _block(value) if _fits_block(value) else [_inline(value)]
    if isinstance(value, dict):
        return ["{}"]
    if isinstance(value, list | tuple):
        return ["[]"]
    return [_number(value) if isinstance(value, float) else json.dumps(value)]


def _number(value: float) -> str:
    """Write a float with a decimal point, without which YAML 1.1 takes 1e-07 for text."""
    mantissa, exponent, power = json.dumps(value).partition("e")
    return f"{mantissa if '.' in mantissa or not exponent else mantissa + '.0'}{exponent}{power}"


def _fits_block(text: str) -> bool:
    return (
        "\n" in text
        and text.strip("\n") != ""
        and not _NOT_IN_BLOCK.search(text)
        and not text.lstrip("\n").startswith("\t")
    )


def _block(text: str) -> list[str]:
    body = text.rstrip("\n")
    trailing = len(text) - len(body)
    chomp = {0: "-", 1: ""}.get(trailing, "+")
    indicator = "2" if body.lstrip("\n").startswith(" ") else ""
    lines = body.split("\n") + [""] * (trailing - 1 if trailing > 1 else 0)
    return [f"|{indicator}{chomp}", *(f"  {line}" if line else line for line in lines)]


def _inline(text: str) -> str:
    if (_PLAIN.fullmatch(text) and not is_other_type(text)) or _QUANTITY.fullmatch(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
