"""Amounts of a resource, such as `100m` or `64Mi`.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from decimal import Decimal

QUANTITY = re.compile(r"[+-]?(\d+(?:\.\d*)?|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?", re.ASCII)
_FACTORS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def amount(quantity: object) -> Decimal | None:
    """Return the number that a quantity stands for, None for what is none."""
    match = QUANTITY.fullmatch(str(quantity))
    if match is None:
        return None
    number, suffix = Decimal(str(quantity)[: match.end(1)]), match[2] or ""
    if suffix.endswith("i"):
        return number * Decimal(1024) ** ("KMGTPE".index(suffix[0]) + 1)
    exponent = _FACTORS.get(suffix, int(suffix[1:]) if suffix[1:] else 0)
    return number.scaleb(exponent)
