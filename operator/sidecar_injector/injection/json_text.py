"""JSON in annotations: anybody may have written it, and what Python reads beyond JSON must not get into a patch."""

import json
import math
from typing import NoReturn


def json_of(text: str) -> object:
    """Return what a text says as JSON; None for what is none, and for what only Python takes for a number."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        return None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)
