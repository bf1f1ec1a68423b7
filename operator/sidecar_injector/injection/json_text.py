"""JSON in annotations: anybody may have written it, and what Python reads beyond JSON must not get into a patch."""

import json
import math
from typing import NoReturn


def json_of(text: str) -> object:
    """Return what a text says as JSON; None for what is none, and for what only Python takes for a number."""
    try:
        return json.loads(text, parse_constant=no_number, parse_float=finite)
    except (ValueError, RecursionError):
        return None


def no_number(text: str) -> NoReturn:
    """Raise ValueError for what Python's reader takes for a number, such as NaN."""
    raise ValueError(f"{text} is no number that JSON has")


def finite(text: str) -> float:
    """Return the number of a text. Raises ValueError for one that is beyond all."""
    number = float(text)
    return number if math.isfinite(number) else no_number(text)
