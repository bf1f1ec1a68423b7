"""Opaque words that stand for printed values in rendered text.

A marker holds 64 random bits drawn when the process starts, so no input can contain one. Its first letter starts no
escape sequence of YAML's double-quoted style and no hexadecimal number, so one behind a stray backslash is an error.
"""

import re
import secrets
from collections.abc import Iterator
from itertools import chain, count, islice

_PREFIX = f"Z{secrets.token_hex(8)}"
MARKER = re.compile(f"{_PREFIX}v([0-9]+)Z")
"""Finds the markers of printed values; group 1 is the index of the value's slot."""
LINE_MARK = re.compile(f"{_PREFIX}l([0-9]+)Z")
"""Finds the marks of template lines in a traced rendering (`tracing`); group 1 is the line."""


def marker(index: int) -> str:
    """Return the marker of the value in this slot."""
    return f"{_PREFIX}v{index}Z"


_FIRST = tuple(map(marker, range(512)))


def markers(start: int = 0) -> Iterator[str]:
    """Return the markers of all slots from this one on, in order."""
    return chain(islice(_FIRST, start, None), map(marker, count(max(start, len(_FIRST)))))


def line_mark(line: int) -> str:
    """Return the mark of this template line."""
    return f"{_PREFIX}l{line}Z"


def holds_marker(text: str) -> bool:
    """Tell whether this text, which is not from outside, holds a marker."""
    return _PREFIX in text


def readable(text: str) -> str:
    """Return rendered text as users may see it: markers as `{{ … }}`."""
    return MARKER.sub("{{ … }}", LINE_MARK.sub("", text))
