"""What a plain YAML scalar means.

Templates are read by the core schema of YAML 1.2.2 (https://yaml.org/spec/1.2.2/#103-core-schema): `on`, `yes`,
`22:22` and `2026-01-01` are text. Manifests given to the command line are read as kubectl reads them, with what go-yaml
v2 keeps of YAML 1.1 (go.yaml.in/yaml/v2, resolve.go), so that a file means the same to us and to the API server.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

Resolver = Callable[[str], object]
"""Takes a plain scalar's text, gives its value; raises ScalarProblem."""


@dataclass
class ScalarProblem(Exception):  # noqa: N818 - a problem, not yet an error of ours
    """A scalar that cannot be used: what is wrong, and what to write instead."""

    problem: str
    remedy: str


NULL = frozenset(["", "~", "null", "Null", "NULL"])
"""What stands for null."""

_BOOLEANS = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_LEGACY_BOOLEANS = {
    word: truth
    for truth, words in ((True, ("y", "yes", "on")), (False, ("n", "no", "off")))
    for base in words
    for word in (base, base.capitalize(), base.upper())
}
_NUMBER = re.compile(
    r"(?P<decimal>[-+]?[0-9]+)|0o(?P<octal>[0-7]+)|0x(?P<hexadecimal>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<endless>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_LEGACY_INTEGER = re.compile(
    r"([-+]?)(?:0[bB](?P<binary>[01]+)|0[oO]?(?P<octal>[0-7]+)|0[xX](?P<hexadecimal>[0-9a-fA-F]+)|(?P<decimal>[0-9]+))"
)
_LEGACY_BASES = {"binary": 2, "octal": 8, "hexadecimal": 16, "decimal": 10}
_FIRST_OF_NUMBER = frozenset("-+.0123456789")
_MOST_DIGITS = 64
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1


def resolve_core(text: str) -> object:
    """Give the value of a plain scalar by the core schema of YAML 1.2: None, bool, int, float or str.

    Raises:
        ScalarProblem: the scalar is no JSON value (infinity), does not fit 64 bits, or is a number with a leading zero,
            which YAML 1.1 and 1.2 read differently.
    """
    if text in NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] in _FIRST_OF_NUMBER and (match := _NUMBER.fullmatch(text)):
        return _number(text, match)
    return text


def resolve_manifest(text: str) -> object:
    """Give the value of a plain scalar as kubectl does; the arguments and errors are those of `resolve_core`."""
    if text in _LEGACY_BOOLEANS:
        return _LEGACY_BOOLEANS[text]
    if not text or text[0] not in _FIRST_OF_NUMBER:
        return resolve_core(text)
    joined = text.replace("_", "")
    if match := _LEGACY_INTEGER.fullmatch(joined):
        return _integer(text, match[1] + match[match.lastindex or 0], _LEGACY_BASES[match.lastgroup or ""])
    match = _NUMBER.fullmatch(joined)
    value = _number(text, match) if match else text
    # Numbers reach the API server as JSON, in which Go writes whole ones without a point.
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= _HIGHEST else value


def is_other_type(word: str) -> bool:
    """Tell whether some reader (YAML 1.1, YAML 1.2, kubectl) takes this word, which is no number, for no text."""
    return word in NULL or word in _BOOLEANS or word in _LEGACY_BOOLEANS


def _number(text: str, match: re.Match[str]) -> int | float:
    kind = match.lastgroup
    if kind == "decimal":
        digits = text.lstrip("-+")
        if digits[0] == "0" and len(digits) > 1:
            raise ScalarProblem(
                f"{_short(text)} is octal in YAML 1.1 and decimal in YAML 1.2",
                f"write 0o{digits.lstrip('0') or '0'} or the decimal number, or put it in quotes if it is text",
            )
        return _integer(text, text, 10)
    if kind == "octal":
        return _integer(text, match["octal"], 8)
    if kind == "hexadecimal":
        return _integer(text, match["hexadecimal"], 16)
    value = float("inf") if kind == "endless" else float(match[0])
    if value in (float("inf"), float("-inf")):
        raise ScalarProblem(f"{_short(text)} is not a number that JSON can hold", "put it in quotes if it is text")
    return value


def _integer(text: str, digits: str, base: int) -> int:
    value = int(digits, base) if len(digits.lstrip("-+0")) <= _MOST_DIGITS else _HIGHEST + 1
    if not _LOWEST <= value <= _HIGHEST:
        raise ScalarProblem(f"the number {_short(text)} does not fit 64 bits", "put it in quotes if it is text")
    return value


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:20]}…"
