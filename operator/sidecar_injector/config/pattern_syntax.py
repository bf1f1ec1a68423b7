"""The language of patterns, and its parser: from text to a tree.

It is what JSON Schema recommends and every engine understands: literals, `.`, classes, groups, `|`, `*`, `+`, `?`,
`{m,n}`, and `^` and `$` around the whole. Back-references and look-around are not in it: no automaton has them.

Source: RFC 9485 (I-Regexp) for the choice, https://json-schema.org/understanding-json-schema/reference/regular_expressions
"""

from dataclasses import dataclass

LONGEST_PATTERN = 256
"""Characters."""
_DEEPEST = 16
"""Groups within each other."""

Ranges = tuple[tuple[int, int], ...]

_CLASSES: dict[str, Ranges] = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 13), (32, 32)),
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_MOST_TIMES = 1000
_END = ""


class PatternError(ValueError):
    """A pattern that is not of this language; the message is the end of a sentence that begins with the field."""


@dataclass(frozen=True)
class Letter:
    """One character that is in these ranges, or (negated) in none of them."""

    ranges: Ranges
    negated: bool = False

    def takes(self, code: int) -> bool:
        """Tell whether this is the character with this code point."""
        return any(first <= code <= last for first, last in self.ranges) != self.negated


@dataclass(frozen=True)
class Chain:
    """Parts one after the other; without parts, nothing."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True)
class Choice:
    """One of several parts."""

    options: "tuple[Node, ...]"


@dataclass(frozen=True)
class Repeat:
    """A part, at least and at most so many times; None: without end."""

    part: "Node"
    least: int
    most: int | None


Node = Letter | Chain | Choice | Repeat

_ANY = Letter(((10, 10),), negated=True)


def parse_pattern(text: str) -> Node:
    """Return the tree of a pattern that is about a whole text. Raises PatternError."""
    if len(text) > LONGEST_PATTERN:
        raise PatternError(f"has {len(text)} characters; at most {LONGEST_PATTERN} are allowed")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        """Read all of it. What `^` in front and `$` behind say holds anyhow, if they are about all alternatives."""
        anchored = self._skip("^")
        options = [self._chain()]
        while self._skip("|"):
            options.append(self._chain())
        anchored |= self._skip("$")
        if self._next != _END:
            raise self._error("'$' stands before the end" if self._text[self._at - 1] == "$" else "')' closes nothing")
        if anchored and len(options) > 1:
            raise PatternError(
                f"is {self._text!r}, where '^' and '$' belong to one alternative only; leave them out, as the whole "
                "value has to match anyhow, or put the alternatives in parentheses: ^(a|b)$"
            )
        return _one(options)

    @property
    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        found = self._next
        self._at += 1
        return found

    def _skip(self, sign: str) -> bool:
        if self._text.startswith(sign, self._at):
            self._at += len(sign)
            return True
        return False

    def _error(self, problem: str) -> PatternError:
        return PatternError(f"is {self._text!r}, which is no pattern: {problem} (character {self._at + 1})")

    def _choice(self) -> Node:
        options = [self._chain()]
        while self._skip("|"):
            options.append(self._chain())
        return _one(options)

    def _chain(self) -> Node:
        parts: list[Node] = []
        while self._next not in (_END, "|", ")", "$"):
            parts.append(self._repeated(self._part()))
        return parts[0] if len(parts) == 1 else Chain(tuple(parts))

    def _part(self) -> Node:
        match self._take():
            case "(":
                return self._group()
            case "[":
                return self._class()
            case ".":
                return _ANY
            case "\\":
                return Letter(self._escaped())
            case "^":
                raise self._error("'^' stands behind the start")
            case "*" | "+" | "?" | "{" | "}" | "]" as sign:
                raise self._error(f"{sign!r} has no meaning here; \\{sign} is the sign itself")
            case letter:
                return Letter(((ord(letter), ord(letter)),))

    def _group(self) -> Node:
        if self._next == "?" and not self._skip("?:"):
            raise self._error("of groups with '?' there is (?:…) alone")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"at most {_DEEPEST} groups stand within each other")
        node = self._choice()
        self._depth -= 1
        if not self._skip(")"):
            raise self._error("'$' stands before the end" if self._next == "$" else "')' is missing")
        return node

    def _repeated(self, part: Node) -> Node:
        while True:
            if self._skip("*"):
                part = Repeat(part, 0, None)
            elif self._skip("+"):
                part = Repeat(part, 1, None)
            elif self._skip("?"):
                part = Repeat(part, 0, 1)
            elif self._skip("{"):
                part = Repeat(part, *self._times())
            else:
                return part
            if self._next in ("*", "+", "?", "{") and self._next:
                raise self._error("a repetition is repeated; put parentheses around the inner one")

    def _times(self) -> tuple[int, int | None]:
        text, closing, _ = self._text[self._at :].partition("}")
        least, comma, most = text.partition(",")
        numbers = [number for number in (least, most) if number]
        if not closing or not least or not all(number.isdecimal() and number.isascii() for number in numbers):
            raise self._error("a repetition is {m}, {m,} or {m,n}")
        self._at += len(text) + 1
        low = int(least)
        high = low if not comma else int(most) if most else None
        if (high is not None and high < low) or max(low, high or 0) > _MOST_TIMES:
            raise self._error(f"{{{text}}} is no range of at most {_MOST_TIMES} times")
        return low, high

    def _escaped(self) -> Ranges:
        sign = self._take()
        if sign in _CLASSES and sign:
            return _CLASSES[sign]
        if sign and sign.lower() in _CLASSES:
            return _complement(_CLASSES[sign.lower()])
        if sign in _CONTROLS and sign:
            sign = _CONTROLS[sign]
        elif sign == _END or sign.isalnum():
            raise self._error("of letters, only d, D, w, W, s, S, t, n, r, f and v may follow a backslash")
        return ((ord(sign), ord(sign)),)

    def _class(self) -> Node:
        negated = self._skip("^")
        ranges: list[tuple[int, int]] = []
        while not self._skip("]"):
            if self._next == _END:
                raise self._error("']' is missing")
            if self._next == "[":
                raise self._error("'[' within a class is written \\[")
            ranges += self._range()
        if not ranges:
            raise self._error("a class is empty")
        return Letter(tuple(ranges), negated)

    def _range(self) -> Ranges:
        first = self._member()
        behind = self._text[self._at + 1 : self._at + 2]
        if self._next != "-" or behind in (_END, "]"):
            return first
        self._at += 1
        last = self._member()
        if len(first) > 1 or len(last) > 1 or first[0][0] > last[0][0] or first[0][0] != first[0][1]:
            raise self._error("a range within a class goes from a character to a later one")
        return ((first[0][0], last[0][1]),)

    def _member(self) -> Ranges:
        letter = self._take()
        return self._escaped() if letter == "\\" else ((ord(letter), ord(letter)),)


def _one(options: list[Node]) -> Node:
    return options[0] if len(options) == 1 else Choice(tuple(options))


def _complement(ranges: Ranges) -> Ranges:
    found, start = [], 0
    for first, last in ranges:
        found.append((start, first - 1))
        start = last + 1
    return (*found, (start, 0x10FFFF))
