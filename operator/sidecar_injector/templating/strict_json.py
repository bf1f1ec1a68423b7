"""JSON as the standard has it, and no more: Python's own reader takes NaN, infinity, 1e999 and repeated keys, too.

Every JSON text from outside goes through here: reviews, annotations, files, what templates read.
"""

import json
import math
from collections import Counter
from typing import Any, NoReturn

MOST_LEVELS = 200
"""Of lists and maps inside each other: what walks a value afterwards may use several of Python's levels for one."""


class RepeatedKey(ValueError):  # noqa: N818 - a problem, not yet an error of ours
    """A key that is there twice in one object."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {json.dumps(key)} is there twice in one object")
        self.key = key


def read_json(text: str, *, unique: bool = False) -> Any:
    """Return what a text says as JSON; with `unique`, no key may be there twice in one object.

    Raises:
        ValueError: it is no JSON, or has a number that JSON or Python cannot hold.
        RepeatedKey: a ValueError, see `unique`.
        RecursionError: it is nested too deeply.
    """
    if text.startswith("\ufeff"):
        raise ValueError("Unexpected UTF-8 BOM")
    value = decoder(unique=unique).decode(text)
    if text.count("[") + text.count("{") > MOST_LEVELS:
        _check_depth(value)
    return value


def decoder(*, unique: bool = False) -> json.JSONDecoder:
    """Return a decoder for texts that hold more than one value."""
    return _UNIQUE if unique else _ANY


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_LEVELS):
        members = [member for item in level for member in (item.values() if type(item) is dict else item)]
        level = [member for member in members if type(member) in (dict, list)]
        if not level:
            return
    raise RecursionError


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number that JSON has")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text[:20])


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RepeatedKey(next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1))
    return members


_ANY = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite)
_UNIQUE = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_unique_members)
