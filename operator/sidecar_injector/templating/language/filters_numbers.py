"""Filters on numbers, Kubernetes quantities and durations."""

import re
from fractions import Fraction
from math import isfinite

from sidecar_injector.templating.failures import Failure
from sidecar_injector.templating.language.values import HIGHEST, LOWEST
from sidecar_injector.templating.language.vocabulary import FILTERS, number, text, whole

_LONGEST_NUMBER = 40
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,2}))?")
_SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    **{suffix: Fraction(1000**power) for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{suffix: Fraction(1024**power) for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}
"""Suffixes of quantities; source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""

_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|ms|s|m|h))+)")
_DURATION_PART = re.compile(r"([0-9.]+)(ns|us|µs|ms|s|m|h)")
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
"""Units of durations; source: https://pkg.go.dev/time#ParseDuration"""


@FILTERS.add("abs")
def abs_(value: object) -> int | float:
    """Number without its sign."""
    return abs(number(value))


@FILTERS.add("int")
def int_(value: object, default: int = 0, base: int = 10) -> object:
    """Whole number that a text or number stands for; `default` if it stands for none."""
    if base not in (2, 8, 10, 16):
        raise Failure("`base` is 2, 8, 10 or 16", "leave it out for decimal numbers")
    try:
        if not isinstance(value, str):
            result = int(number(value)) if not isinstance(value, bool) else int(value)
        elif len(value) > _LONGEST_NUMBER:
            return default
        else:
            result = int(value, base) if base != 10 or "." not in value else int(float(value))
    except (ValueError, OverflowError, Failure):
        return default
    return result if LOWEST <= result <= HIGHEST else default


@FILTERS.add("float")
def float_(value: object, default: float = 0.0) -> object:
    """Number with a fraction that a text or number stands for; `default` if it stands for none."""
    try:
        result = float(value) if isinstance(value, str) and len(value) <= _LONGEST_NUMBER else float(number(value))
    except (ValueError, OverflowError, Failure):
        return default
    return result


@FILTERS.add("round", price=40)
def round_(value: object, precision: int = 0, method: str = "common") -> int | float:
    """Number rounded to `precision` digits, by default a whole one; `method` is "common", "ceil" or "floor"."""
    exact, factor = Fraction(_finite(value)), Fraction(10) ** _digits(precision)
    scaled = exact * factor
    rounded = {"ceil": -(-scaled // 1), "floor": scaled // 1, "common": (abs(scaled) + Fraction(1, 2)) // 1}.get(method)
    if rounded is None:
        raise Failure("`method` is not known", 'use "common", "ceil" or "floor"')
    if method == "common" and scaled < 0:
        rounded = -rounded
    return int(rounded) if precision <= 0 and factor == 1 else float(rounded / factor)


def _finite(value: object) -> int | float:
    if not isfinite(number(value)):
        raise Failure("the number is infinite or undefined", "compute another number")
    return number(value)


def _digits(precision: object) -> int:
    if not -15 <= whole(precision) <= 15:
        raise Failure("`precision` is a whole number from -15 to 15", "leave it out for whole numbers")
    return whole(precision)


@FILTERS.add(price=25)
def quantity(value: object) -> int | float:
    """Number that a Kubernetes quantity stands for: 0.1 of `100m`, 1073741824 of `1Gi`."""
    source = text(value)
    found = _QUANTITY.fullmatch(source) if len(source) <= _LONGEST_NUMBER else None
    if found is None:
        raise Failure(f'"{source[:40]}" is no quantity', "write it as Kubernetes does: 100m, 0.5, 128Mi, 1G")
    factor = _SUFFIXES.get(found[2] or "", Fraction(1)) * Fraction(10) ** int(found[3] or 0)
    exact = Fraction(found[1].rstrip(".")) * factor
    return int(exact) if exact.denominator == 1 and LOWEST <= exact <= HIGHEST else float(exact)


@FILTERS.add(price=25)
def duration(value: object) -> int | float:
    """Seconds that a Go duration stands for: 90 of `1m30s`, 0.3 of `300ms`."""
    source = text(value)
    if len(source) > _LONGEST_NUMBER or not _DURATION.fullmatch(source):
        raise Failure(f'"{source[:40]}" is no duration', "write it as Go does: 300ms, 5s, 1m30s, 2h")
    total = sum(
        (Fraction(count.rstrip(".")) * _NANOSECONDS[unit] for count, unit in _DURATION_PART.findall(source)), Fraction()
    )
    seconds = (-total if source.startswith("-") else total) / 10**9
    return int(seconds) if seconds.denominator == 1 else float(seconds)


@FILTERS.add(price=25)
def format_duration(value: object) -> str:
    """Seconds as a Go duration: `1m30s` of 90, `300ms` of 0.3."""
    seconds = _finite(value)
    if abs(seconds) > 2**63 / 10**9:
        raise Failure("the duration does not fit 64 bits of nanoseconds", "give it seconds")
    nanoseconds = round(Fraction(seconds) * 10**9)
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < 10**9:
        return sign + _below_a_second(rest)
    minutes, rest = divmod(rest, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    prefix = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{prefix}{_decimal(rest, 10**9)}s"


def _below_a_second(nanoseconds: int) -> str:
    if not nanoseconds:
        return "0s"
    unit, size = next((unit, size) for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)) if nanoseconds >= size)
    return f"{_decimal(nanoseconds, size)}{unit}"


def _decimal(nanoseconds: int, size: int) -> str:
    units, rest = divmod(nanoseconds, size)
    fraction = f"{rest:0{len(str(size)) - 1}d}".rstrip("0") if rest else ""
    return f"{units}.{fraction}" if fraction else str(units)
